//! An installation for one test: a store, keys, an organization, and requests to its router.

mod records;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use walwarden_contract::operations::{BASE_PATH, OPERATIONS, Operation};
use walwarden_contract::{ErrorCode, OrgId, Timestamp};

use crate::config::{CommonArguments, Settings};
use crate::http::rate_limit::{Elapsed, RateLimits};
use crate::http::{AppState, router};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::backups::BackupJob;
use crate::store::databases::Database;
use crate::system::tests::manual;

pub(super) use records::{agent_key, api_key, completed_backup, completed_backup_with, database, organization};

pub(super) const HOUR: i64 = 3_600_000;

pub(super) struct Fixture {
    pub(super) state: AppState,
    pub(super) router: Router,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) org_id: OrgId,
    pub(super) database: Database,
    /// A key with every scope.
    pub(super) key: String,
    pub(super) directory: TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    /// Every answer is one that the contract lists.
    fn check(&self, operation: &Operation) {
        if self.status.is_success() {
            assert_eq!(self.status, operation.success, "{}: {}", operation.id, self.text);
        } else if !self.text.is_empty() {
            let code: ErrorCode = self.code().parse().unwrap_or_else(|_| panic!("{}: {}", operation.id, self.text));
            assert!(operation.all_errors().contains(&code), "{} does not list {code}: {}", operation.id, self.text);
            assert_eq!(self.status, code.http_status(), "{}", operation.id);
        }
    }

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

/// The operation that a request comes to.
fn operation_at(method: &Method, path: &str) -> Option<&'static Operation> {
    let path = path.strip_prefix(BASE_PATH)?;
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let same = |template: &str, text: &str| template == text || (template.starts_with('{') && !text.is_empty());
    OPERATIONS.iter().find(|operation| {
        let (templates, segments) = (operation.path.split('/'), path.split('/'));
        method.as_str() == operation.method.as_str()
            && templates.clone().count() == segments.clone().count()
            && templates.zip(segments).all(|(template, text)| same(template, text))
    })
}

/// Sends a request to any router.
pub(super) async fn send_to(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("the router never fails");
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: parts.status, headers: parts.headers, text, bytes }
}

impl Fixture {
    /// Without a limit of requests.
    pub(super) async fn new() -> Self {
        Self::limited(0, 1).await
    }

    /// With so many requests per second, and so many at once.
    pub(super) async fn limited(requests_per_second: u32, request_burst: u32) -> Self {
        let (system, clock) = manual();
        let directory = tempfile::tempdir().expect("a directory");
        let keyring = Keyring::generate(&system, directory.path()).expect("keys");
        let common = CommonArguments::with_data_dir(directory.path());
        let mut settings = Settings::load(&common, None, &|_| None).expect("settings");
        (settings.requests_per_second, settings.request_burst) = (requests_per_second, request_burst);
        // Sources are not looked at: nothing is there to look with.
        settings.pg_bin_dir = Some(directory.path().join("no-tools"));
        let store = Store::open_sqlite(directory.path()).await.expect("a store");
        keyring.record(&store, system.now()).await.expect("records");
        let metrics = crate::telemetry::detached_metrics().expect("metrics");
        let mut state = AppState::new(store, system, Arc::new(keyring), Arc::new(settings), metrics);
        let (reading, start) = (Arc::clone(&clock), clock.load(Ordering::SeqCst));
        let elapsed = move || Duration::from_millis((reading.load(Ordering::SeqCst) - start).unsigned_abs());
        state.limits = Arc::new(RateLimits::new(&state.settings, Elapsed::new(elapsed)));
        let (org_id, key) = organization(&state, "first").await;
        let database = database(&state, org_id, "shop").await;
        Self { router: router(state.clone()), state, clock, org_id, database, key, directory }
    }

    pub(super) fn advance(&self, millis: i64) {
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let operation = operation_at(request.method(), request.uri().path());
        let answer = send_to(&self.router, request).await;
        if let Some(operation) = operation {
            answer.check(operation);
        }
        answer
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

    /// The items of every page, from the first page that `path` names to the last.
    pub(super) async fn every_page(&self, path: &str, items: &str) -> Vec<Value> {
        let (mut all, mut next) = (Vec::new(), path.to_owned());
        loop {
            let answer = self.get(&next, &self.key).await;
            assert_eq!(answer.status, 200, "{next}: {}", answer.text);
            let page = answer.json();
            all.extend(page[items].as_array().expect("a list").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(cursor) => next = format!("{path}&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// A backup that went all the way.
    pub(super) async fn completed_backup(&self) -> BackupJob {
        completed_backup(&self.state, &self.database).await
    }

    /// A backup whose dump took this long, and whose artifact is locked until then.
    pub(super) async fn completed_backup_of(&self, millis: i64, retain_until: Option<Timestamp>) -> BackupJob {
        completed_backup_with(&self.state, &self.database, retain_until, || self.advance(millis)).await
    }

    /// Restores a completed backup to the end, and answers the restore's id.
    pub(super) async fn complete_restore(&self) -> (BackupJob, String) {
        let (backup, id, token) = self.restore_session().await;
        let body = json!({ "manifestHash": backup.manifest_hash, "mode": "new_database" });
        let post = async |step: &str, body: Value| {
            let answer = self.post(&format!("/restores/{id}/{step}"), &token, &format!("{step}{body}"), &body).await;
            assert_eq!(answer.status, 200, "{step}: {}", answer.text);
        };
        post("trigger", body).await;
        post("claim", json!({})).await;
        for state in ["downloading", "verifying", "manifest_verified", "restoring", "finalizing", "completed"] {
            post("states", json!({ "state": state })).await;
        }
        (backup, id)
    }

    /// Changes the store behind the program's back.
    pub(super) async fn tamper(&self, sql: &'static str) {
        use sqlx::{Connection, Executor};
        let url = format!("sqlite://{}", self.directory.path().join("walwarden.sqlite").display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.expect("connects");
        let changed = connection.execute(sql).await.expect("is SQL").rows_affected();
        assert!(changed > 0 || sql.starts_with("ALTER"), "nothing was changed by {sql}");
    }

    /// A restore session of a new completed backup: its id and its token.
    pub(super) async fn restore_session(&self) -> (BackupJob, String, String) {
        let backup = self.completed_backup().await;
        let body = json!({
            "backupJobId": backup.id,
            "mode": "new_database",
            "targetRedactedDsn": "postgresql://u@h:5432/postgres",
        });
        let answer = self.post("/restores", &self.key, &format!("open-{}", backup.id), &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let session = answer.json();
        let text = |key: &str| session[key].as_str().expect("text").to_owned();
        (backup, text("restoreJobId"), text("token"))
    }
}
