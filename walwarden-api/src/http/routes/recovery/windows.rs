//! Finding the backups that open windows: those whose manifest holds now.

use walwarden_contract::{BackupJobId, DatabaseId, OrgId, Timestamp};

use crate::http::error::Result;
use crate::http::proof::{Checked, check_manifest};
use crate::http::state::AppState;

/// How many backups are looked at in one go. More than the first are needed only when one does not hold, or was being
/// made at the time asked for.
const CHUNK: u32 = 4;

/// The newest backup that holds; with `whole_by`, the newest whose dump was whole by then.
pub(super) async fn newest(
    state: &AppState,
    org_id: OrgId,
    database_id: DatabaseId,
    whole_by: Option<Timestamp>,
) -> Result<Option<Checked>> {
    let keys = state.keyring.history(&state.store).await?;
    let mut before = None;
    loop {
        // A dump that was whole by then had begun by then.
        let jobs = state.store.completed_backups_of(org_id, database_id, whole_by, before, CHUNK).await?;
        let Some(last) = jobs.last() else { return Ok(None) };
        before = Some(last.id);
        for job in jobs {
            let checked = check_manifest(job, &keys);
            if checked.failure.is_none() && whole_by.is_none_or(|time| checked.opens_at() <= time) {
                return Ok(Some(checked));
            }
        }
    }
}

/// The oldest backup that holds; with `after`, the oldest that followed it.
pub(super) async fn oldest(
    state: &AppState,
    org_id: OrgId,
    database_id: DatabaseId,
    mut after: Option<BackupJobId>,
) -> Result<Option<Checked>> {
    let keys = state.keyring.history(&state.store).await?;
    loop {
        let jobs = state.store.completed_backups_since(org_id, database_id, after, CHUNK).await?;
        let Some(last) = jobs.last() else { return Ok(None) };
        after = Some(last.id);
        for job in jobs {
            let checked = check_manifest(job, &keys);
            if checked.failure.is_none() {
                return Ok(Some(checked));
            }
        }
    }
}

/// When the window of this backup closes: when the next one that holds opens its own.
pub(super) async fn closes_at(state: &AppState, checked: &Checked) -> Result<Option<Timestamp>> {
    let job = &checked.job;
    let next = oldest(state, job.org_id, job.database_id, Some(job.id)).await?;
    Ok(next.map(|next| next.opens_at()))
}
