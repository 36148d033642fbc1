//! Whether the destination's role can be assumed as it should be, and in no other way.

use walwarden_contract::Timestamp;
use walwarden_contract::model::PreflightCheckId as Check;

use super::report::Notes;
use crate::engine::storage::{Bucket, StorageError, StorageErrorKind};
use crate::system::System;

/// Assumes the role under the external id, and tries to without it and under another. Answers whether there is a session to go on
/// with.
pub(super) async fn is_assumed(bucket: &Bucket, system: &System, notes: &mut Notes) -> bool {
    let until = match bucket.assume_role().await {
        Ok(until) => until,
        Err(error) => {
            notes.failed(Check::AssumeRole, &error);
            return false;
        }
    };
    let until = until.and_then(|until| jiff::Timestamp::try_from(until).ok()).map(Timestamp::from);
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    let another = format!("wal-{}", hex::encode(system.random::<16>()));
    match bucket.is_assumed_by_strangers(another).await {
        Ok(None) => {
            let refused = "without the external id, and under another, it was refused";
            notes.passed(Check::AssumeRole, format!("assumed the role{until}; {refused}"));
        }
        Ok(Some(how)) => notes.failed(
            Check::AssumeRole,
            &StorageError {
                kind: StorageErrorKind::Unsupported,
                message: format!("the role's trust policy is too open: it can be assumed {how}"),
            },
        ),
        Err(error) => notes.failed(Check::AssumeRole, &error),
    }
    true
}
