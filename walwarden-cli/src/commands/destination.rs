//! `walwarden destination`.

pub(super) mod get;
pub(super) mod list;

use walwarden_contract::model::Destination;

/// How artifacts are locked, for a person.
fn lock(destination: &Destination) -> String {
    match destination.retention_floor_days {
        0 => destination.lock_mode.word(),
        days => format!("{}, {days} days", destination.lock_mode),
    }
}
