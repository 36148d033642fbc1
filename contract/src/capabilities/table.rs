//! Every capability.

use super::{Capability, HumanGate, PlannedRoute, Risk, Status};
use crate::operations::Method;
use crate::scope::Scope;

const fn capability(id: &'static str, status: Status, risk: Risk, claim: &'static str) -> Capability {
    Capability {
        id,
        status,
        claim,
        risk,
        gate: HumanGate::None,
        operations: &[],
        tool: false,
        commands: &[],
        route: None,
    }
}

const fn available(id: &'static str, risk: Risk, claim: &'static str) -> Capability {
    capability(id, Status::Available, risk, claim)
}

const fn planned(id: &'static str, risk: Risk, claim: &'static str) -> Capability {
    capability(id, Status::Planned, risk, claim)
}

const fn advisory(id: &'static str, claim: &'static str) -> Capability {
    capability(id, Status::Advisory, Risk::ReadOnly, claim)
}

impl Capability {
    const fn tool(self, operations: &'static [&'static str]) -> Self {
        Self { operations, tool: true, ..self }
    }

    const fn operations(self, operations: &'static [&'static str]) -> Self {
        Self { operations, ..self }
    }

    const fn commands(self, commands: &'static [&'static str]) -> Self {
        Self { commands, ..self }
    }

    const fn gated(self) -> Self {
        Self { gate: HumanGate::ConfirmationRequired, ..self }
    }

    const fn route(self, method: Method, path: &'static str, scope: Option<Scope>) -> Self {
        Self { route: Some(PlannedRoute { method, path, scope }), ..self }
    }
}

use Method::{Get, Post};
use Risk::{Destructive, ReadOnly, SafeWrite, SensitiveWrite};

/// Every capability.
pub const CAPABILITIES: &[Capability] = &[
    available("profile.read", ReadOnly, "An API key can read what it is and which scopes it has.")
        .tool(&["getProfile"])
        .commands(&["profile.validate"]),
    available("key.describe", ReadOnly, "An API key can read which operations it may call.").tool(&["getApiKey"]),
    available("databases.list", ReadOnly, "Protected databases are listed with the age of the data in their newest completed backup.")
        .tool(&["listDatabases"])
        .commands(&["database.list"]),
    available("databases.read", ReadOnly, "One protected database is read, without any credential.")
        .tool(&["getDatabase"])
        .commands(&["database.get"]),
    available("databases.create", SensitiveWrite, "Databases are added through the API; the connection string is sealed and never shown again.")
        .tool(&["createDatabase"]),
    available("databases.update", SensitiveWrite, "Schedule, source, destination and codec of a database are changed through the API.")
        .tool(&["updateDatabase"]),
    available("databases.check", SensitiveWrite, "A source is looked at as a whole: reachability, TLS, authentication, privileges, row-level security, versions, poolers, extensions and size, each with what mends it.")
        .tool(&["checkDatabase"]),
    available("databases.delete", Destructive, "Databases are removed through the API; their backups and evidence stay.")
        .tool(&["deleteDatabase"])
        .gated(),
    available("destinations.list", ReadOnly, "Destinations are listed without their credentials.").tool(&["listDestinations"]).commands(&["destination.list"]),
    available("destinations.read", ReadOnly, "One destination is read without its credentials.").tool(&["getDestination"]).commands(&["destination.get"]),
    available("destinations.create", SensitiveWrite, "Destinations are added through the API; their credentials are sealed and never shown again.")
        .tool(&["createDestination"]),
    available("destinations.update", SensitiveWrite, "Name, lock and credentials of a destination are changed through the API.")
        .tool(&["updateDestination"]),
    available("destinations.delete", Destructive, "Destinations that nothing uses are removed through the API; the bucket is not touched.")
        .tool(&["deleteDestination"])
        .gated(),
    available("destination.preflight", SensitiveWrite, "Preflight writes, reads back, locks and deletes probe objects in a destination, and reports what it observed; a locked probe stays behind.")
        .tool(&["preflightDestination"]),
    available(
        "backup.schedule",
        ReadOnly,
        "Scheduled logical backups: `pg_dump` on a five-field cron expression in UTC, into an S3 bucket that the customer owns.",
    )
    .operations(&["listDatabases", "getDatabase"])
    .commands(&["database.list", "database.get"]),
    available("backup.trigger", SafeWrite, "Ad-hoc logical backups, started through the API or the command line and followed to their end.")
        .tool(&["triggerBackup"])
        .commands(&["backup.trigger"]),
    available("backup.status", ReadOnly, "The state, artifact and error of a backup job are read.")
        .tool(&["getBackup"])
        .commands(&["backup.status"]),
    available("backup.list", ReadOnly, "The backup jobs of a database are listed, newest first.")
        .tool(&["listDatabaseBackups"])
        .commands(&["backup.list"]),
    available("backup.cancel", SensitiveWrite, "A backup job that is not yet being sealed is called off through the API.").tool(&["cancelBackup"]),
    available("backup.dismiss", SafeWrite, "A backup job that failed for good is marked as taken note of through the API.").tool(&["dismissBackup"]),
    available(
        "backup.verify",
        ReadOnly,
        "A backup is `completed` only after `pg_dump` exited 0, its archive was read to the end, and artifact and manifest were read back from the bucket and matched.",
    )
    .operations(&["getBackup"])
    .commands(&["backup.status"]),
    available("manifest.sign", ReadOnly, "Every completed backup has a manifest, signed with Ed25519, beside the artifact in the bucket.")
        .operations(&["getEvidence"])
        .commands(&["evidence.get"]),
    available(
        "audit.chain",
        ReadOnly,
        "Every state change of a backup or restore is an event in that job's hash chain; an event edited, removed or reordered inside the chain breaks it.",
    )
    .operations(&["getEvidence"])
    .commands(&["evidence.get"]),
    available("audit.streams", ReadOnly, "The audit chains of an organization are listed with their heads.").tool(&["listAuditStreams"]),
    available("audit.inspect", ReadOnly, "The events of an audit chain are read.").tool(&["listAuditEvents"]),
    available("audit.verify", ReadOnly, "An audit chain is checked from its first event to its newest, by the server.").tool(&["verifyAuditStream"]),
    available("audit.watch", ReadOnly, "Every audit chain is checked by itself, every six hours by default; one that does not hold is an event in the organization's chain, and fails its readiness.")
        .operations(&["getReadiness"]),
    available(
        "audit.checkpoint",
        ReadOnly,
        "Every audit event is a leaf of its organization's Merkle log; a signed checkpoint of it is written into the organization's own buckets after every job and at least daily, under Object Lock where the destination locks. A chain that is cut short or rewritten afterwards contradicts it; what was not yet in a checkpoint is not covered.",
    )
    .tool(&["listCheckpoints"]),
    available("audit.prove_inclusion", ReadOnly, "That an audit event stands in the log of a checkpoint is proven, so that anybody can check it offline.").tool(&["getInclusionProof"]),
    available("audit.prove_consistency", ReadOnly, "That the log of one checkpoint goes on from that of an earlier one, with nothing changed, is proven, so that anybody can check it offline.").tool(&["getConsistencyProof"]),
    available("evidence.list", ReadOnly, "Evidence of completed backups is listed, with integrity, age, lock and drill status.").tool(&["listEvidence"]).commands(&["evidence.list"]),
    available("evidence.read", ReadOnly, "Evidence of one completed backup: signed manifest, integrity verification, audit chain, age of the data.")
        .tool(&["getEvidence"])
        .commands(&["evidence.get"]),
    available("evidence.export", SensitiveWrite, "The signed manifest, audit chain and restores of a completed backup, a signed checkpoint and the proofs that tie them to it are downloaded as one archive that is the same bytes as of the same checkpoint.")
        .tool(&["exportEvidence"])
        .gated(),
    available("evidence.verify_offline", ReadOnly, "Evidence bundles are verified offline by `walwarden-verify`, a program without network code, against a public key and a checkpoint that was kept.")
        .operations(&["exportEvidence"]),
    available("restore.create", SensitiveWrite, "Restore sessions with a single-use token that expires after one hour.")
        .tool(&["createRestore"])
        .commands(&["restore.create"])
        .gated(),
    available(
        "restore.execute",
        Destructive,
        "Restores run on the customer's machine: the artifact comes straight from the bucket, and nothing is written to the target before artifact hash, manifest hash and signature match. The server sees neither the data nor the target's credentials.",
    )
    .operations(&["triggerRestore", "claimRestore", "refreshArtifactUrl", "reportRestore"])
    .commands(&["restore.execute", "restore"])
    .gated(),
    available("restore.progress", ReadOnly, "The state of a restore job is read.").tool(&["getRestore"]).commands(&["restore.status"]),
    available("recovery.summary", ReadOnly, "What could be recovered of a database, from its verified backups, with the loss in minutes.")
        .tool(&["getRecoverySummary"]),
    available("recovery.candidate", ReadOnly, "The newest verified backup before an incident is found, with the loss in minutes.")
        .tool(&["getRecoveryCandidate"]),
    available("recovery.proof", ReadOnly, "What proves a verified backup: manifest, signature, read-back, lock and completed restores.")
        .tool(&["getRecoveryWindowProof"]),
    available(
        "retention.delete",
        Destructive,
        "Completed backups that are older than their database's retention days are deleted from the bucket once no lock holds them; the newest stays, and so does every record.",
    )
    .operations(&["createDatabase", "updateDatabase", "getBackup"]),
    available("inventory.reconcile", ReadOnly, "Every day, schedules, audit chains, signed manifests and the bucket's own list are compared; what is missing, altered or strange is reported, with what to do about it.")
        .tool(&["getReconciliation"]),
    available("worker.check", ReadOnly, "Store, workers, schedules and queue are checked through the API.").tool(&["getReadiness"]),
    available("capabilities.describe", ReadOnly, "The command line lists and describes what Walwarden can do and cannot do yet, without calling the API.")
        .commands(&["capabilities.list", "capabilities.describe"]),
    available("environment.verify", ReadOnly, "The command line checks settings, TLS, API, key, scopes, clock, client tools and disk of the machine that asks, and says what mends each finding.")
        .operations(&["getProfile", "listEvidence"])
        .commands(&["verify-environment"]),
    available("errors.explain", ReadOnly, "The command line says what an error code means, who can mend it and what to do next, without calling the API.")
        .commands(&["explain-error"]),
    available("command_line.manual", ReadOnly, "The command line prints its manual pages, and completion scripts for five shells, without calling the API.")
        .commands(&["completions", "man"]),
    // Not built. What can be called is refused with `capability_not_available`.
    planned("recovery.pitr", ReadOnly, "Point-in-time recovery, WAL archiving or continuous backup"),
    planned("recovery.preflight", ReadOnly, "Preflight of a logical recovery window between backups")
        .route(Post, "/databases/{databaseId}/recovery/preflight", Some(Scope::DatabasesRead)),
    planned("recovery.enable", SensitiveWrite, "Enabling logical recovery windows between backups")
        .route(Post, "/databases/{databaseId}/recovery/enable", Some(Scope::DatabasesWrite)),
    planned("recovery.disable", SensitiveWrite, "Disabling logical recovery windows between backups")
        .route(Post, "/databases/{databaseId}/recovery/disable", Some(Scope::DatabasesWrite)),
    planned("recovery.status", ReadOnly, "The state of a logical recovery window between backups")
        .route(Get, "/databases/{databaseId}/recovery/status", Some(Scope::DatabasesRead)),
    planned("recovery.restore", Destructive, "Restores to a point between backups")
        .route(Post, "/recovery/windows/{windowId}/restore", Some(Scope::RestoresWrite)),
    planned("restore.drill", SensitiveWrite, "Automated restore drills or unattended restore verification")
        .route(Post, "/databases/{databaseId}/drills", Some(Scope::RestoresWrite)),
    planned("notification.check", ReadOnly, "Checks of notification routes")
        .route(Get, "/notifications/check", Some(Scope::ReadinessRead)),
    planned("notification.routes", SensitiveWrite, "Notifications by mail, chat or webhook")
        .route(Get, "/notifications/routes", Some(Scope::ReadinessRead)),
    planned("mcp.server", ReadOnly, "An MCP server, or a `mcpServers` entry that works").route(Post, "/mcp", None),
    planned("dashboard", ReadOnly, "A dashboard or any other web page"),
    planned("artifact.encrypt", SafeWrite, "Encryption of artifacts by Walwarden, beyond what the bucket does"),
    planned("destination.assume_role", SensitiveWrite, "Access to buckets by AssumeRole in place of access keys"),
    planned("account.login", SafeWrite, "Login, logout or whoami commands"),
    advisory("diagnostics.diagnose", "Health findings and safe next steps for a database, destination, worker or backup job")
        .route(Post, "/diagnostics", Some(Scope::ReadinessRead)),
];
