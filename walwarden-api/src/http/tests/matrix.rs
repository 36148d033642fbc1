//! Every operation against every kind of caller. What is expected comes from the contract alone.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use walwarden_contract::operations::{Auth, BASE_PATH, OPERATIONS, Operation};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId, Scope, WindowId};

use super::fixture::{Answer, Fixture, HOUR, api_key, completed_backup, database, organization, sign_checkpoint};
use super::routes::method_of;

/// What an organization has.
struct Records {
    database: DatabaseId,
    destination: DestinationId,
    backup: BackupJobId,
    manifest_hash: String,
    restore: String,
    token: String,
}

impl Records {
    async fn of(fixture: &Fixture, org_id: OrgId, key: &str) -> Self {
        let database = database(&fixture.state, org_id, &format!("matrix {}", fixture.state.system.uuid())).await;
        let backup = completed_backup(&fixture.state, &database).await;
        let body = json!({
            "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": "postgresql://u@h:5432/postgres",
        });
        let session = fixture.post("/restores", key, &format!("open-{}", backup.id), &body).await.json();
        sign_checkpoint(&fixture.state, org_id).await;
        Self {
            database: database.id,
            destination: database.destination_id,
            backup: backup.id,
            manifest_hash: backup.manifest_hash.expect("completed"),
            restore: session["restoreJobId"].as_str().expect("an id").to_owned(),
            token: session["token"].as_str().expect("a token").to_owned(),
        }
    }

    fn path(&self, operation: &Operation) -> String {
        let path = operation
            .path
            .replace("{databaseId}", &self.database.to_string())
            .replace("{destinationId}", &self.destination.to_string())
            .replace("{backupJobId}", &self.backup.to_string())
            .replace("{windowId}", &WindowId::from(self.backup).to_string())
            .replace("{streamId}", &self.backup.to_string())
            .replace("{seq}", "1")
            .replace("{restoreJobId}", &self.restore);
        assert!(!path.contains('{'), "{}: a parameter that this test does not know", operation.id);
        path
    }
}

/// A sound request of an operation: query, body, and how it is answered with these records by who may call it.
struct Sound {
    query: &'static str,
    body: Option<Value>,
    status: u16,
}

/// An operation that is not here fails the test.
fn sound(operation: &Operation, records: &Records) -> Sound {
    let read = || Sound { query: "", body: None, status: 200 };
    let write = |body: Value, status: u16| Sound { query: "", body: Some(body), status };
    match operation.id {
        "getProfile"
        | "getApiKey"
        | "listTools"
        | "getReadiness"
        | "listDatabases"
        | "getDatabase"
        | "listDestinations"
        | "getDestination"
        | "listDatabaseBackups"
        | "getBackup"
        | "getRestore"
        | "listEvidence"
        | "getEvidence"
        | "exportEvidence"
        | "getRecoverySummary"
        | "getRecoveryWindowProof"
        | "listAuditStreams"
        | "listAuditEvents"
        | "verifyAuditStream"
        | "listCheckpoints"
        | "getInclusionProof" => read(),
        // No checkpoint has these sizes.
        "getConsistencyProof" => Sound { query: "?from=1&to=2", status: 404, ..read() },
        // Nothing was compared yet.
        "getReconciliation" => Sound { status: 404, ..read() },
        "getRecoveryCandidate" => Sound { query: "?incidentTime=2026-02-01T00:00:00.000Z", ..read() },
        "triggerBackup" => write(json!({}), 202),
        "createRestore" => write(
            json!({
                "backupJobId": records.backup,
                "mode": "new_database",
                "targetRedactedDsn": "postgresql://u@h:5432/postgres",
            }),
            202,
        ),
        "createDatabase" => write(
            json!({
                "name": "added",
                "destinationId": records.destination,
                "sourceDsn": "postgresql://u:p@h:5432/d",
            }),
            201,
        ),
        "createDestination" => write(
            json!({
                "name": "added",
                "provider": "minio",
                "bucket": "backups",
                "endpoint": "http://127.0.0.1:9",
                "accessKeyId": "id",
                "secretAccessKey": "secret",
            }),
            201,
        ),
        "updateDatabase" | "updateDestination" => write(json!({ "name": "renamed" }), 200),
        "deleteDatabase" => Sound { status: 204, ..read() },
        // A database uses it.
        "deleteDestination" => Sound { status: 409, ..read() },
        // There is no tool to look with, and nobody listens at the endpoint: the reports say so.
        "checkDatabase" | "preflightDestination" => write(json!({}), 200),
        // The backup is completed, which is too late for either; and the token was not used yet.
        "cancelBackup" | "dismissBackup" | "claimRestore" | "refreshArtifactUrl" => write(json!({}), 409),
        "triggerRestore" => write(json!({ "manifestHash": records.manifest_hash, "mode": "new_database" }), 200),
        "reportRestore" => write(json!({ "state": "token_issued" }), 200),
        other => panic!("{other} is an operation that this test does not know: add how it is called"),
    }
}

async fn call(fixture: &Fixture, operation: &Operation, records: &Records, bearer: Option<&str>) -> Answer {
    let Sound { query, body, status: _ } = sound(operation, records);
    let uri = format!("{BASE_PATH}{}{query}", records.path(operation));
    let mut request = Request::builder().method(method_of(operation)).uri(uri).header("idempotency-key", "matrix");
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    fixture.send(request.expect("a request")).await
}

#[tokio::test]
async fn who_has_no_valid_credential_of_the_right_kind_is_refused_everywhere() {
    let fixture = Fixture::new().await;
    let (state, org_id) = (&fixture.state, fixture.org_id);
    let (_, expired) = api_key(state, org_id, Scope::ALL, Some(HOUR)).await;
    fixture.advance(HOUR);
    let (id, revoked) = api_key(state, org_id, Scope::ALL, None).await;
    state.store.revoke_api_key(org_id, id, state.system.now()).await.expect("revokes");
    let records = Records::of(&fixture, org_id, &fixture.key).await;
    let others = Records::of(&fixture, org_id, &fixture.key).await;
    let unknown = format!("wal_{}", "0".repeat(64));
    for operation in OPERATIONS {
        let (code, wrong_kind, other) = match operation.auth {
            Auth::ApiKey(_) => ("unauthorized", &records.token, &others.token),
            Auth::RestoreToken => ("token_invalid", &fixture.key, &others.token),
        };
        let refused = [
            ("no credential", None),
            ("an empty one", Some("")),
            ("a malformed one", Some("wal_x")),
            ("an unknown key", Some(unknown.as_str())),
            ("an expired key", Some(expired.as_str())),
            ("a revoked key", Some(revoked.as_str())),
            ("one of the other kind", Some(wrong_kind.as_str())),
            ("another job's token", Some(other.as_str())),
        ];
        for (what, bearer) in refused {
            let answer = call(&fixture, operation, &records, bearer).await;
            let expected = (401, code.to_owned());
            assert_eq!((answer.status.as_u16(), answer.code()), expected, "{} with {what}", operation.id);
        }
    }
}

#[tokio::test]
async fn without_the_scope_that_the_contract_names_every_other_scope_is_no_help() {
    let fixture = Fixture::new().await;
    let records = Records::of(&fixture, fixture.org_id, &fixture.key).await;
    let (_, none) = api_key(&fixture.state, fixture.org_id, &[], None).await;
    for operation in OPERATIONS {
        let Some(required) = operation.scope() else { continue };
        let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != required).collect();
        let (_, all_others) = api_key(&fixture.state, fixture.org_id, &others, None).await;
        let mut keys = vec![none.clone(), all_others];
        for scope in others {
            keys.push(api_key(&fixture.state, fixture.org_id, &[scope], None).await.1);
        }
        for key in keys {
            let answer = call(&fixture, operation, &records, Some(&key)).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "forbidden"), "{}", operation.id);
            assert_eq!(answer.json()["requiredScope"], required.as_str(), "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn with_exactly_the_scope_that_the_contract_names_it_is_answered() {
    for operation in OPERATIONS {
        let fixture = Fixture::new().await;
        let records = Records::of(&fixture, fixture.org_id, &fixture.key).await;
        let scopes: Vec<_> = operation.scope().into_iter().collect();
        let (_, key) = api_key(&fixture.state, fixture.org_id, &scopes, None).await;
        let bearer = if operation.auth == Auth::RestoreToken { &records.token } else { &key };
        let answer = call(&fixture, operation, &records, Some(bearer)).await;
        let expected = sound(operation, &records).status;
        assert_eq!(answer.status.as_u16(), expected, "{}: {}", operation.id, answer.text);
    }
}

#[tokio::test]
async fn another_organizations_records_do_not_exist() {
    for operation in OPERATIONS {
        let Auth::ApiKey(_) = operation.auth else { continue };
        let fixture = Fixture::new().await;
        let (theirs, their_key) = organization(&fixture.state, "theirs").await;
        let records = Records::of(&fixture, theirs, &their_key).await;
        let answer = call(&fixture, operation, &records, Some(&fixture.key)).await;
        let names_a_record = operation.path.contains('{') || matches!(operation.id, "createRestore" | "createDatabase");
        // There is no report before the first comparison, and no checkpoint before the first look, whoever asks.
        if names_a_record || matches!(operation.id, "getReconciliation" | "getConsistencyProof") {
            let expected = (404, "not_found".to_owned());
            assert_eq!((answer.status.as_u16(), answer.code()), expected, "{}: {}", operation.id, answer.text);
        } else {
            assert!(answer.status.is_success(), "{}: {}", operation.id, answer.text);
        }
        let ids = [theirs.to_string(), records.database.to_string(), records.destination.to_string()];
        for id in ids.iter().chain([&records.backup.to_string(), &records.restore]) {
            assert!(!answer.text.contains(id.as_str()), "{} shows {id}: {}", operation.id, answer.text);
        }
    }
}
