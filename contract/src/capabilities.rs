//! What Walwarden can do, and what it cannot do yet. Claims in the docs and the skill come from here, and so does the
//! live tool catalog.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operations::Method;
use crate::scope::Scope;

mod describe;
mod table;
mod tools;

pub use self::table::CAPABILITIES;
pub use self::tools::catalog;

/// The version of the capability contract. The major number changes when something is taken away.
pub const SURFACE_VERSION: &str = "1.0.0";
/// The oldest version of the SDK and the command line that understands this contract.
pub const MIN_CLIENT_VERSION: &str = "0.1.0";

/// Whether a capability may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Built and tested.
    Available,
    /// Not built.
    Planned,
    /// Described so that a program can reason about it; nothing carries it out.
    Advisory,
}

impl Status {
    /// The status as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Planned => "planned",
            Self::Advisory => "advisory",
        }
    }
}

/// What a capability may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing.
    ReadOnly,
    /// It adds something and takes nothing away.
    SafeWrite,
    /// It changes what later backups, restores or audits rely on, or hands out data.
    SensitiveWrite,
    /// It may take something away.
    Destructive,
}

impl Risk {
    /// The risk as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::SafeWrite => "safe_write",
            Self::SensitiveWrite => "sensitive_write",
            Self::Destructive => "destructive",
        }
    }
}

/// Whether a person has to consent before an agent's key may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HumanGate {
    /// Nobody has to.
    None,
    /// The first request is answered with a challenge; the same request passes once it carries it.
    ConfirmationRequired,
}

impl HumanGate {
    /// The gate as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ConfirmationRequired => "confirmation_required",
        }
    }
}

/// Where calls of a capability that is not built arrive, to be refused with `capability_not_available`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRoute {
    /// HTTP method.
    pub method: Method,
    /// The path under [`crate::operations::BASE_PATH`], with parameters in braces.
    pub path: &'static str,
    /// The scope that it will require.
    pub scope: Option<Scope>,
}

/// Something that Walwarden does or is to do.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Its name.
    pub id: &'static str,
    /// Whether it may be relied on.
    pub status: Status,
    /// What may be claimed when it is available; what must not be claimed while it is not.
    pub claim: &'static str,
    /// What it may change.
    pub risk: Risk,
    /// Whether a person has to consent before an agent's key may do it.
    pub gate: HumanGate,
    /// The operations that carry it, by id. The first is the one that its tool calls.
    pub operations: &'static [&'static str],
    /// Whether it stands in the tool catalog.
    pub tool: bool,
    /// The commands that carry it, by kind.
    pub commands: &'static [&'static str],
    /// Where calls arrive while it is not built, if they can.
    pub route: Option<PlannedRoute>,
}

/// The capability with this id.
#[must_use]
pub fn capability(id: &str) -> Option<&'static Capability> {
    CAPABILITIES.iter().find(|capability| capability.id == id)
}

/// What must not be said, whatever is built.
pub const CLAIM_RULES: &[&str] = &[
    "A completed backup is a completed job. Do not call it proven recoverable: only a restore of that backup which \
     ended in `completed` proves that, for that backup.",
    "A queued or running job is not a backup. `backup trigger` without `--wait` only queues.",
    "`restore create` restores nothing. It opens a session; `restore execute` restores.",
    "The RPO figure is the age of the data in the newest completed backup, not a guarantee for the next one.",
    "A recovery window is what one logical backup covers. It is no point-in-time recovery: what happened since its \
     snapshot is lost.",
    "Audit events record what happened to a job. They are not proof of what the data contains.",
    "Do not call a tool that is not in the live catalog, and do not answer a confirmation challenge in a person's place.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;
    use crate::operations::{Auth, OPERATIONS, operation};

    #[test]
    fn what_is_available_points_at_what_exists_and_what_is_not_at_nothing() {
        for capability in CAPABILITIES {
            let reachable = !capability.operations.is_empty() || !capability.commands.is_empty();
            assert_eq!(reachable, capability.status == Status::Available, "{}", capability.id);
            assert!(capability.status != Status::Available || capability.route.is_none(), "{}", capability.id);
            for id in capability.operations {
                assert!(operation(id).is_some(), "{}: no operation {id}", capability.id);
            }
            for kind in capability.commands {
                assert!(commands::command(kind).is_some(), "{}: no command {kind}", capability.id);
            }
        }
    }

    #[test]
    fn every_command_belongs_to_a_capability_and_every_operation_of_an_api_key_is_one_tool() {
        for command in commands::COMMANDS {
            let carried = CAPABILITIES.iter().any(|capability| capability.commands.contains(&command.kind));
            assert!(carried, "{}", command.kind);
        }
        for operation in OPERATIONS {
            let tools =
                CAPABILITIES.iter().filter(|it| it.tool && it.operations.first() == Some(&operation.id)).count();
            // The catalog itself is no tool, and the restore machine has a token of its own.
            let expected = usize::from(matches!(operation.auth, Auth::ApiKey(_)) && operation.id != "listTools");
            assert_eq!(tools, expected, "{}", operation.id);
        }
    }

    #[test]
    fn planned_routes_are_apart_from_the_operations_and_from_each_other() {
        let routes: Vec<_> = CAPABILITIES.iter().filter_map(|capability| capability.route).collect();
        for (index, route) in routes.iter().enumerate() {
            assert!(!OPERATIONS.iter().any(|it| it.method == route.method && it.path == route.path), "{}", route.path);
            assert!(!routes[index + 1..].contains(route), "{}", route.path);
        }
    }

    #[test]
    fn reading_is_done_by_get_and_what_takes_away_is_gated() {
        for capability in CAPABILITIES.iter().filter(|capability| capability.tool) {
            let operation = operation(capability.operations[0]).expect("checked above");
            assert_eq!(
                capability.risk == Risk::ReadOnly,
                operation.method == Method::Get && capability.gate == HumanGate::None,
                "{}",
                capability.id
            );
            assert!(capability.risk != Risk::Destructive || capability.gate == HumanGate::ConfirmationRequired);
        }
    }
}
