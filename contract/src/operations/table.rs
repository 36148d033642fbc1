//! The whole API.

use super::build::{delete, get, patch, post, schema_of as of};
use super::{Operation, Tag};
use crate::error::ErrorCode as E;
use crate::model as m;
use crate::scope::Scope as S;

const fn tag(name: &'static str, about: &'static str) -> Tag {
    Tag { name, about }
}

pub(super) const PROFILE: Tag = tag("profile", "Who the caller is.");
pub(super) const DATABASES: Tag = tag("databases", "Protected databases.");
pub(super) const DESTINATIONS: Tag = tag("destinations", "Buckets that backups go to, without their credentials.");
pub(super) const BACKUPS: Tag = tag("backups", "Backup jobs and their artifacts.");
pub(super) const EVIDENCE: Tag = tag("evidence", "Proof of completed backups.");
pub(super) const RESTORES: Tag = tag("restores", "Restore sessions and restore jobs.");
pub(super) const RECOVERY: Tag = tag("recovery", "What could be recovered, to when, and what proves it.");
pub(super) const MANAGEMENT: Tag =
    tag("management", "Changes of databases, destinations and jobs; audit, export, readiness and the key itself.");
pub(super) const AGENTS: Tag = tag("agents", "What programs that choose by themselves may call.");
pub(super) const SESSIONS: Tag = tag("restore-sessions", "What the restore machine says, with its single-use token.");

const TOKEN_ERRORS: &[E] = &[E::TokenInvalid, E::TokenExpired, E::NotFound, E::InvalidTransition, E::RestoreTimedOut];
const PRESIGN_ERRORS: &[E] = &[
    E::TokenInvalid,
    E::TokenExpired,
    E::NotFound,
    E::InvalidTransition,
    E::RestoreTimedOut,
    E::BackupNotRestorable,
    E::DestinationNotReady,
];
const TRIGGER_ERRORS: &[E] = &[
    E::TokenInvalid,
    E::TokenExpired,
    E::TokenUsed,
    E::ManifestHashMismatch,
    E::RestoreModeMismatch,
    E::NotFound,
    E::InvalidTransition,
    E::RestoreTimedOut,
];

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    get("getProfile", "/profile", PROFILE, "Read what the API key is and may do").answers(200, of::<m::Profile>),
    get("listDatabases", "/databases", DATABASES, "List protected databases")
        .scope_of(S::DatabasesRead)
        .paged()
        .answers(200, of::<m::DatabaseList>),
    get("getDatabase", "/databases/{databaseId}", DATABASES, "Read a protected database")
        .scope_of(S::DatabasesRead)
        .answers(200, of::<m::Database>)
        .fails(&[E::NotFound]),
    get("listDestinations", "/destinations", DESTINATIONS, "List backup destinations")
        .scope_of(S::DestinationsRead)
        .paged()
        .answers(200, of::<m::DestinationList>),
    get("getDestination", "/destinations/{destinationId}", DESTINATIONS, "Read a backup destination")
        .scope_of(S::DestinationsRead)
        .answers(200, of::<m::Destination>)
        .fails(&[E::NotFound]),
    get(
        "listDatabaseBackups",
        "/databases/{databaseId}/backups",
        BACKUPS,
        "List the backup jobs of a database, newest first",
    )
    .scope_of(S::DatabasesRead)
    .paged()
    .answers(200, of::<m::BackupList>)
    .fails(&[E::NotFound]),
    post("triggerBackup", "/databases/{databaseId}/backups", BACKUPS, "Queue a backup on demand")
        .scope_of(S::BackupsTrigger)
        .takes(of::<m::TriggerBackupRequest>)
        .answers(202, of::<m::TriggeredBackup>)
        .fails(&[E::NotFound, E::BackupInProgress, E::DestinationNotReady])
        .note(
            "The answer says that the job is queued, and nothing about the backup: follow it with `getBackup`. Nothing is \
             queued for a destination that is not verified.",
        ),
    get("getBackup", "/backups/{backupJobId}", BACKUPS, "Read a backup job")
        .scope_of(S::DatabasesRead)
        .answers(200, of::<m::Backup>)
        .fails(&[E::NotFound]),
    get("listEvidence", "/evidence", EVIDENCE, "List the evidence of completed backups, newest first")
        .scope_of(S::EvidenceRead)
        .asks(of::<m::EvidenceQuery>)
        .answers(200, of::<m::EvidenceList>)
        .note("A `databaseId` that names no database of this organization gives an empty list."),
    get(
        "getEvidence",
        "/evidence/{backupJobId}",
        EVIDENCE,
        "Read the signed manifest, verification and audit chain of a completed backup",
    )
    .scope_of(S::EvidenceRead)
    .answers(200, of::<m::Evidence>)
    .fails(&[E::NotFound]),
    post("createRestore", "/restores", RESTORES, "Open a restore session and receive its single-use token")
        .scope_of(S::RestoresWrite)
        .takes(of::<m::CreateRestoreRequest>)
        .answers(202, of::<m::RestoreSession>)
        .fails(&[E::NotFound, E::BackupNotRestorable, E::BackupExpired, E::ConfirmationRequired, E::TargetInvalid])
        .note("Nothing is restored by this: the session is carried out by `walwarden restore execute` on the restore machine."),
    get("getRestore", "/restores/{restoreJobId}", RESTORES, "Read a restore job")
        .scope_of(S::RestoresRead)
        .answers(200, of::<m::Restore>)
        .fails(&[E::NotFound]),
    get(
        "getRecoverySummary",
        "/databases/{databaseId}/recovery/summary",
        RECOVERY,
        "Read what could be recovered of a database, and in whose custody it is",
    )
    .scope_of(S::DatabasesRead)
    .answers(200, of::<m::RecoverySummary>)
    .fails(&[E::NotFound]),
    get(
        "getRecoveryCandidate",
        "/databases/{databaseId}/recovery/candidate",
        RECOVERY,
        "Find the backup to restore after an incident",
    )
    .scope_of(S::DatabasesRead)
    .asks(of::<m::RecoveryCandidateQuery>)
    .answers(200, of::<m::RecoveryCandidate>)
    .fails(&[E::NotFound, E::NoRecoveryCandidate])
    .note("The candidate is the newest verified backup whose dump was whole before that time. It is a logical backup: \
           what happened between its snapshot and the incident is lost, and `lossMinutes` says how much."),
    get(
        "getRecoveryWindowProof",
        "/recovery/windows/{windowId}/proof",
        RECOVERY,
        "Read what proves that a recovery window can be recovered",
    )
    .scope_of(S::DatabasesRead)
    .answers(200, of::<m::RecoveryWindowProof>)
    .fails(&[E::NotFound]),
    // Management.
    post("createDatabase", "/databases", MANAGEMENT, "Add a protected database")
        .scope_of(S::DatabasesWrite)
        .takes(of::<m::CreateDatabaseRequest>)
        .answers(201, of::<m::Database>)
        .fails(&[E::NotFound, E::NameTaken, E::SourceCheckFailed])
        .note("The source is looked at first, for ten seconds at most, unless `sourceCheck` is `skip`; what is wrong with it is all in `findings`."),
    patch("updateDatabase", "/databases/{databaseId}", MANAGEMENT, "Change a protected database")
        .scope_of(S::DatabasesWrite)
        .takes(of::<m::UpdateDatabaseRequest>)
        .answers(200, of::<m::Database>)
        .fails(&[E::NotFound, E::NameTaken, E::SourceCheckFailed])
        .note("A new source is looked at as `createDatabase` does."),
    post("checkDatabase", "/databases/{databaseId}/check", MANAGEMENT, "Look at everything that a backup asks of a source")
        .scope_of(S::DatabasesWrite)
        .answers(200, of::<m::SourceCheckReport>)
        .fails(&[E::NotFound])
        .note("Takes ten seconds at most and changes nothing at the source. Look at `result`: a failed check is no failed request."),
    delete("deleteDatabase", "/databases/{databaseId}", MANAGEMENT, "Stop protecting a database")
        .scope_of(S::DatabasesWrite)
        .fails(&[E::NotFound, E::ResourceInUse])
        .note("Its backups stay in the bucket, whatever its retention was, and their records and evidence stay here."),
    post("createDestination", "/destinations", MANAGEMENT, "Add a backup destination")
        .scope_of(S::DestinationsWrite)
        .takes(of::<m::CreateDestinationRequest>)
        .answers(201, of::<m::Destination>)
        .fails(&[E::NameTaken])
        .note("It takes backups once its `state` is verified: a worker runs preflight at once."),
    patch("updateDestination", "/destinations/{destinationId}", MANAGEMENT, "Change a backup destination")
        .scope_of(S::DestinationsWrite)
        .takes(of::<m::UpdateDestinationRequest>)
        .answers(200, of::<m::Destination>)
        .fails(&[E::NotFound, E::NameTaken])
        .note("A change of anything but the name makes it unverified, and a worker runs preflight at once."),
    delete("deleteDestination", "/destinations/{destinationId}", MANAGEMENT, "Remove a backup destination")
        .scope_of(S::DestinationsWrite)
        .fails(&[E::NotFound, E::ResourceInUse])
        .note("Nothing is deleted from the bucket. A destination that a database or a kept backup uses stays."),
    post(
        "preflightDestination",
        "/destinations/{destinationId}/preflight",
        MANAGEMENT,
        "Try out everything that a backup asks of a destination",
    )
    .scope_of(S::DestinationsWrite)
    .answers(200, of::<m::PreflightReport>)
    .fails(&[E::NotFound, E::DestinationNotReady])
    .note(
        "Writes probe objects and deletes them again; where the destination locks, one stays behind, locked for a minute. \
         What is found decides the destination's `state`. Look at `result`: a failed check is no failed request.",
    ),
    post("cancelBackup", "/backups/{backupJobId}/cancel", MANAGEMENT, "Call a backup job off")
        .scope_of(S::BackupsTrigger)
        .answers(200, of::<m::Backup>)
        .fails(&[E::NotFound, E::InvalidTransition])
        .note("A job that was cancelled before is answered as it is."),
    post("dismissBackup", "/backups/{backupJobId}/dismiss", MANAGEMENT, "Take note of a backup job that failed for good")
        .scope_of(S::BackupsTrigger)
        .answers(200, of::<m::Backup>)
        .fails(&[E::NotFound, E::InvalidTransition])
        .note("A job that was dismissed before is answered as it is."),
    get(
        "exportEvidence",
        "/evidence/{backupJobId}/bundle",
        MANAGEMENT,
        "Download the evidence of a completed backup as one archive",
    )
    .scope_of(S::EvidenceExport)
    .asks(of::<m::ExportEvidenceQuery>)
    .archive()
    .fails(&[E::NotFound, E::EvidenceNotSealed, E::EvidenceKeyMismatch, E::SigningFailed])
    .note(
        "The export is an event in the organization's audit chain. The archive holds manifest, audit chain, the chains of restores,          signing key history, a signed checkpoint of the organization's log and the proofs that tie them to it; \
         `walwarden-verify` checks it offline.",
    ),
    get("listAuditStreams", "/audit/streams", MANAGEMENT, "List audit chains")
        .scope_of(S::AuditRead)
        .paged()
        .answers(200, of::<m::AuditStreamList>),
    get("listAuditEvents", "/audit/streams/{streamId}/events", MANAGEMENT, "List the events of an audit chain, oldest first")
        .scope_of(S::AuditRead)
        .paged()
        .answers(200, of::<m::AuditEventList>)
        .fails(&[E::NotFound]),
    get(
        "verifyAuditStream",
        "/audit/streams/{streamId}/verification",
        MANAGEMENT,
        "Check an audit chain from its first event to its newest",
    )
    .scope_of(S::AuditRead)
    .answers(200, of::<m::AuditVerification>)
    .fails(&[E::NotFound])
    .note("Look at `result`: a broken chain is no failed request."),
    get("listCheckpoints", "/audit/checkpoints", MANAGEMENT, "List the signed checkpoints of the log, newest first")
        .scope_of(S::AuditRead)
        .paged()
        .answers(200, of::<m::AuditCheckpointList>)
        .note("A copy that counts stands in the organization's own bucket: compare with what is there, not with what this list says."),
    get(
        "getInclusionProof",
        "/audit/streams/{streamId}/events/{seq}/proof",
        MANAGEMENT,
        "Read what proves that an audit event stands in the log",
    )
    .scope_of(S::AuditRead)
    .asks(of::<m::InclusionQuery>)
    .answers(200, of::<m::InclusionProof>)
    .fails(&[E::NotFound, E::NotLoggedYet])
    .note("Whoever knows the checkpoint can check it without this server."),
    get(
        "getConsistencyProof",
        "/audit/consistency",
        MANAGEMENT,
        "Read what proves that the log of one checkpoint goes on from that of an earlier one",
    )
    .scope_of(S::AuditRead)
    .asks(of::<m::ConsistencyQuery>)
    .answers(200, of::<m::ConsistencyProof>)
    .fails(&[E::NotFound]),
    get(
        "getReconciliation",
        "/inventory/reconciliation",
        MANAGEMENT,
        "Read how schedules, audit chains, manifests and buckets last compared",
    )
    .scope_of(S::AuditRead)
    .answers(200, of::<m::ReconciliationReport>)
    .fails(&[E::NotFound])
    .note("A worker compares them every day. Look at `result`: a finding is no failed request."),
    get("getReadiness", "/readiness", MANAGEMENT, "Read whether the service can do its work now")
        .scope_of(S::ReadinessRead)
        .answers(200, of::<m::Readiness>)
        .note("Look at `result`: a failed check is no failed request."),
    get("getApiKey", "/keys/self", MANAGEMENT, "Read the API key that asks, and the operations it may call")
        .answers(200, of::<m::ApiKeyDescription>),
    // Agents.
    get("listTools", "/mcp/tools", AGENTS, "List the tools that this API key may call")
        .answers(200, of::<m::ToolCatalog>)
        .note("A plain JSON catalog; there is no MCP transport. Call a tool by calling its operation."),
    // The restore machine.
    post("triggerRestore", "/restores/{restoreJobId}/trigger", SESSIONS, "Use the restore token, once")
        .restore_token()
        .takes(of::<m::TriggerRestoreRequest>)
        .answers(200, of::<m::Restore>)
        .fails(TRIGGER_ERRORS),
    post("claimRestore", "/restores/{restoreJobId}/claim", SESSIONS, "Take the job: manifest, public key and presigned URL")
        .restore_token()
        .answers(200, of::<m::RestoreClaim>)
        .fails(PRESIGN_ERRORS),
    post("refreshArtifactUrl", "/restores/{restoreJobId}/artifact-url", SESSIONS, "Presign the artifact's URL again")
        .restore_token()
        .answers(200, of::<m::ArtifactUrl>)
        .fails(PRESIGN_ERRORS),
    post(
        "reportRestore",
        "/restores/{restoreJobId}/states",
        SESSIONS,
        "Report a state that the restore machine has reached, or that it is still there",
    )
    .restore_token()
    .takes(of::<m::RestoreReport>)
    .answers(200, of::<m::Restore>)
    .fails(TOKEN_ERRORS),
];
