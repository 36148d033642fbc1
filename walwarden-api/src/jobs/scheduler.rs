//! Turns due schedules into queued backups: one missed run is made up for, never a storm of them.

use walwarden_contract::model::BackupTrigger;

use super::{backups, schedule};
use crate::store::{Result, Store, StoreError, databases::advance_schedule};
use crate::system::System;

/// How many due databases one look takes on; the next look takes on the rest.
const BATCH: u32 = 500;

/// Queues a backup for every database whose schedule is due, and answers how many were queued.
///
/// # Errors
/// When the store fails.
pub async fn tick(store: &Store, system: &System, max_attempts: u32) -> Result<usize> {
    let mut queued = 0;
    let now = system.now();
    for database in store.due_databases(now, BATCH).await? {
        let next = database.schedule.as_deref().and_then(|cron| schedule::next_after(cron, now).ok());
        let mut tx = store.begin().await?;
        // Whoever moves the schedule on queues the backup: two schedulers never queue the same run.
        if !advance_schedule(&mut tx, &database, next).await? {
            continue;
        }
        match backups::queue_in(&mut tx, system, &database, BackupTrigger::Scheduled, max_attempts, None).await {
            Ok(_) => {
                tx.commit().await?;
                queued += 1;
            }
            Err(StoreError::Duplicate(_)) => {
                drop(tx);
                let mut tx = store.begin().await?;
                advance_schedule(&mut tx, &database, next).await?;
                tx.commit().await?;
                tracing::warn!(database_id = %database.id, "scheduled run skipped: the backup before it still runs");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(queued)
}
