//! Scopes of API keys: a closed set, with no wildcard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($($variant:ident = $text:literal, $grants:literal;)*) => {
        /// What an API key may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Scope {
            $(
                #[doc = $grants]
                #[serde(rename = $text)]
                $variant,
            )*
        }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The scope as it is written in keys, errors and documents.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// What the scope grants, in one sentence.
            #[must_use]
            pub const fn grants(self) -> &'static str {
                match self { $(Self::$variant => $grants),* }
            }
        }
    };
}

scopes! {
    DatabasesRead = "databases:read", "List and inspect protected databases and their backup jobs.";
    DatabasesWrite = "databases:write", "Create, update and delete protected databases.";
    DestinationsRead = "destinations:read", "List and inspect backup destinations.";
    DestinationsWrite = "destinations:write", "Manage backup destinations.";
    BackupsTrigger = "backups:trigger", "Start, cancel and dismiss backup jobs.";
    RestoresRead = "restores:read", "Read restore jobs.";
    RestoresWrite = "restores:write", "Open restore sessions.";
    EvidenceRead = "evidence:read", "Read evidence of completed backups.";
    EvidenceExport = "evidence:export", "Download evidence bundles.";
    AuditRead = "audit:read", "Read the audit chain and its verification.";
    ReadinessRead = "readiness:read", "Read service readiness and verification status.";
}

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope; the scopes are {}", Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownScope;

impl std::str::FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_scopes_and_no_wildcard() {
        assert_eq!(Scope::ALL.len(), 11);
        assert!("*".parse::<Scope>().is_err());
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
            assert_eq!(serde_json::json!(scope), serde_json::json!(scope.as_str()));
        }
    }
}
