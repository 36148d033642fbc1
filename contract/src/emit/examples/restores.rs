//! Restore sessions, and what the restore machine says.

use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;

use super::evidence::{MANIFEST, SIGNING_KEY, manifest_artifact, signed_manifest};
use super::facts::{HOUR, MINUTE, at, backup, database, org, restore};
use crate::error::{ErrorBody, ErrorCode};
use crate::model::{
    ArtifactUrl, CreateRestoreRequest, Restore, RestoreClaim, RestoreMode, RestoreReport, RestoreReportPayload,
    RestoreSession, RestoreState, TriggerRestoreRequest,
};
use crate::token::{TokenPayload, issue};

pub(super) fn create_request() -> CreateRestoreRequest {
    CreateRestoreRequest {
        backup_job_id: backup(),
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://restore.internal:5432/postgres".to_owned(),
        created_database: Some("shop_recovered".to_owned()),
        confirm_destructive: false,
    }
}

pub(super) fn create_in_place_request() -> CreateRestoreRequest {
    CreateRestoreRequest {
        mode: RestoreMode::InPlace,
        target_redacted_dsn: "postgresql://staging.internal:5432/shop".to_owned(),
        created_database: None,
        confirm_destructive: true,
        ..create_request()
    }
}

pub(super) fn session() -> RestoreSession {
    let payload = TokenPayload {
        org_id: org(),
        database_id: database(),
        manifest_hash: MANIFEST.hash.clone(),
        mode: RestoreMode::NewDatabase,
        job_intent_id: restore(),
        exp: at(2 * HOUR),
    };
    RestoreSession {
        restore_job_id: restore(),
        token: issue(&payload, &[0; 32]),
        token_expires_at: at(2 * HOUR),
        manifest_hash: MANIFEST.hash.clone(),
        state: RestoreState::TokenIssued.into(),
    }
}

fn in_state(state: RestoreState) -> Restore {
    let request = create_request();
    Restore {
        id: restore(),
        database_id: database(),
        backup_job_id: backup(),
        mode: request.mode.into(),
        target_redacted_dsn: request.target_redacted_dsn,
        created_database: request.created_database,
        state: state.into(),
        manifest_hash: MANIFEST.hash.clone(),
        created_at: at(HOUR),
        finished_at: None,
        error: None,
    }
}

pub(super) fn completed() -> Restore {
    Restore { finished_at: Some(at(HOUR + 6 * MINUTE)), ..in_state(RestoreState::Completed) }
}

pub(super) fn failed() -> Restore {
    Restore {
        finished_at: Some(at(HOUR + 2 * MINUTE)),
        error: Some(ErrorBody::new(ErrorCode::DownloadFailed, "The bucket ended the connection five times.")),
        ..in_state(RestoreState::FailedRetryable)
    }
}

pub(super) fn trigger_request() -> TriggerRestoreRequest {
    TriggerRestoreRequest { manifest_hash: MANIFEST.hash.clone(), mode: RestoreMode::NewDatabase }
}

pub(super) fn triggered() -> Restore {
    in_state(RestoreState::Triggered)
}

pub(super) fn artifact_url() -> ArtifactUrl {
    let url = format!(
        "https://shop-backups.s3.eu-central-1.amazonaws.com/{}?X-Amz-Expires=900&X-Amz-Signature=0123456789abcdef",
        manifest_artifact().key,
    );
    ArtifactUrl { url, expires_at: at(HOUR + 15 * MINUTE) }
}

pub(super) fn claim() -> RestoreClaim {
    RestoreClaim {
        restore: in_state(RestoreState::Claimed),
        manifest: signed_manifest(),
        public_key_pem: SIGNING_KEY.verifying_key().to_public_key_pem(LineEnding::LF).expect("a key has a PEM form"),
        download: artifact_url(),
        heartbeat_seconds: 30,
    }
}

pub(super) fn heartbeat() -> RestoreReport {
    RestoreReport { state: RestoreState::Downloading, payload: RestoreReportPayload::default() }
}

pub(super) fn verified_report() -> RestoreReport {
    let artifact = manifest_artifact();
    RestoreReport {
        state: RestoreState::ManifestVerified,
        payload: RestoreReportPayload {
            size_bytes: Some(artifact.size_bytes),
            checksum_sha256: Some(artifact.checksum_sha256),
            pg_restore_version: Some("17.2".to_owned()),
            ..RestoreReportPayload::default()
        },
    }
}

pub(super) fn verified() -> Restore {
    in_state(RestoreState::ManifestVerified)
}
