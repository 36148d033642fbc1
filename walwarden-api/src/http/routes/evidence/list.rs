//! `listEvidence`.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use walwarden_contract::model::{EvidenceArtifact, EvidenceList, EvidenceQuery, EvidenceSummary};
use walwarden_contract::{BackupJobId, ErrorCode, Timestamp};

use crate::http::auth::Caller;
use crate::http::error::{ApiError, Result};
use crate::http::extract::Page;
use crate::http::proof::{Checked, check_manifest, drill};
use crate::http::state::AppState;
use crate::http::view::rpo_minutes;
use crate::store::restores::CompletedRestore;

/// How many manifests are in memory at once: that of a large backup names thousands of parts.
const CHUNK: u32 = 20;

fn summary(checked: &Checked, restored: Option<CompletedRestore>, now: Timestamp) -> EvidenceSummary {
    let artifact = checked.job.artifact.as_ref();
    EvidenceSummary {
        backup_job_id: checked.job.id,
        database_id: checked.job.database_id,
        completed_at: checked.completed_at(),
        artifact: EvidenceArtifact {
            size_bytes: artifact.map(|artifact| artifact.size_bytes).unwrap_or_default(),
            checksum_sha256: artifact.map(|artifact| artifact.checksum_sha256.clone()).unwrap_or_default(),
        },
        source: checked.source(),
        manifest_hash: checked.manifest_hash(),
        key_id: checked.key_id(),
        integrity_verification: checked.verification(None),
        rpo_minutes: rpo_minutes(checked.snapshot_at(), now),
        lock: checked.lock(now),
        encryption: checked.encryption(),
        drill: drill(restored),
    }
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    query: Result<Query<EvidenceQuery>, QueryRejection>,
) -> Result<Json<EvidenceList>> {
    let Query(EvidenceQuery { database_id, limit, cursor }) = query.map_err(|_| {
        let message = "The query parameters are databaseId, limit (1 to 200) and cursor, each at most once.";
        ApiError::new(ErrorCode::InvalidRequest, message)
    })?;
    let page: Page<BackupJobId> = Page::read(limit, cursor)?;
    let (store, org_id, now) = (&state.store, caller.org_id(), state.system.now());
    let keys = state.keyring.history(store).await?;
    let (mut evidence, mut before, mut wanted) = (Vec::new(), page.after, page.limit + 1);
    while wanted > 0 {
        let chunk = wanted.min(CHUNK);
        let jobs = match database_id {
            Some(id) => store.completed_backups_of(org_id, id, None, before, chunk).await?,
            None => store.completed_backups(org_id, before, chunk).await?,
        };
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let restores = store.completed_restores(org_id, &ids).await?;
        for job in jobs {
            let checked = check_manifest(job, &keys);
            evidence.push(summary(&checked, restores.get(&checked.job.id).copied(), now));
        }
        let more = ids.len() == chunk as usize;
        before = ids.last().copied();
        wanted = if more { wanted - chunk } else { 0 };
    }
    let (evidence, next_cursor) = page.cut(evidence, |summary| summary.backup_job_id.to_string());
    Ok(Json(EvidenceList { evidence, next_cursor }))
}
