//! What `walwarden verify-environment` writes: what it looked at, what it found, and what mends it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::scope::Scope;
use crate::time::Timestamp;

/// `verify-environment`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentReport {
    /// `failed` when any finding failed, else `warning` when any deserves attention, else `passed`.
    pub result: EnvironmentStatus,
    /// When it was looked at, by this machine's clock.
    pub checked_at: Timestamp,
    /// The version of this command line.
    pub client_version: String,
    /// The version of the server; null when it did not say.
    pub server_version: Option<String>,
    /// Every finding, in the order in which it was looked at.
    pub findings: Vec<EnvironmentFinding>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentFinding {
    /// What was looked at.
    pub check: EnvironmentCheck,
    /// How it is.
    pub status: EnvironmentStatus,
    /// What was found.
    pub code: FindingCode,
    /// What was observed. Never the value of a secret.
    pub evidence: String,
    /// What mends it; null where there is nothing to mend.
    pub fix: Option<String>,
}

/// What `verify-environment` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentCheck {
    /// Address and API key, and where they come from.
    Settings,
    /// Whether what is sent is encrypted on its way.
    Tls,
    /// Whether the API answers.
    Api,
    /// Whether server and command line understand each other.
    Contract,
    /// Whether the API key is valid.
    Key,
    /// Whether the key may back up and read the evidence.
    BackupScopes,
    /// Whether the key may restore.
    RestoreScopes,
    /// Whether this machine's clock agrees with the server's.
    Clock,
    /// `pg_restore`, which restores need on this machine.
    PgRestore,
    /// `psql`, which restores need on this machine.
    Psql,
    /// `pg_dump`, which is needed where `walwarden-api` runs.
    PgDump,
    /// Whether the largest artifact fits on this machine while it is restored.
    Disk,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentStatus {
    /// As it should be.
    Passed,
    /// It could not be looked at, because of an earlier finding.
    Skipped,
    /// It deserves attention, and stops nothing that was asked for.
    Warning,
    /// It stops what was asked for.
    Failed,
}

/// A way of working that a key and a machine are made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Trigger a backup, follow it, read its evidence.
    Backup,
    /// Open a restore session and restore on this machine.
    Restore,
}

impl Loop {
    /// The scopes that it needs.
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Backup => &[Scope::DatabasesRead, Scope::BackupsTrigger, Scope::EvidenceRead],
            Self::Restore => &[Scope::RestoresWrite, Scope::RestoresRead],
        }
    }
}

macro_rules! finding_codes {
    ($($variant:ident = $code:literal, $error:expr, $meaning:literal, $fix:expr;)*) => {
        /// What was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum FindingCode {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl FindingCode {
            /// Every code, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it stands in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What mends it, where that is always the same.
            #[must_use]
            pub const fn fix(self) -> Option<&'static str> {
                match self { $(Self::$variant => $fix),* }
            }

            /// The error of a command whose first failed finding this is, where it is always the same.
            #[must_use]
            pub const fn error(self) -> Option<ErrorCode> {
                match self { $(Self::$variant => $error),* }
            }
        }
    };
}

finding_codes! {
    SettingsFound = "settings_found", None, "Address and API key are set.", None;
    SettingsMixed = "settings_mixed", None, "Address and API key do not come from where one might think.", Some("Give both in one place: a profile of the configuration file, or the environment.");
    SettingsInvalid = "settings_invalid", Some(ErrorCode::ConfigInvalid), "A setting is missing or not valid.", Some("Correct the setting that the evidence names.");
    TlsInUse = "tls_in_use", None, "What is sent is encrypted, and the server's certificate was verified.", None;
    TlsNotNeeded = "tls_not_needed", None, "The API is on this machine; nothing travels.", None;
    TlsAbsent = "tls_absent", None, "Keys and tokens travel in clear.", Some("Serve the API by https and leave out --allow-insecure-http.");
    TlsRefused = "tls_refused", Some(ErrorCode::NetworkError), "The server's certificate was refused.", Some("Give the API a certificate for this name from an authority that this machine trusts, and check the clock.");
    ApiAnswers = "api_answers", None, "The API answers.", None;
    ApiUnreachable = "api_unreachable", Some(ErrorCode::NetworkError), "The API cannot be reached.", Some("Check the address, the network and that walwarden-api runs.");
    ApiLate = "api_late", Some(ErrorCode::Timeout), "The API did not answer in time.", Some("Try again, or allow more time with --timeout-ms.");
    ApiFailed = "api_failed", None, "The API answered with an error of its own, or what answers is no Walwarden API.", Some("Check that the address is that of a Walwarden API, and look the request up in its log.");
    ContractCompatible = "contract_compatible", None, "Server and command line understand each other.", None;
    ContractIncompatible = "contract_incompatible", Some(ErrorCode::UnexpectedResponse), "The server keeps a contract that this command line was not made for.", Some("Install the command line of the server's version.");
    KeyValid = "key_valid", None, "The API key is valid.", None;
    KeyExpiresSoon = "key_expires_soon", None, "The API key expires within a week.", Some("Issue a new key with `walwarden-api admin key issue`, and replace this one before it expires.");
    KeyRefused = "key_refused", Some(ErrorCode::Unauthorized), "The API key is unknown, expired or revoked.", Some("Issue a key with `walwarden-api admin key issue`.");
    ScopesGranted = "scopes_granted", None, "The key has every scope that this needs.", None;
    ScopesMissing = "scopes_missing", Some(ErrorCode::Forbidden), "The key lacks scopes that this needs.", Some("Issue a key with the scopes that the evidence names.");
    ClockAgrees = "clock_agrees", None, "This machine's clock agrees with the server's.", None;
    ClockOff = "clock_off", None, "This machine's clock and the server's are more than a minute apart: one of them is wrong.", Some("Set the clock by NTP; tokens, URLs and evidence carry times.");
    ToolFound = "tool_found", None, "The tool is there, and no backup whose evidence was read needs a newer one.", None;
    ToolMissing = "tool_missing", Some(ErrorCode::ToolMissing), "The tool is not on PATH.", Some("Install the Postgres client tools (Debian: postgresql-client) and put them on PATH.");
    ToolOutdated = "tool_outdated", Some(ErrorCode::ToolVersionUnsupported), "The tool is older than a server that it is to work with, or than the pg_dump that wrote a backup.", Some("Install client tools of the newest server's major version or newer.");
    ToolVulnerable = "tool_vulnerable", None, "The tool has a known vulnerability.", Some("Install the newest minor version.");
    DiskSuffices = "disk_suffices", None, "The largest artifact fits.", None;
    DiskShort = "disk_short", Some(ErrorCode::InsufficientDiskSpace), "The largest artifact does not fit.", Some("Free space, or name a larger place with --work-dir.");
    NotChecked = "not_checked", None, "It could not be looked at.", Some("Mend what kept it from being looked at, then look again.");
}
