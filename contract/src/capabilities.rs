//! What Walwarden can do, and what it cannot do yet. Claims in the docs and the skill come from here.

/// Whether a capability may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Built and tested.
    Available,
    /// Not built.
    Planned,
}

impl Status {
    /// The status as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Planned => "planned",
        }
    }
}

/// Something that Walwarden does or is to do.
#[derive(Debug, Clone, Copy)]
pub struct Capability {
    /// Its name.
    pub id: &'static str,
    /// Whether it may be relied on.
    pub status: Status,
    /// What may be claimed when it is available; what must not be claimed while it is planned.
    pub claim: &'static str,
    /// The operations that carry it, by id.
    pub operations: &'static [&'static str],
    /// The commands that carry it, by kind.
    pub commands: &'static [&'static str],
}

const fn available(
    id: &'static str,
    claim: &'static str,
    operations: &'static [&'static str],
    commands: &'static [&'static str],
) -> Capability {
    Capability { id, status: Status::Available, claim, operations, commands }
}

const fn planned(id: &'static str, claim: &'static str) -> Capability {
    Capability { id, status: Status::Planned, claim, operations: &[], commands: &[] }
}

/// Every capability.
pub const CAPABILITIES: &[Capability] = &[
    available(
        "backup.schedule",
        "Scheduled logical backups: `pg_dump` on a five-field cron expression in UTC, into an S3 bucket that the \
         customer owns.",
        &["listDatabases", "getDatabase"],
        &["database.list", "database.get"],
    ),
    available(
        "backup.trigger",
        "Ad-hoc logical backups, started through the API or the command line and followed to their end.",
        &["triggerBackup", "getBackup", "listDatabaseBackups"],
        &["backup.trigger", "backup.status", "backup.list"],
    ),
    available(
        "backup.verify",
        "A backup is `completed` only after `pg_dump` exited 0, its archive was read to the end, and artifact and \
         manifest were read back from the bucket and matched.",
        &["getBackup"],
        &["backup.status"],
    ),
    available(
        "manifest.sign",
        "Every completed backup has a manifest, signed with Ed25519, beside the artifact in the bucket.",
        &["getEvidence"],
        &["evidence.get"],
    ),
    available(
        "audit.chain",
        "Every state change of a backup or restore is an event in that job's hash chain; an event edited, removed or \
         reordered inside the chain breaks it.",
        &["getEvidence"],
        &["evidence.get"],
    ),
    available(
        "evidence.read",
        "Evidence of one completed backup: signed manifest, integrity verification, audit chain, age of the data.",
        &["getEvidence"],
        &["evidence.get"],
    ),
    available(
        "restore.session",
        "Restore sessions with a single-use token that expires after one hour.",
        &["createRestore", "getRestore"],
        &["restore.create", "restore.status"],
    ),
    available(
        "restore.execute",
        "Restores run on the customer's machine: the artifact comes straight from the bucket, and nothing is written \
         to the target before artifact hash, manifest hash and signature match. The server sees neither the data nor \
         the target's credentials.",
        &["triggerRestore", "claimRestore", "refreshArtifactUrl", "reportRestore"],
        &["restore.execute", "restore"],
    ),
    planned("recovery.pitr", "Point-in-time recovery, WAL archiving or continuous backup"),
    planned("recovery.windows", "Recovery summaries, candidates and window proofs"),
    planned("restore.drill", "Automated restore drills or unattended restore verification"),
    planned("evidence.export", "Evidence bundles"),
    planned("evidence.verify_offline", "Offline verification of evidence bundles"),
    planned("audit.checkpoint", "Detection of an audit chain that was cut short or rewritten as a whole"),
    planned("mcp.server", "An MCP server or MCP tools"),
    planned("dashboard", "A dashboard or any other web page"),
    planned("notification.routes", "Notifications by mail, chat or webhook"),
    planned("backup.cancel", "Cancelling or dismissing backup jobs through the API or the command line"),
    planned("retention.delete", "Deletion of old backups by Walwarden"),
    planned("artifact.encrypt", "Encryption of artifacts by Walwarden, beyond what the bucket does"),
    planned("databases.manage", "Adding, changing or removing databases through the API or `walwarden`"),
    planned("destinations.manage", "Reading, adding, changing or removing destinations through the API or `walwarden`"),
    planned("destination.preflight", "Preflight checks of a destination"),
    planned("destination.assume_role", "Access to buckets by AssumeRole in place of access keys"),
    planned("diagnostics", "Diagnosis commands, environment checks or an error explainer"),
    planned("account.login", "Login, logout or whoami commands"),
];

/// What must not be said, whatever is built.
pub const CLAIM_RULES: &[&str] = &[
    "A completed backup is a completed job. Do not call it proven recoverable: only a restore of that backup which \
     ended in `completed` proves that, for that backup.",
    "A queued or running job is not a backup. `backup trigger` without `--wait` only queues.",
    "`restore create` restores nothing. It opens a session; `restore execute` restores.",
    "The RPO figure is the age of the data in the newest completed backup, not a guarantee for the next one.",
    "Audit events record what happened to a job. They are not proof of what the data contains.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands, operations};

    #[test]
    fn what_is_available_points_at_what_exists_and_what_is_planned_at_nothing() {
        for capability in CAPABILITIES {
            let reachable = !capability.operations.is_empty() && !capability.commands.is_empty();
            assert_eq!(reachable, capability.status == Status::Available, "{}", capability.id);
            for id in capability.operations {
                assert!(operations::operation(id).is_some(), "{}: no operation {id}", capability.id);
            }
            for kind in capability.commands {
                assert!(commands::command(kind).is_some(), "{}: no command {kind}", capability.id);
            }
        }
    }

    #[test]
    fn every_operation_and_command_belongs_to_a_capability() {
        let carried = |id: &str| CAPABILITIES.iter().any(|capability| capability.operations.contains(&id));
        for operation in operations::OPERATIONS {
            assert!(operation.id == "getProfile" || carried(operation.id), "{}", operation.id);
        }
        let carried = |kind: &str| CAPABILITIES.iter().any(|capability| capability.commands.contains(&kind));
        for command in commands::COMMANDS {
            assert!(command.kind == "profile.validate" || carried(command.kind), "{}", command.kind);
        }
    }
}
