//! `getEvidence`.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use walwarden_contract::audit::{EventKind, verify_chain};
use walwarden_contract::model::{Evidence, IntegrityResult, IntegrityVerification};
use walwarden_contract::{BackupJobId, ErrorCode, manifest};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Id;
use crate::http::proof::{drill_proof, lock_proof};
use crate::http::state::AppState;
use crate::http::view::rpo_minutes;

/// What a worker proves before it completes a backup; see [`crate::engine::backup`].
const CHECKS: [&str; 6] = [
    "pg_dump exited with status 0",
    "the archive was read to its end",
    "the artifact was read back from the bucket and has this SHA-256",
    "the manifest was read back from the bucket and is byte for byte what was signed",
    "the manifest's signature verifies",
    "the audit chain is whole",
];

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<BackupJobId>,
) -> Result<Json<Evidence>> {
    let job = state.store.backup(caller.org_id(), id).await?;
    let (Some(text), Some(manifest_hash), Some(artifact), Some(started_at)) =
        (job.manifest, job.manifest_hash, job.artifact, job.started_at)
    else {
        return Err(ApiError::new(ErrorCode::NotFound, "There is no evidence of a backup that is not completed."));
    };
    let document: Value = serde_json::from_str(&text).map_err(ApiError::internal)?;
    let events = state.store.audit_chain(caller.org_id(), &id.to_string()).await?;

    // What is shown as evidence was checked now, and not only when it was written.
    verify_chain(&events).map_err(ApiError::internal)?;
    if manifest::manifest_hash(&document).map_err(ApiError::internal)? != manifest_hash {
        return Err(ApiError::internal("the stored manifest is not the one that was signed"));
    }
    if artifact.key_id == state.keyring.key_id() {
        manifest::verify(&document, &state.keyring.signing_key().verifying_key()).map_err(ApiError::internal)?;
    }
    let completed = events.iter().find(|event| event.kind == EventKind::BackupCompleted);
    let verified_at = completed.ok_or_else(|| ApiError::internal("a completed backup without its event"))?.at;

    let now = state.system.now();
    let lock = lock_proof(&document, now)?;
    Ok(Json(Evidence {
        backup_job_id: job.id,
        database_id: job.database_id,
        manifest_hash,
        manifest: document,
        key_id: artifact.key_id,
        integrity_verification: IntegrityVerification {
            result: IntegrityResult::Passed,
            checks: CHECKS.map(str::to_owned).to_vec(),
            verified_at,
            failure: None,
        },
        rpo_minutes: rpo_minutes(started_at, now),
        lock,
        drill: drill_proof(&state, caller.org_id(), id).await?,
        audit_events: events.iter().map(|event| json!(event)).collect(),
    }))
}
