//! An installation for one test: a store, keys, an organization, and requests to its router.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use walwarden_contract::model::BackupTrigger;
use walwarden_contract::{ApiKeyId, DatabaseId, DestinationId, OrgId, Scope};
use walwarden_sdk::postgres::Dsn;

use crate::config::{CommonArguments, Settings};
use crate::http::{AppState, router};
use crate::jobs::{Submitted, backups};
use crate::secrets::{Credentials, Keyring, fingerprint, new_api_key};
use crate::store::Store;
use crate::store::api_keys::ApiKey;
use crate::store::backups::{BackupJob, PendingArtifact, StoredArtifact};
use crate::store::databases::Database;
use crate::store::destinations::Destination;
use crate::store::organizations::Organization;
use crate::system::after;
use crate::system::tests::manual;

pub(super) const HOUR: i64 = 3_600_000;

pub(super) struct Fixture {
    pub(super) state: AppState,
    pub(super) router: Router,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) org_id: OrgId,
    pub(super) database: Database,
    /// A key with every scope.
    pub(super) key: String,
    _directory: TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let (system, clock) = manual();
        let directory = tempfile::tempdir().expect("a directory");
        let keyring = Keyring::generate(&system, directory.path()).expect("keys");
        let common = CommonArguments::with_data_dir(directory.path());
        let settings = Settings::load(&common, None, &|_| None).expect("settings");
        let store = Store::open_sqlite(directory.path()).await.expect("a store");
        let metrics = crate::telemetry::detached_metrics().expect("metrics");
        let state = AppState::new(store, system, Arc::new(keyring), Arc::new(settings), metrics);
        let (org_id, key) = organization(&state, "first").await;
        let database = database(&state, org_id, "shop").await;
        Self { router: router(state.clone()), state, clock, org_id, database, key, _directory: directory }
    }

    pub(super) fn advance(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn get(&self, path: &str, bearer: &str) -> Answer {
        let request = Request::get(format!("/api/v1{path}")).header("authorization", format!("Bearer {bearer}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    pub(super) async fn post(&self, path: &str, bearer: &str, key: &str, body: &Value) -> Answer {
        let request = Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {bearer}"))
            .header("idempotency-key", key)
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// A backup that went all the way.
    pub(super) async fn completed_backup(&self) -> BackupJob {
        completed_backup(&self.state, &self.database).await
    }

    /// A restore session of a new completed backup: its id and its token.
    pub(super) async fn restore_session(&self) -> (BackupJob, String, String) {
        let backup = self.completed_backup().await;
        let body = json!({
            "backupJobId": backup.id,
            "mode": "new_database",
            "targetRedactedDsn": "postgresql://u@h:5432/postgres",
        });
        let answer = self.post("/restores", &self.key, &format!("open {}", backup.id), &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let session = answer.json();
        let text = |key: &str| session[key].as_str().expect("text").to_owned();
        (backup, text("restoreJobId"), text("token"))
    }
}

pub(super) async fn organization(state: &AppState, name: &str) -> (OrgId, String) {
    let id = OrgId::from_uuid(state.system.uuid());
    let organization = Organization { id, name: name.to_owned(), created_at: state.system.now() };
    state.store.create_organization(&organization).await.expect("an organization");
    let (_, key) = api_key(state, id, Scope::ALL, None).await;
    (id, key)
}

pub(super) async fn api_key(
    state: &AppState,
    org_id: OrgId,
    scopes: &[Scope],
    expires_in: Option<i64>,
) -> (ApiKeyId, String) {
    let text = new_api_key(&state.system);
    let now = state.system.now();
    let key = ApiKey {
        id: ApiKeyId::from_uuid(state.system.uuid()),
        org_id,
        name: "test".to_owned(),
        fingerprint: fingerprint(&text),
        client_kind: walwarden_contract::model::ClientKind::Service,
        scopes: scopes.to_vec(),
        created_at: now,
        expires_at: expires_in.map(|millis| after(now, millis)),
        revoked_at: None,
    };
    state.store.create_api_key(&key).await.expect("a key");
    (key.id, text.to_string())
}

pub(super) async fn database(state: &AppState, org_id: OrgId, name: &str) -> Database {
    let now = state.system.now();
    let credentials = Credentials { access_key_id: "id".to_owned(), secret_access_key: "bucket-secret".into() };
    let destination_id = DestinationId::from_uuid(state.system.uuid());
    let destination = Destination {
        id: destination_id,
        org_id,
        name: name.to_owned(),
        provider: "s3-compatible".to_owned(),
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        region: "us-east-1".to_owned(),
        bucket: "backups".to_owned(),
        addressing: "path".to_owned(),
        checksum_mode: "none".to_owned(),
        lock_mode: "none".to_owned(),
        retention_days: 30,
        trial: false,
        sealed_credentials: state.keyring.seal_credentials(&state.system, destination_id, &credentials),
        created_at: now,
        updated_at: now,
    };
    state.store.create_destination(&destination).await.expect("a destination");
    let id = DatabaseId::from_uuid(state.system.uuid());
    let dsn = Dsn::parse("postgresql://u:source-secret@h:5432/shop").expect("a DSN");
    let database = Database {
        id,
        org_id,
        destination_id,
        name: name.to_owned(),
        database_name: "shop".to_owned(),
        redacted_dsn: dsn.redacted(),
        sealed_dsn: state.keyring.seal_dsn(&state.system, id, &dsn),
        codec: "auto".to_owned(),
        schedule: None,
        next_run_at: None,
        created_at: now,
        updated_at: now,
    };
    state.store.create_database(&database).await.expect("a database");
    database
}

pub(super) async fn completed_backup(state: &AppState, database: &Database) -> BackupJob {
    use walwarden_contract::manifest::{Manifest, ManifestArtifact, ManifestRetention, ManifestSource, SCHEMA, sign};
    let (store, system) = (&state.store, &state.system);
    let queued = backups::queue(store, system, database, BackupTrigger::Adhoc, 3, None).await.expect("queued");
    let Submitted::New(job) = queued else { panic!("a new job was replayed") };
    let claimed = backups::claim(store, system, "test", after(system.now(), HOUR)).await.expect("claims");
    let claimed = claimed.expect("a job waits");
    assert_eq!(claimed.id, job.id);
    let lease = backups::Lease { id: claimed.id, fence: claimed.fence };
    let key = format!("org/o/db/d/backup/2026/01/31/{}.dump", job.id);
    let started = backups::Started {
        object_key: &key,
        pg_dump_version: "15.18",
        postgres_version: "15.18",
        compression: "gzip:1",
    };
    let job = backups::start(store, system, lease, started).await.expect("starts");
    let pending = PendingArtifact {
        upload_id: "upload".to_owned(),
        etags: vec!["e".to_owned()],
        part_checksums: vec!["11".repeat(32)],
        part_size_bytes: 1 << 20,
        size_bytes: 3,
        checksum_sha256: "22".repeat(32),
        compression: "gzip:1".to_owned(),
        database_name: "shop".to_owned(),
        postgres_version: "15.18".to_owned(),
        pg_dump_version: "15.18".to_owned(),
        finished_at: system.now(),
        retain_until: None,
    };
    backups::finalize(store, system, lease, pending.clone()).await.expect("finalizes");
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        backup_job_id: job.id,
        org_id: job.org_id,
        database_id: job.database_id,
        destination_id: job.destination_id,
        artifact: ManifestArtifact {
            key: key.clone(),
            size_bytes: 3,
            checksum_sha256: pending.checksum_sha256.clone(),
            format: "custom".to_owned(),
            compression: "gzip:1".to_owned(),
            part_size_bytes: 1 << 20,
            part_checksums: pending.part_checksums,
        },
        source: ManifestSource {
            database_name: "shop".to_owned(),
            postgres_version: "15.18".to_owned(),
            pg_dump_version: "15.18".to_owned(),
        },
        started_at: job.started_at.expect("started"),
        finished_at: system.now(),
        retention: ManifestRetention { mode: "none".to_owned(), retain_until: None },
        encryption: None,
        key_id: state.keyring.key_id(),
    };
    let signed = sign(&manifest, state.keyring.signing_key()).expect("signs");
    let artifact = StoredArtifact {
        size_bytes: 3,
        checksum_sha256: pending.checksum_sha256,
        compression: "gzip:1".to_owned(),
        key_id: state.keyring.key_id(),
    };
    let sealed = backups::Sealed {
        artifact,
        manifest: String::from_utf8(signed.bytes).expect("text"),
        manifest_hash: signed.hash,
    };
    backups::complete(store, system, lease, sealed).await.expect("completes")
}
