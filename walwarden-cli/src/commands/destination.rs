//! `walwarden destination`.

pub(super) mod get;
pub(super) mod list;

use walwarden_contract::model::{Destination, LockMode};

use crate::output::view::Cell;

/// How artifacts are locked, for a person.
fn lock(destination: &Destination) -> String {
    match (destination.lock_mode.known(), destination.retention_floor_days) {
        (Some(LockMode::None), _) => "none".to_owned(),
        (_, 1) => format!("{}, 1 day", destination.lock_mode),
        (_, days) => format!("{}, {days} days", destination.lock_mode),
    }
}

/// What the bucket is asked to encrypt artifacts with, for a person.
fn encryption(destination: &Destination) -> Cell {
    let method = Cell::word(&destination.encryption);
    match &destination.kms_key_id {
        Some(key) => method.and(&format!(", key {key}")),
        None => method,
    }
}
