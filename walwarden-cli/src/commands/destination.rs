//! `walwarden destination`.

pub(super) mod get;
pub(super) mod list;

use walwarden_contract::model::{Destination, LockMode};

/// How artifacts are locked, for a person.
fn lock(destination: &Destination) -> String {
    match (destination.lock_mode.known(), destination.retention_floor_days) {
        (Some(LockMode::None), _) => "none".to_owned(),
        (_, 1) => format!("{}, 1 day", destination.lock_mode),
        (_, days) => format!("{}, {days} days", destination.lock_mode),
    }
}
