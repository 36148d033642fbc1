//! Whether the destination's role can be assumed as it should be, and in no other way.

use walwarden_contract::Timestamp;
use walwarden_contract::model::PreflightCheckId as Check;

use super::report::Notes;
use crate::engine::storage::{Bucket, StorageError, StorageErrorKind};

/// Assumes the role under the external id, and tries to without it. Answers whether there is a session to go on with.
pub(super) async fn is_assumed(bucket: &Bucket, notes: &mut Notes) -> bool {
    let until = match bucket.assume_role().await {
        Ok(until) => until,
        Err(error) => {
            notes.failed(Check::AssumeRole, &error);
            return false;
        }
    };
    let until = until.and_then(|until| jiff::Timestamp::try_from(until).ok()).map(Timestamp::from);
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    match bucket.is_assumed_without_external_id().await {
        Ok(false) => {
            notes.passed(Check::AssumeRole, format!("assumed the role{until}; without the external id it was refused"));
        }
        Ok(true) => notes.failed(
            Check::AssumeRole,
            &StorageError {
                kind: StorageErrorKind::Unsupported,
                message: "the role's trust policy is too open: it can be assumed without the external id".to_owned(),
            },
        ),
        Err(error) => notes.failed(Check::AssumeRole, &error),
    }
    true
}
