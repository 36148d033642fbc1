//! The closed catalog: each code with its HTTP status, exit code, who can mend it, meaning and next action.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fixer;
use crate::exit::ExitStatus;

macro_rules! error_codes {
    ($($variant:ident = $code:literal, $status:literal, $exit:ident, $fixer:ident, $meaning:literal, $next:literal;)*) => {
        /// A stable code for one way in which something can fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl ErrorCode {
            /// Every code, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it stands in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status of a response with this code.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// The exit code of a command that ends with this error.
            #[must_use]
            pub const fn exit(self) -> ExitStatus {
                match self { $(Self::$variant => ExitStatus::$exit),* }
            }

            /// Who can mend it.
            #[must_use]
            pub const fn fixable_by(self) -> Fixer {
                match self { $(Self::$variant => Fixer::$fixer),* }
            }

            /// What happened, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }

            /// What to do next.
            #[must_use]
            pub const fn next_action(self) -> &'static str {
                match self { $(Self::$variant => $next),* }
            }
        }
    };
}

error_codes! {
    // What a request or a command line can get wrong.
    UsageError = "usage_error", 400, UserError, Caller, "The command line is not valid.", "Run the command with --help and correct the arguments.";
    ConfigInvalid = "config_invalid", 400, UserError, Operator, "The configuration is missing or not valid.", "Correct the setting that the message names.";
    InvalidRequest = "invalid_request", 400, UserError, Caller, "The request is malformed or a value is out of bounds.", "Correct the field that the message names and send the request again.";
    IdempotencyKeyRequired = "idempotency_key_required", 400, UserError, Caller, "The Idempotency-Key header is missing or not valid.", "Send an Idempotency-Key header of 1 to 255 visible ASCII characters, without spaces.";
    Unauthorized = "unauthorized", 401, UserError, KeyIssuer, "The API key is missing, unknown, expired or revoked.", "Send a valid API key as a bearer token, or issue a new one with `walwarden-api admin key issue`.";
    Forbidden = "forbidden", 403, UserError, KeyIssuer, "The API key lacks the scope that this operation requires.", "Issue a key with the scope named in requiredScope.";
    NotFound = "not_found", 404, UserError, Caller, "There is no such record or path for this API key.", "Check the identifier; list what exists first.";
    NoRecoveryCandidate = "no_recovery_candidate", 404, UserError, Caller, "No verified backup ended before that time.", "Choose a later time, or read the recovery summary to see what is covered.";
    MethodNotAllowed = "method_not_allowed", 405, UserError, Caller, "The path exists, the method does not.", "Use a method that the API reference lists for this path.";
    IdempotencyConflict = "idempotency_conflict", 409, UserError, Caller, "The Idempotency-Key was used before with another request.", "Use a new Idempotency-Key for a new request.";
    NameTaken = "name_taken", 409, UserError, Caller, "Another record of this kind already has that name.", "Choose another name, or change the record that has it.";
    ResourceInUse = "resource_in_use", 409, UserError, Caller, "Something still depends on this record.", "Remove or end what depends on it first; the message says what.";
    BackupInProgress = "backup_in_progress", 409, Retryable, Nobody, "A backup of this database is already queued or running.", "Wait for the running backup to end, then trigger again.";
    DestinationNotReady = "destination_not_ready", 412, UserError, BucketOwner, "The backup destination cannot take backups.", "Check the destination with `walwarden-api admin destination preflight`.";
    BackupNotRestorable = "backup_not_restorable", 412, UserError, Caller, "The backup is not completed, so there is nothing proven to restore.", "Choose a backup whose state is completed.";
    EvidenceNotSealed = "evidence_not_sealed", 409, Retryable, Operator, "The newest events are not in a signed checkpoint yet; nothing was exported.", "Wait a few seconds and ask again; if it stays, see whether a working process runs and what its log says about checkpoints.";
    EvidenceKeyMismatch = "evidence_key_mismatch", 409, UserError, Operator, "The checkpoint that the evidence is to be as of was signed by another key than this process signs with; nothing was exported.", "Ask for a later checkpoint; if there is none, restart the processes that still sign with the former key.";
    BackupExpired = "backup_expired", 410, UserError, Caller, "The backup was deleted from the bucket, because its database keeps backups no longer.", "Choose a newer backup: list the evidence of the database.";
    NotLoggedYet = "not_logged_yet", 409, Retryable, Nobody, "The event is not in a signed checkpoint of the log yet.", "Wait a few seconds, then ask again: what ends a job is in a checkpoint at once, anything else within a day.";
    PayloadTooLarge = "payload_too_large", 413, UserError, Caller, "The request body is larger than the API accepts.", "Send a smaller body.";
    UnsupportedMediaType = "unsupported_media_type", 415, UserError, Caller, "The request body is not application/json.", "Send JSON with Content-Type: application/json.";
    UnprocessableRequest = "unprocessable_request", 422, UserError, Caller, "The request is well-formed JSON that does not fit the schema.", "Correct the field that the message names.";
    SourceCheckFailed = "source_check_failed", 422, UserError, DatabaseOwner, "The source was looked at and cannot be backed up as it is; nothing was stored.", "Mend what the findings name, each with its own remedy, then send the request again.";
    HumanConfirmationRequired = "human_confirmation_required", 428, UserError, Human, "This operation needs the consent of a person before an agent may run it.", "Show the challenge to a person; once they agree, repeat the request with it in the Walwarden-Confirmation header.";
    RateLimited = "rate_limited", 429, Retryable, Nobody, "Too many requests.", "Wait for the time in Retry-After, then send the request again.";
    HeadersTooLarge = "headers_too_large", 431, UserError, Caller, "The request's headers are larger than the API accepts.", "Send fewer or shorter headers.";
    InternalError = "internal_error", 500, Retryable, Walwarden, "The server failed in a way it did not foresee.", "Try again; if it stays, look the request id up in the server log.";
    CapabilityNotAvailable = "capability_not_available", 501, UserError, Caller, "The capability is planned, not built.", "Use a capability whose status is available.";
    ServiceUnavailable = "service_unavailable", 503, Retryable, Operator, "The server is starting, stopping or cannot reach its store.", "Try again in a few seconds.";

    // Restore tokens and sessions.
    TokenInvalid = "token_invalid", 401, UserError, Caller, "The restore token is malformed, forged or for another restore job.", "Open a new restore session and use its token unchanged.";
    TokenExpired = "token_expired", 401, UserError, Caller, "The restore token is older than one hour.", "Open a new restore session.";
    TokenUsed = "token_used", 409, UserError, Caller, "The restore token was used before; a token starts one restore.", "Open a new restore session.";
    RestoreModeMismatch = "restore_mode_mismatch", 409, UserError, Caller, "The mode given is not the one that the restore token names.", "Use the mode of the restore session, or open a session for the other mode.";
    ManifestHashMismatch = "manifest_hash_mismatch", 409, UserError, Caller, "The manifest hash given is not the one that the restore token names.", "Copy the manifest hash and the token from the same restore session.";
    InvalidTransition = "invalid_transition", 409, Terminal, Caller, "The job is in a state that does not allow this step.", "Read the job's state; open a new one if it has ended.";
    RestoreTimedOut = "restore_timed_out", 409, Retryable, Caller, "The restore machine fell silent and the job was sealed.", "Open a new restore session and restore again.";

    // Backups: the source.
    SourceUnreachable = "source_unreachable", 502, Retryable, Operator, "The source database cannot be reached.", "Check that the host and port answer from the worker.";
    SourceAuthFailed = "source_auth_failed", 502, Terminal, DatabaseOwner, "The source database refused the user or the password.", "Update the source DSN with `walwarden-api admin database update`.";
    SourcePermissionDenied = "source_permission_denied", 502, Terminal, DatabaseOwner, "The source role may not read everything that a backup needs.", "Grant the role SELECT on all tables, and BYPASSRLS where row-level security is on.";
    SourceTlsFailed = "source_tls_failed", 502, Terminal, DatabaseOwner, "The source server and this machine could not agree on TLS, or its certificate is not trusted.", "Correct sslmode and sslrootcert in the source DSN, or the server's certificate; the message says which.";
    SourceDatabaseMissing = "source_database_missing", 502, Terminal, DatabaseOwner, "The source database does not exist on the server.", "Update the source DSN with `walwarden-api admin database update`.";
    SourceVersionUnsupported = "source_version_unsupported", 502, Terminal, Operator, "pg_dump is older than the source server.", "Install a pg_dump of the server's major version or newer on the worker.";
    SourcePooled = "source_pooled", 502, Terminal, DatabaseOwner, "The source is reached through a transaction pooler, through which pg_dump cannot work.", "Update the source DSN to name the server itself with `walwarden-api admin database update`.";
    SourceConnectionLost = "source_connection_lost", 502, Retryable, DatabaseOwner, "The source server ended the connection during the dump.", "Check the source server's log; the next attempt starts afresh.";
    SourceLockTimeout = "source_lock_timeout", 502, Retryable, DatabaseOwner, "A table stayed locked for longer than pg_dump waits.", "Back up when no schema change is running.";
    SourceChanged = "source_changed", 502, Retryable, Nobody, "Tables were dropped or changed while the dump began, or a standby had to apply such a change.", "Nothing to do: the next attempt starts afresh. Back up when no schema change is running, or from the primary.";
    SourceDiskFull = "source_disk_full", 502, Retryable, DatabaseOwner, "The source server has no disk space left.", "Free disk space on the source server; the next attempt starts afresh.";
    SourceDataCorrupted = "source_data_corrupted", 502, Terminal, DatabaseOwner, "The source server cannot read part of its own data.", "Check the server's disk and log at once, and keep every earlier backup: what cannot be read cannot be backed up.";
    DumpFailed = "dump_failed", 500, Terminal, DatabaseOwner, "pg_dump ended with an error.", "Read pg_dump's message in the job's error.";
    DumpKilled = "dump_killed", 500, Retryable, Operator, "pg_dump was ended by a signal.", "Check the worker for memory pressure; the next attempt starts afresh.";
    ArchiveIncomplete = "archive_incomplete", 500, Terminal, Walwarden, "pg_dump ended well, yet its archive is not whole.", "Report this with pg_dump's version; nothing was kept.";
    ToolMissing = "tool_missing", 500, UserError, Operator, "A Postgres client tool is not installed.", "Install the Postgres client tools (Debian: postgresql-client) and put them on PATH.";
    ToolVersionUnsupported = "tool_version_unsupported", 500, UserError, Operator, "A Postgres client tool is too old for this archive or server.", "Install client tools of the source server's major version or newer.";
    WorkerDiskFull = "worker_disk_full", 500, Retryable, Operator, "The worker has no disk space left for its own small files.", "Free disk space on the worker; the next attempt starts afresh.";
    SigningFailed = "signing_failed", 503, Retryable, Operator, "The manifest could not be signed: the token that holds the signing key does not answer, or the key may sign no more.", "Do what the message names; the next attempt signs the same dump, which stays in the bucket.";
    WorkerLost = "worker_lost", 500, Retryable, Operator, "The worker that held the job stopped answering.", "Nothing to do: another worker takes the job over.";

    // Backups: the destination.
    DestinationUnreachable = "destination_unreachable", 502, Retryable, BucketOwner, "The bucket's endpoint cannot be reached.", "Check the endpoint and the network from the worker.";
    DestinationBucketMissing = "destination_bucket_missing", 502, Terminal, BucketOwner, "The bucket does not exist.", "Create the bucket, or correct the destination's bucket name.";
    DestinationAccessDenied = "destination_access_denied", 502, Terminal, BucketOwner, "The bucket refused the destination's credentials.", "Update the destination's credentials, or its policy.";
    DestinationThrottled = "destination_throttled", 502, Retryable, Nobody, "The bucket asked for fewer requests.", "Nothing to do: the upload is tried again.";
    DestinationFull = "destination_full", 502, Retryable, BucketOwner, "The bucket's storage or quota is used up.", "Free storage or raise the quota; the next attempt starts afresh.";
    ClockSkewed = "clock_skewed", 502, Retryable, Operator, "The bucket refuses requests because this machine's clock differs from its own.", "Set the clock of the worker, for example with an NTP service; the next attempt starts afresh.";
    DestinationLockRefused = "destination_lock_refused", 502, Terminal, BucketOwner, "The bucket refused to lock the object, or the lock read back differs.", "Enable Object Lock on the bucket, or set the destination's lock mode to none.";
    DestinationEncryptionRefused = "destination_encryption_refused", 502, Terminal, BucketOwner, "The bucket refused to encrypt the object as the destination asks, or what was read back differs.", "Run the destination's preflight, which says what the bucket does; then set the bucket up for it, or change the destination's encryption with `walwarden-api admin destination update`.";
    DestinationKeyUnusable = "destination_key_unusable", 502, Terminal, BucketOwner, "The KMS key of the destination cannot be used: it is missing, disabled, or refused to the destination's credentials.", "Run the destination's preflight, which names the permission or the command that is missing.";
    ObjectLocked = "object_locked", 502, Retryable, Nobody, "A lock still holds an object that was to be deleted.", "Nothing to do: the deletion is tried again after the lock has ended.";
    UploadFailed = "upload_failed", 502, Retryable, Nobody, "The upload to the bucket failed.", "Nothing to do: the next attempt starts afresh.";
    ArtifactKeyOccupied = "artifact_key_occupied", 500, Terminal, BucketOwner, "Another object already stands under the artifact's key.", "Find out what wrote it; Walwarden never overwrites an object.";
    ArtifactMismatch = "artifact_mismatch", 500, Terminal, BucketOwner, "What the bucket returns differs from what was sent.", "Do not rely on this backup; check the storage provider.";
    ArtifactMissing = "artifact_missing", 500, Terminal, BucketOwner, "An object of a completed backup is not in its destination's bucket.", "Point the destination at the bucket that holds the backup, or find out who deleted the object; nothing of the backup is deleted until both objects are found.";
    InventoryMismatch = "inventory_mismatch", 500, Terminal, BucketOwner, "What the bucket holds, the audit chains and the records do not agree.", "Do not rely on the backups that the findings name; do what each finding says.";
    ArtifactTooLarge = "artifact_too_large", 500, Terminal, Operator, "The database is too large for the worker's memory budget.", "Raise --part-memory-mib on the worker.";

    // Restores.
    ConfirmationRequired = "confirmation_required", 400, UserError, Caller, "An in-place restore replaces what the target holds of the backup's objects, and was not confirmed.", "Check the target, then confirm it: --confirm-destructive on the command line, confirmDestructive in a request.";
    PlanChanged = "plan_changed", 409, UserError, Caller, "What the plan pinned is not what the restore would do now.", "Make the plan again with --dry-run, read what has changed, and pass its digest to --plan.";
    TargetInvalid = "target_invalid", 400, UserError, Caller, "The target connection string is not valid for this mode.", "Correct the target (--target, or targetRedactedDsn in a request): a maintenance database for new_database, the database itself for in_place.";
    TargetUnreachable = "target_unreachable", 502, UserError, DatabaseOwner, "The target server cannot be reached.", "Check host, port and network from this machine.";
    TargetAuthFailed = "target_auth_failed", 502, UserError, DatabaseOwner, "The target server refused the user or the password.", "Check the user in --target and PGPASSWORD.";
    TargetPermissionDenied = "target_permission_denied", 502, UserError, DatabaseOwner, "The target role may not do what the restore needs.", "Use a role that may create databases and objects on the target.";
    TargetDatabaseExists = "target_database_exists", 409, UserError, Caller, "The database to be created already exists on the target.", "Choose another name with --created-database, or restore with --mode in_place.";
    TargetDatabaseMissing = "target_database_missing", 404, UserError, Caller, "The target database does not exist.", "Create it, or restore with --mode new_database.";
    InsufficientDiskSpace = "insufficient_disk_space", 507, UserError, Caller, "There is not enough disk space for the artifact.", "Free space, or point --work-dir at a larger disk.";
    DownloadFailed = "download_failed", 502, Retryable, Caller, "The artifact could not be downloaded.", "Open a new restore session and restore again.";
    ArtifactChecksumMismatch = "artifact_checksum_mismatch", 500, Terminal, BucketOwner, "The downloaded artifact is not the one that the manifest commits to.", "Do not use this artifact; restore from another backup and check the bucket.";
    ManifestSignatureInvalid = "manifest_signature_invalid", 500, Terminal, Caller, "The manifest is not signed by the expected key.", "Do not use this artifact; check who can write to the bucket and which key you trust.";
    ManifestInvalid = "manifest_invalid", 500, Terminal, Caller, "The manifest cannot be read, or is not the one that was asked for.", "Do not use this artifact; restore from another backup.";
    RestoreFailed = "restore_failed", 500, Terminal, Caller, "pg_restore ended with errors that are not known to be harmless.", "Read pg_restore's messages; the target may hold part of the data.";
    RestoreUnreported = "restore_unreported", 500, Terminal, Caller, "The data is restored; only the report of it did not reach the API.", "Do not restore again: look at the data, then at `restore status`.";

    // The command line's own ends.
    NetworkError = "network_error", 503, Retryable, Caller, "The Walwarden API cannot be reached.", "Check the API URL and the network, then run the command again.";
    Timeout = "timeout", 504, Retryable, Caller, "The time allowed for this ran out.", "Run the command again, or allow more time with --timeout-ms.";
    UnexpectedResponse = "unexpected_response", 502, Terminal, Caller, "The API answered with something this client does not understand.", "Check that --api-url points at a Walwarden API of a compatible version.";
    Cancelled = "cancelled", 499, Cancelled, Caller, "The work was cancelled.", "Start again when ready.";
}
