//! What the examples agree on: identifiers, times, hashes.

use uuid::Uuid;

use crate::id::{ApiKeyId, BackupJobId, DatabaseId, DestinationId, OrgId, RestoreJobId};
use crate::time::Timestamp;

const UUID: u128 = 0x0192_8c3e_5f7a_7c3e_8d2b_4a6f_90c1_e2d3;

pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");
/// What a pipeline that backs up before a migration is granted.
pub(super) const KEY_NAME: &str = "migrations";

pub(super) const fn org() -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(UUID))
}

pub(super) const fn key() -> ApiKeyId {
    ApiKeyId::from_uuid(Uuid::from_u128(UUID))
}

pub(super) const fn database() -> DatabaseId {
    DatabaseId::from_uuid(Uuid::from_u128(UUID))
}

pub(super) const fn destination() -> DestinationId {
    DestinationId::from_uuid(Uuid::from_u128(UUID))
}

pub(super) const fn backup() -> BackupJobId {
    BackupJobId::from_uuid(Uuid::from_u128(UUID))
}

/// A backup after [`backup`].
pub(super) const fn later_backup() -> BackupJobId {
    BackupJobId::from_uuid(Uuid::from_u128(UUID + 1))
}

pub(super) const fn restore() -> RestoreJobId {
    RestoreJobId::from_uuid(Uuid::from_u128(UUID))
}

/// This many seconds after 2026-01-31T02:00:00Z, when the backup of the examples was queued.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_769_824_800_000 + seconds * 1000).expect("in range")
}

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
