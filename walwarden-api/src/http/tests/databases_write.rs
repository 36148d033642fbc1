//! Databases are added, changed and removed over the API as the local commands do it, and no connection string comes back.

use serde_json::{Value, json};

use super::fixture::{Fixture, database, organization};
use super::writing::{CANARY, Log, ask, assert_refused, chain, kinds_after, stored_in_the_clear};
use crate::store::idempotency::IdempotencyScope;

fn new(fixture: &Fixture) -> Value {
    json!({
        "name": "orders",
        "destinationId": fixture.database.destination_id,
        "sourceDsn": format!("postgresql://u:{CANARY}@db.example:5432/orders"),
        "schedule": "0  3 * * *",
    })
}

async fn count(fixture: &Fixture) -> usize {
    fixture.state.store.databases(fixture.org_id, None, 100).await.expect("lists").len()
}

#[tokio::test]
async fn a_database_is_added_once_and_answered_alike_again() {
    let fixture = Fixture::new().await;
    let seen = chain(&fixture).await.len();
    let created = ask(&fixture, "POST", "/databases", Some("k"), Some(&new(&fixture))).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let shown = created.json();
    assert_eq!(shown["databaseName"], "orders");
    assert_eq!(shown["schedule"], "0 3 * * *");
    assert_eq!(shown["nextRunAt"], "2026-01-31T03:00:00.000Z");
    assert_eq!(shown["codec"], "auto");
    assert_eq!(shown["sourceRedactedDsn"], "postgresql://u@db.example:5432/orders");
    let read = ask(&fixture, "GET", &format!("/databases/{}", shown["id"].as_str().expect("an id")), None, None).await;
    assert_eq!(read.json(), shown);

    let again = ask(&fixture, "POST", "/databases", Some("k"), Some(&new(&fixture))).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (201, created.text.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let mut other = new(&fixture);
    other["sourceDsn"] = json!("postgresql://u:another-canary@db.example:5432/orders");
    let conflict = ask(&fixture, "POST", "/databases", Some("k"), Some(&other)).await;
    assert_refused(&conflict, 409, "idempotency_conflict", "Idempotency-Key");
    let taken = ask(&fixture, "POST", "/databases", Some("k2"), Some(&new(&fixture))).await;
    assert_refused(&taken, 409, "name_taken", "database");
    assert_eq!((count(&fixture).await, kinds_after(&fixture, seen).await), (2, vec!["database.created"]));
}

#[tokio::test]
async fn no_connection_string_is_answered_logged_audited_or_stored_in_the_clear() {
    let fixture = Fixture::new().await;
    let log = Log::default();
    let guard = log.listen();
    let body = new(&fixture);
    let created = ask(&fixture, "POST", "/databases", Some("k"), Some(&body)).await;
    let path = format!("/databases/{}", created.json()["id"].as_str().expect("an id"));
    let changed = ask(&fixture, "PATCH", &path, None, Some(&json!({ "sourceDsn": body["sourceDsn"] }))).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    drop(guard);

    let logged = log.text();
    assert!(logged.contains("createDatabase"), "nothing was logged: {logged}");
    let events = serde_json::to_string(&chain(&fixture).await).expect("JSON");
    for (what, text) in [("answer", created.text), ("answer", changed.text), ("log", logged), ("chain", events)] {
        assert!(!text.contains(CANARY), "the {what} holds the secret: {text}");
    }
    assert!(!stored_in_the_clear(&fixture, CANARY));
}

#[tokio::test]
async fn whoever_reads_the_store_cannot_try_passwords_out_against_a_body_hash() {
    let fixture = Fixture::new().await;
    ask(&fixture, "POST", "/databases", Some("k"), Some(&new(&fixture))).await;
    let profile = fixture.get("/profile", &fixture.key).await.json();
    let scope = |body_hash: String| IdempotencyScope {
        principal: profile["apiKeyId"].as_str().expect("an id").to_owned(),
        operation: "createDatabase".to_owned(),
        key: "k".to_owned(),
        body_hash,
    };
    let canonical = serde_json_canonicalizer::to_vec(&new(&fixture)).expect("canonical");
    let plain = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(canonical));
    let same = async |hash: String| {
        let stored = fixture.state.store.stored_response(&scope(hash)).await.expect("reads").expect("was stored");
        stored.same_request
    };
    assert!(!same(plain.clone()).await, "the stored hash is one that anybody can make");
    assert!(same(fixture.state.keyring.keyed_hash(&plain)).await);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_its_field_and_nothing_is_written() {
    let fixture = Fixture::new().await;
    let seen = chain(&fixture).await.len();
    let secret = |rest: &str| json!(format!("postgresql://u:{CANARY}@{rest}"));
    let wrong = [
        ("name", json!("")),
        ("name", json!(" orders")),
        ("name", json!("x".repeat(101))),
        ("sourceDsn", json!("")),
        ("sourceDsn", json!("postgresql:///d")),
        ("sourceDsn", json!("postgresql:///d?host=/var/run/postgresql")),
        ("sourceDsn", json!("postgresql://h:1,:2/d")),
        ("sourceDsn", json!("postgresql://h/d?sslkey=/etc/key")),
        ("sourceDsn", json!(format!("mysql://u:{CANARY}@h/d"))),
        ("sourceDsn", secret("h:5432")),
        ("schedule", json!("")),
        ("schedule", json!("@daily")),
        ("schedule", json!("99 * * * *")),
        ("codec", json!("lz4:1")),
    ];
    let existing = format!("/databases/{}", fixture.database.id);
    for (number, (field, value)) in wrong.into_iter().enumerate() {
        let mut body = new(&fixture);
        body[field] = value.clone();
        let answer = ask(&fixture, "POST", "/databases", Some(&format!("k{number}")), Some(&body)).await;
        assert_refused(&answer, 422, "unprocessable_request", field);
        if (field, value.as_str()) != ("schedule", Some("")) {
            let answer = ask(&fixture, "PATCH", &existing, None, Some(&json!({ field: value }))).await;
            assert_refused(&answer, 422, "unprocessable_request", field);
        }
    }
    // What is a pooler by its name is found without a look, and refused when nobody wants one either.
    for (host, direct) in [("ep-x-pooler.eu.aws.neon.tech", "ep-x.eu"), ("x.pooler.supabase.com:6543", "com:5432")] {
        let mut body = new(&fixture);
        body["sourceDsn"] = secret(&format!("{host}/d"));
        let answer = ask(&fixture, "POST", "/databases", Some(host), Some(&body)).await;
        assert_refused(&answer, 422, "source_check_failed", "pooler");
        let findings = answer.json()["findings"].clone();
        assert_eq!(findings[0]["code"], "source_pooled");
        assert!(findings[0]["remediation"].as_str().is_some_and(|text| text.contains(direct)), "{findings}");
        body["sourceCheck"] = json!("skip");
        let answer = ask(&fixture, "POST", "/databases", Some(&format!("{host}-skip")), Some(&body)).await;
        assert_refused(&answer, 422, "unprocessable_request", "sourceDsn");
    }
    for body in [json!({ "sourceDsn": 31_415_926 }), json!({ "sourceDsn": [CANARY] }), json!({ "password": CANARY })] {
        let answer = ask(&fixture, "PATCH", &existing, None, Some(&body)).await;
        assert_eq!(answer.code(), "unprocessable_request", "{}", answer.text);
        assert!(!answer.text.contains("31415926") && !answer.text.contains(CANARY), "{}", answer.text);
    }
    assert_eq!((count(&fixture).await, chain(&fixture).await.len()), (1, seen));
}

#[tokio::test]
async fn what_another_organization_owns_can_be_neither_used_nor_changed() {
    let fixture = Fixture::new().await;
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await;
    let mut body = new(&fixture);
    body["destinationId"] = json!(theirs.destination_id);
    let path = format!("/databases/{}", theirs.id);
    let mine = format!("/databases/{}", fixture.database.id);
    let moved = json!({ "destinationId": theirs.destination_id });
    for answer in [
        ask(&fixture, "POST", "/databases", Some("k"), Some(&body)).await,
        ask(&fixture, "PATCH", &mine, None, Some(&moved)).await,
        ask(&fixture, "PATCH", &path, None, Some(&json!({ "name": "mine" }))).await,
        ask(&fixture, "DELETE", &path, None, None).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{}", answer.text);
    }
    let (unchanged, _) = fixture.state.store.database(other, theirs.id).await.expect("is still there");
    assert_eq!(unchanged, theirs);
}

#[tokio::test]
async fn a_database_is_changed_where_it_is_told_and_nowhere_else() {
    let fixture = Fixture::new().await;
    let path = format!("/databases/{}", fixture.database.id);
    let change = async |body: Value| ask(&fixture, "PATCH", &path, None, Some(&body)).await;
    let seen = chain(&fixture).await.len();
    let unchanged = change(json!({})).await;
    assert_eq!(unchanged.status, 200, "{}", unchanged.text);
    assert_eq!(chain(&fixture).await.len(), seen, "nothing happened, and nothing is recorded");

    let scheduled = change(json!({ "schedule": "30 2 * * *", "codec": "gzip:9" })).await.json();
    assert_eq!((&scheduled["nextRunAt"], &scheduled["codec"]), (&json!("2026-01-31T02:30:00.000Z"), &json!("gzip:9")));
    assert_eq!(scheduled["name"], "shop");
    let ended = change(json!({ "schedule": "" })).await.json();
    assert_eq!(
        (&ended["schedule"], &ended["nextRunAt"], &ended["codec"]),
        (&Value::Null, &Value::Null, &json!("gzip:9"))
    );

    let renamed = change(json!({ "name": "orders", "sourceDsn": format!("postgresql://v:{CANARY}@h/o") })).await.json();
    assert_eq!((&renamed["name"], &renamed["databaseName"]), (&json!("orders"), &json!("o")));
    let (stored, _) = fixture.state.store.database(fixture.org_id, fixture.database.id).await.expect("reads");
    assert!(fixture.state.keyring.open_dsn(&stored).expect("opens").has_password());
    assert_eq!(kinds_after(&fixture, seen).await, ["database.updated"; 3]);
    let last = chain(&fixture).await.pop().expect("an event").payload;
    assert!(last["apiKeyId"].as_str().expect("who").starts_with("key_"), "{last}");

    database(&fixture.state, fixture.org_id, "taken").await;
    assert_refused(&change(json!({ "name": "taken" })).await, 409, "name_taken", "database");
}

#[tokio::test]
async fn a_database_goes_once_no_backup_of_it_is_under_way_and_its_backups_stay() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let path = format!("/databases/{}", fixture.database.id);
    let queued = fixture.post(&format!("{path}/backups"), &fixture.key, "k", &json!({})).await.json();
    let job = queued["backupJobId"].as_str().expect("an id");
    let refused = ask(&fixture, "DELETE", &path, None, None).await;
    assert_refused(&refused, 409, "resource_in_use", job);
    assert_eq!(ask(&fixture, "GET", &path, None, None).await.status, 200);

    ask(&fixture, "POST", &format!("/backups/{job}/cancel"), Some("k"), None).await;
    let gone = ask(&fixture, "DELETE", &path, None, None).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert_eq!(ask(&fixture, "DELETE", &path, None, None).await.code(), "not_found");
    assert_eq!(fixture.get(&format!("/evidence/{}", backup.id), &fixture.key).await.status, 200);
    assert_eq!(chain(&fixture).await.pop().expect("an event").kind.as_str(), "database.deleted");
}
