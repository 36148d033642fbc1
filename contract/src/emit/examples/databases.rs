//! Protected databases.

use super::facts::{DAY, MINUTE, at, backup, database as id, destination};
use crate::model::{CreateDatabaseRequest, Database, DatabaseList, Freshness, UpdateDatabaseRequest};
use crate::secret::Secret;

pub(super) fn create_request() -> CreateDatabaseRequest {
    CreateDatabaseRequest {
        name: "shop".to_owned(),
        destination_id: destination(),
        source_dsn: Secret::new("postgresql://walwarden:change-me@db.internal:5432/shop"),
        source_check: None,
        schedule: Some("0 2 * * *".to_owned()),
        codec: Some("auto".to_owned()),
        retention_days: Some(30),
    }
}

pub(super) fn update_request() -> UpdateDatabaseRequest {
    UpdateDatabaseRequest { schedule: Some("30 */6 * * *".to_owned()), ..UpdateDatabaseRequest::default() }
}

pub(super) fn database() -> Database {
    Database {
        id: id(),
        name: "shop".to_owned(),
        database_name: "shop".to_owned(),
        source_redacted_dsn: "postgresql://db.internal:5432/shop".to_owned(),
        destination_id: destination(),
        schedule: Some("0 2 * * *".to_owned()),
        next_run_at: Some(at(DAY)),
        codec: "auto".to_owned(),
        retention_days: Some(30),
        last_backup_job_id: Some(backup()),
        last_backup_started_at: Some(at(2)),
        rpo_minutes: Some(15),
        freshness: Freshness::Fresh.into(),
        stale_at: Some(at(DAY + 144 * MINUTE)),
        source_check: Some(super::source_checks::passed().summary()),
        created_at: at(-30 * DAY + 17 * MINUTE),
    }
}

pub(super) fn list() -> DatabaseList {
    DatabaseList { databases: vec![database()], next_cursor: None }
}
