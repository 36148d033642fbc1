//! What proves a backup, as far as this server can tell.

use serde_json::Value;
use walwarden_contract::manifest::ManifestRetention;
use walwarden_contract::model::{DrillProof, DrillStatus, LockProof, LockStatus};
use walwarden_contract::{BackupJobId, OrgId, Timestamp};

use super::error::{ApiError, Result};
use super::state::AppState;

/// The lock that the manifest says was read back.
pub(super) fn lock_proof(manifest: &Value, now: Timestamp) -> Result<LockProof> {
    let retention: ManifestRetention =
        serde_json::from_value(manifest["retention"].clone()).map_err(ApiError::internal)?;
    let status = match retention.retain_until {
        None => LockStatus::NotLocked,
        Some(until) if until <= now => LockStatus::Expired,
        Some(_) => LockStatus::Locked,
    };
    Ok(LockProof { status, mode: retention.mode, retain_until: retention.retain_until })
}

/// Whether a restore of the backup was completed.
pub(super) async fn drill_proof(state: &AppState, org_id: OrgId, id: BackupJobId) -> Result<DrillProof> {
    let completed = state.store.completed_restore(org_id, id).await?;
    Ok(DrillProof {
        status: if completed.is_some() { DrillStatus::Drilled } else { DrillStatus::NotDrilled },
        restore_job_id: completed.map(|(id, _)| id),
        finished_at: completed.map(|(_, at)| at),
    })
}
