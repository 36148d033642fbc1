//! The client against an HTTP server that plays the API.

mod answers;
mod building;
mod calls;
mod coverage;
mod newer;
mod paging;
mod polling;
mod retries;

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use walwarden_contract::error::ConfirmationChallenge;
use walwarden_contract::model::{
    BackupState, CreateRestoreRequest, RestoreMode, RestoreReport, RestoreReportPayload, RestoreState,
    TriggerRestoreRequest,
};
use walwarden_contract::operations::{BASE_PATH, OPERATIONS};
use walwarden_contract::page::PageQuery;
use walwarden_contract::token::{self, TokenPayload};
use walwarden_contract::{BackupJobId, DatabaseId, ErrorBody, ErrorCode, OrgId, Problem, RestoreJobId, Timestamp};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::{ClientBuilder, Error, Poll, RestoreSessionClient, RetryPolicy, WalwardenClient};

const KEY: &str = "wal_canary";
const ID: Uuid = Uuid::from_u128(0x0192_8c3e_5f7a_7c3e_8d2b_4a6f_90c1_e2d3);

fn builder(server: &MockServer) -> ClientBuilder {
    let retry = RetryPolicy { min_delay: Duration::from_millis(1), ..RetryPolicy::default() };
    let builder = WalwardenClient::builder().base_url(format!("{}/", server.uri())).api_key(KEY);
    builder.timeout(Duration::from_secs(5)).retries(retry)
}

fn client(server: &MockServer) -> WalwardenClient {
    builder(server).build().expect("a client")
}

fn session(server: &MockServer) -> RestoreSessionClient {
    session_with(&client(server))
}

fn session_with(client: &WalwardenClient) -> RestoreSessionClient {
    let payload = TokenPayload {
        org_id: OrgId::from_uuid(ID),
        database_id: DatabaseId::from_uuid(ID),
        manifest_hash: "ab".repeat(32),
        mode: RestoreMode::NewDatabase,
        job_intent_id: RestoreJobId::from_uuid(ID),
        exp: Timestamp::from_millis(0).expect("in range"),
    };
    let token = SecretString::from(token::issue(&payload, &[1; 32]));
    client.restore_session(token).expect("a session")
}

fn problem(code: ErrorCode) -> ResponseTemplate {
    ResponseTemplate::new(code.http_status()).set_body_json(Problem::from(ErrorBody::new(code, "as it is")))
}

/// A server that gives these answers one after the other, then the last one for ever.
async fn server(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let answer = move |_: &Request| {
        let index = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answers[index.min(answers.len() - 1)].clone()
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("recorded")
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn triggered() -> Value {
    json!({"backupJobId": BackupJobId::from_uuid(ID), "databaseId": DatabaseId::from_uuid(ID), "state": "queued"})
}

fn backup(state: BackupState) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "id": BackupJobId::from_uuid(ID), "databaseId": DatabaseId::from_uuid(ID),
        "destinationId": walwarden_contract::DestinationId::from_uuid(ID), "trigger": "adhoc", "state": state,
        "attempt": 1, "maxAttempts": 3, "attemptHistory": [], "notBefore": "2026-01-31T02:00:00.000Z", "createdAt": "2026-01-31T02:00:00.000Z", "startedAt": null,
        "finishedAt": null, "artifact": null, "error": null,
    }))
}

fn restore(state: &Value, finished_at: Option<&str>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "id": RestoreJobId::from_uuid(ID), "databaseId": DatabaseId::from_uuid(ID),
        "backupJobId": BackupJobId::from_uuid(ID), "mode": "new_database", "targetRedactedDsn": "postgresql://h/d",
        "createdDatabase": null, "state": state, "manifestHash": "ab".repeat(32),
        "createdAt": "2026-01-31T02:00:00.000Z", "finishedAt": finished_at, "error": null,
    }))
}
