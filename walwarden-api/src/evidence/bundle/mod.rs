//! Evidence bundles, made from the store as of a checkpoint: what is asked for as of the same checkpoint again is the same bytes.

mod as_of;
mod backup;
mod leaves;
mod period;

use walwarden_contract::bundle::{MAX_HELD_BYTES, PackError};
use walwarden_contract::{BackupJobId, ErrorCode};

use crate::secrets::SignError;
use crate::store::StoreError;

pub use self::backup::{BackupBundle, backup};
pub use self::leaves::Leaves;
pub use self::period::{PeriodBundle, period};

/// More backups than an export of them is made for.
pub const MAX_BACKUPS: usize = 2_000;
/// How many restores of a backup a bundle shows, the newest.
const MAX_RESTORES: u32 = 100;

/// As of which checkpoint, and held against which others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// The size of the checkpoint that the bundle is as of; the newest when absent.
    pub checkpoint: Option<u64>,
    /// The size of a checkpoint that somebody kept: the bundle proves that its log begins with that one.
    pub remembered: Option<u64>,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The backup is not completed.
    #[error("There is no evidence of a backup that is not completed.")]
    NotCompleted,
    /// What was recorded does not hold.
    #[error("The evidence of {0} does not hold, so that nothing was exported: {1}.")]
    Broken(String, String),
    /// The log is behind.
    #[error(
        "The newest events of {0} are not in a signed checkpoint yet; a working process signs one within seconds. Nothing was exported."
    )]
    NotLogged(String),
    /// There is no such checkpoint.
    #[error("There is no checkpoint of {0} events. Nothing was exported; GET /audit/checkpoints lists them.")]
    NoCheckpoint(u64),
    /// The checkpoint is older than what is asked for.
    #[error("The checkpoint of {0} events was signed before {1} was completed. Nothing was exported.")]
    TooEarly(u64, BackupJobId),
    /// The log is smaller than the one that is remembered.
    #[error(
        "The log as of {0} events does not begin with one of {1}. Nothing was exported. If you hold a checkpoint of {1} events and \
         asked for the newest, then this installation's log was rolled back: see the audit anomalies."
    )]
    Shorter(u64, u64),
    /// Another key signed the checkpoint.
    #[error(
        "The checkpoint of {size} events was signed by {signed}, and this process signs with {own}: a bundle is signed by the key of \
         its checkpoint. Ask for a later checkpoint; if there is none, restart the processes that still sign with the former key. \
         Nothing was exported."
    )]
    OtherKey {
        /// The checkpoint.
        size: u64,
        /// Who signed it.
        signed: String,
        /// Who signs here.
        own: String,
    },
    /// The key of this process was handed over to another.
    #[error(
        "This process signs with {own}, and {current} has taken over from it: restart the process, so that it signs with the current \
         key. Nothing was exported."
    )]
    FormerKey {
        /// Who signs here.
        own: String,
        /// Who should.
        current: String,
    },
    /// There is more than a bundle holds.
    #[error("That is more than one export holds ({0}). Nothing was exported; of a period, ask for a shorter one.")]
    TooLarge(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing key.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A document without a form.
    #[error("A document has no JSON form: {0}")]
    Form(#[from] serde_json::Error),
}

impl BundleError {
    /// What it is to a caller; `None` where it is the store's or the server's own matter.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::NotCompleted | Self::NoCheckpoint(_) => Some(ErrorCode::NotFound),
            Self::NotLogged(_) => Some(ErrorCode::EvidenceNotSealed),
            Self::TooEarly(..) | Self::Shorter(..) | Self::TooLarge(_) => Some(ErrorCode::InvalidRequest),
            Self::OtherKey { .. } | Self::FormerKey { .. } => Some(ErrorCode::EvidenceKeyMismatch),
            Self::Sign(_) => Some(ErrorCode::SigningFailed),
            Self::Broken(..) => Some(ErrorCode::InventoryMismatch),
            Self::Store(_) | Self::Form(_) => None,
        }
    }

    fn packing(what: &BackupJobId, error: PackError) -> Self {
        match error {
            PackError::Form(error) => Self::Form(error),
            error => Self::Broken(what.to_string(), error.to_string()),
        }
    }

    fn too_large(bytes: u64) -> Option<Self> {
        let mebibytes = MAX_HELD_BYTES >> 20;
        (bytes > MAX_HELD_BYTES).then(|| Self::TooLarge(format!("{bytes} bytes of documents, at most {mebibytes} MiB")))
    }
}
