//! `getRecoverySummary`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::{Custody, DrillStatus, Freshness, IntegrityResult, Recoverability, RecoverySummary};

use super::windows::{newest, oldest};
use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Id;
use crate::http::proof::drill_proof;
use crate::http::state::AppState;
use crate::http::view::{freshness, rpo_minutes};
use crate::store::databases::LastBackup;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DatabaseId>,
) -> Result<Json<RecoverySummary>> {
    let org_id = caller.org_id();
    let (database, _) = state.store.database(org_id, id).await?;
    let completed = state.store.count_completed_backups(org_id, id).await?;
    let latest = newest(&state, org_id, id, None).await?;
    let now = state.system.now();
    let mut summary = RecoverySummary {
        database_id: id,
        evaluated_at: now,
        recoverability: Recoverability::None.into(),
        rpo_minutes: None,
        freshness: Freshness::NoBackup.into(),
        stale_at: None,
        latest_window: None,
        completed_backups: completed,
        oldest_snapshot_at: None,
        next_run_at: database.next_run_at,
        custody: None,
    };
    if let Some(backup) = latest {
        let first = oldest(&state, org_id, id, None).await?;
        let drill = drill_proof(&state, org_id, backup.job.id).await?;
        summary.recoverability = match (backup.integrity(), drill.status.known()) {
            (IntegrityResult::Passed, Some(DrillStatus::Drilled)) => Recoverability::Drilled,
            (IntegrityResult::Passed, Some(DrillStatus::NotDrilled)) => Recoverability::Verified,
            _ => Recoverability::NotVerifiable,
        }
        .into();
        summary.rpo_minutes = Some(rpo_minutes(backup.snapshot_at(), now));
        let last = LastBackup {
            id: backup.job.id,
            started_at: backup.snapshot_at(),
            finished_at: backup.job.finished_at.unwrap_or_else(|| backup.snapshot_at()),
        };
        let (fresh, stale_at) = freshness(database.schedule.as_deref(), Some(last), now);
        (summary.freshness, summary.stale_at) = (fresh.into(), stale_at);
        summary.latest_window = Some(backup.window(None));
        summary.oldest_snapshot_at = first.map(|first| first.snapshot_at());
        summary.custody = Some(Custody { destination_id: backup.job.destination_id, lock: backup.lock(now), drill });
    }
    Ok(Json(summary))
}
