//! What an error permits: which claims it forbids, and which commands are safe to run after it.

use super::ErrorCode;
use crate::exit::ExitStatus;

/// Where in the work a code arises, which decides what may be said after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The request, or this command line, was refused before anything was done.
    Refused,
    /// It is not known whether the request was carried out.
    Unknown,
    /// A backup job.
    Backup,
    /// What keeps this machine from starting.
    Machine,
    /// A restore before it touched its target.
    BeforeTarget,
    /// The proof of an artifact failed.
    Proof,
    /// A restore that may have touched its target.
    Target,
    /// A restore that is done, and whose end the API does not know.
    Unreported,
    /// A signal.
    Stopped,
}

const fn phase(code: ErrorCode) -> Phase {
    use ErrorCode as E;
    match code {
        E::NetworkError | E::Timeout | E::ServiceUnavailable | E::InternalError | E::UnexpectedResponse => {
            Phase::Unknown
        }
        E::Cancelled => Phase::Stopped,
        E::SourceUnreachable
        | E::SourceAuthFailed
        | E::SourcePermissionDenied
        | E::SourceTlsFailed
        | E::SourceDatabaseMissing
        | E::SourceVersionUnsupported
        | E::SourcePooled
        | E::SourceConnectionLost
        | E::SourceChanged
        | E::SourceLockTimeout
        | E::SourceDiskFull
        | E::SourceDataCorrupted
        | E::DumpFailed
        | E::DumpKilled
        | E::WorkerDiskFull
        | E::SigningFailed
        | E::WorkerLost
        | E::DestinationUnreachable
        | E::DestinationBucketMissing
        | E::DestinationAccessDenied
        | E::DestinationThrottled
        | E::DestinationFull
        | E::ClockSkewed
        | E::DestinationLockRefused
        | E::DestinationEncryptionRefused
        | E::DestinationKeyUnusable
        | E::UploadFailed
        | E::ArtifactKeyOccupied
        | E::ArtifactTooLarge => Phase::Backup,
        E::ToolMissing | E::ToolVersionUnsupported | E::InsufficientDiskSpace | E::ConfigInvalid => Phase::Machine,
        E::ArtifactMismatch
        | E::ArtifactMissing
        | E::ArchiveIncomplete
        | E::ArtifactChecksumMismatch
        | E::InventoryMismatch
        | E::ManifestSignatureInvalid
        | E::ManifestInvalid => Phase::Proof,
        E::DownloadFailed
        | E::TargetUnreachable
        | E::TargetAuthFailed
        | E::TargetPermissionDenied
        | E::TargetDatabaseMissing
        | E::TargetDatabaseExists => Phase::BeforeTarget,
        E::RestoreFailed | E::RestoreTimedOut | E::InvalidTransition => Phase::Target,
        E::RestoreUnreported => Phase::Unreported,
        _ => Phase::Refused,
    }
}

impl ErrorCode {
    /// What must not be claimed after it.
    #[must_use]
    pub const fn do_not_claim(self) -> &'static [&'static str] {
        match phase(self) {
            Phase::Refused => &["Do not claim that what was asked was done, nor that anything was changed."],
            Phase::Unknown => &[
                "Do not claim that nothing happened: the request may have been carried out.",
                "Do not claim that a backup or a restore failed, or succeeded, before its status was read.",
            ],
            Phase::Backup => &[
                "Do not claim that this job made a backup.",
                "Do not claim that earlier backups are affected: their evidence says what they are.",
            ],
            Phase::Machine => &["Do not claim that the backup is at fault: this machine was not ready."],
            Phase::BeforeTarget => &[
                "Do not claim that anything was restored.",
                "Do not claim that the backup cannot be restored: it was not tried.",
            ],
            Phase::Proof => &[
                "Do not claim that this backup can be restored.",
                "Do not claim that the bucket is intact: what it holds is not what was signed.",
            ],
            Phase::Target => &[
                "Do not claim that the restore succeeded, whatever the target holds.",
                "Do not claim that the target is untouched: it may hold part of the data.",
            ],
            Phase::Unreported => &[
                "Do not claim that the restore failed: the data is in the target.",
                "Do not claim that its job shows as completed before its status was read.",
            ],
            Phase::Stopped => {
                &["Do not claim that what was begun was undone: a job may go on, a target may hold part."]
            }
        }
    }

    /// Commands that change nothing and say more, as argument vectors without the program's name.
    #[must_use]
    pub const fn safe_commands(self) -> &'static [&'static [&'static str]] {
        use ErrorCode as E;
        match (self, phase(self)) {
            (E::UsageError, _) => &[&["--help"]],
            (E::CapabilityNotAvailable, _) => &[&["capabilities", "list"]],
            (E::NotFound, _) => &[&["database", "list"], &["destination", "list"]],
            (E::Unauthorized | E::Forbidden | E::ConfigInvalid, _) | (_, Phase::Unknown | Phase::Stopped) => {
                &[&["verify-environment"]]
            }
            (_, Phase::Machine) => &[&["verify-environment", "--loop", "restore"]],
            (_, Phase::Backup) => &[&["database", "list"]],
            (_, Phase::Proof) => &[&["evidence", "list"]],
            _ => &[],
        }
    }

    /// Whether, and how, what failed may be tried again.
    #[must_use]
    pub const fn retry_advice(self) -> &'static str {
        match (self.exit(), phase(self)) {
            (ExitStatus::Retryable, Phase::Unknown) => {
                "Run the same command again; one that starts a backup, with the --idempotency-key that `next` showed."
            }
            (ExitStatus::Retryable, Phase::Target | Phase::BeforeTarget | Phase::Proof) => {
                "Open a new restore session and restore again: a token works once."
            }
            (ExitStatus::Retryable, _) => "Wait, then run the same command again.",
            (_, Phase::Unreported) => "Do not restore again: the data is in the target, and would be overwritten.",
            (ExitStatus::Cancelled, _) => "Look at what was begun first, then start again.",
            (ExitStatus::Terminal, _) => "Do not try again before the cause is found: the result would be the same.",
            _ => "Do not try again unchanged: correct what the message names first.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;

    #[test]
    fn every_code_forbids_a_claim_and_advises_only_commands_that_change_nothing() {
        for code in ErrorCode::ALL {
            assert!(code.do_not_claim().iter().all(|claim| claim.starts_with("Do not claim ")), "{code}");
            for words in code.safe_commands() {
                let kind =
                    words.iter().take_while(|word| !word.starts_with('-')).copied().collect::<Vec<_>>().join(".");
                let known = kind.is_empty() || COMMANDS.iter().any(|command| command.kind == kind);
                assert!(known && !kind.contains("trigger") && !kind.starts_with("restore"), "{code}: {words:?}");
            }
        }
    }

    #[test]
    fn a_failure_whose_outcome_is_unknown_is_never_called_nothing() {
        for code in [ErrorCode::NetworkError, ErrorCode::Timeout, ErrorCode::InternalError] {
            assert!(code.do_not_claim()[0].contains("nothing happened"));
        }
        assert!(ErrorCode::RestoreFailed.do_not_claim()[1].contains("untouched"));
    }
}
