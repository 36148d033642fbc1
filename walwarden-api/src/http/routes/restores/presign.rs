//! The presigned URL of a restore job's artifact. It is a secret, and is never logged or stored.

use std::time::Duration;

use walwarden_contract::ErrorCode;
use walwarden_contract::model::ArtifactUrl;

use crate::engine::storage::Bucket;
use crate::http::error::{ApiError, Result};
use crate::http::state::AppState;
use crate::store::backups::BackupJob;
use crate::system::after;

pub(super) async fn presign(state: &AppState, backup: &BackupJob) -> Result<ArtifactUrl> {
    let seconds = state.settings.presign_seconds;
    let key = backup.object_key.as_deref().ok_or_else(|| ApiError::of(ErrorCode::BackupNotRestorable))?;
    let destination = state.store.destination(backup.org_id, backup.destination_id).await?;
    let bucket = Bucket::connect(&destination, &state.keyring.open_access(&destination)?)?;
    // Before the signing: the bucket must never refuse a URL that we still call valid.
    let now = state.system.now();
    let (url, lasts) = bucket.presign_get(key, Duration::from_secs(seconds.into()), now).await?;
    let expires_at = after(now, i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
    Ok(ArtifactUrl { url, expires_at })
}
