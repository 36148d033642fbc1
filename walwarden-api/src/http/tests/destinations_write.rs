//! Destinations are added, changed, tried out and removed over the API, and no credential comes back.

use serde_json::{Value, json};

use super::fixture::{Fixture, database, organization};
use super::writing::{CANARY, ask, assert_refused, chain, kinds_after, stored_in_the_clear};
use crate::jobs::preflights;

const KEY: &str = "arn:aws:kms:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

fn new() -> Value {
    json!({
        "name": "eu",
        "provider": "aws",
        "region": "eu-central-1",
        "bucket": "my-backups",
        "lockMode": "governance",
        "accessKeyId": "AKIAEXAMPLE",
        "secretAccessKey": CANARY,
    })
}

async fn create(fixture: &Fixture, key: &str, body: &Value) -> super::fixture::Answer {
    ask(fixture, "POST", "/destinations", Some(key), Some(body)).await
}

async fn count(fixture: &Fixture) -> usize {
    fixture.state.store.destinations(fixture.org_id).await.expect("lists").len()
}

#[tokio::test]
async fn a_destination_is_added_once_and_answered_alike_again() {
    let fixture = Fixture::new().await;
    let seen = chain(&fixture).await.len();
    let created = create(&fixture, "k", &new()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let shown = created.json();
    assert_eq!((&shown["endpoint"], &shown["addressing"]), (&Value::Null, &json!("virtual_host")));
    assert_eq!((&shown["checksumMode"], &shown["retentionFloorDays"]), (&json!("crc32"), &json!(30)));

    let again = create(&fixture, "k", &new()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (201, created.text.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let mut other = new();
    other["secretAccessKey"] = json!("another-canary");
    assert_refused(&create(&fixture, "k", &other).await, 409, "idempotency_conflict", "Idempotency-Key");
    assert_refused(&create(&fixture, "k2", &new()).await, 409, "name_taken", "destination");
    assert_eq!((count(&fixture).await, kinds_after(&fixture, seen).await), (2, vec!["destination.created"]));

    let events = serde_json::to_string(&chain(&fixture).await).expect("JSON");
    for text in [&created.text, &events] {
        assert!(!text.contains(CANARY) && !text.contains("AKIA"), "{text}");
    }
    assert!(!stored_in_the_clear(&fixture, CANARY) && !stored_in_the_clear(&fixture, "AKIAEXAMPLE"));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_its_field_and_nothing_is_written() {
    let fixture = Fixture::new().await;
    let seen = chain(&fixture).await.len();
    let wrong: [(&str, Value); 22] = [
        ("name", json!({ "name": "two\nlines" })),
        ("bucket", json!({ "bucket": "No" })),
        ("region", json!({ "region": null })),
        ("region", json!({ "region": "eu.example.com/" })),
        ("endpoint", json!({ "provider": "minio" })),
        ("endpoint", json!({ "endpoint": "http://s3.example.com" })),
        ("endpoint", json!({ "endpoint": format!("https://u:{CANARY}@s3.example.com") })),
        ("lockMode", json!({ "lockMode": "compliance" })),
        ("lockMode", json!({ "provider": "backblaze_b2" })),
        ("lockMode", json!({ "provider": "gcs" })),
        ("encryption", json!({ "encryption": "aes" })),
        ("encryption", json!({ "provider": "wasabi", "encryption": "sse_kms", "kmsKeyId": "key" })),
        ("kmsKeyId", json!({ "encryption": "sse_kms" })),
        ("kmsKeyId", json!({ "encryption": "sse_s3", "kmsKeyId": "key" })),
        ("kmsKeyId", json!({ "encryption": "sse_kms", "kmsKeyId": KEY.replace("eu-central", "us-east") })),
        ("retentionFloorDays", json!({ "retentionFloorDays": 0 })),
        ("retentionFloorDays", json!({ "retentionFloorDays": 366 })),
        ("accessKeyId", json!({ "accessKeyId": "with space" })),
        ("secretAccessKey", json!({ "secretAccessKey": "" })),
        ("roleArn", json!({ "roleArn": "arn:aws:iam::210987654321:role/walwarden" })),
        ("accessKeyId", json!({ "accessKeyId": null, "secretAccessKey": null })),
        ("secretAccessKey", json!({ "secretAccessKey": null })),
    ];
    for (number, (field, change)) in wrong.into_iter().enumerate() {
        let mut body = new();
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        let answer = create(&fixture, &format!("k{number}"), &body).await;
        assert_refused(&answer, 422, "unprocessable_request", field);
    }
    let path = format!("/destinations/{}", fixture.database.destination_id);
    for (field, change) in [
        ("name", json!({ "name": "" })),
        ("lockMode", json!({ "lockMode": "compliance" })),
        ("retentionFloorDays", json!({ "retentionFloorDays": 0 })),
        ("secretAccessKey", json!({ "accessKeyId": "AKIAOTHER" })),
        ("accessKeyId", json!({ "secretAccessKey": CANARY })),
        ("bucket", json!({ "bucket": "another" })),
    ] {
        let answer = ask(&fixture, "PATCH", &path, None, Some(&change)).await;
        assert_refused(&answer, 422, "unprocessable_request", field);
    }
    assert_eq!((count(&fixture).await, chain(&fixture).await.len()), (1, seen));
}

#[tokio::test]
async fn a_destination_is_changed_where_it_is_told_and_nowhere_else() {
    let fixture = Fixture::new().await;
    let id = fixture.database.destination_id;
    let path = format!("/destinations/{id}");
    let seen = chain(&fixture).await.len();
    let change = json!({ "name": "eu", "lockMode": "governance", "retentionFloorDays": 90 });
    let changed = ask(&fixture, "PATCH", &path, None, Some(&change)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let shown = changed.json();
    assert_eq!((&shown["name"], &shown["retentionFloorDays"]), (&json!("eu"), &json!(90)));
    assert_eq!((&shown["bucket"], &shown["checksumMode"]), (&json!("backups"), &json!("none")));

    let keys = json!({ "accessKeyId": "AKIAOTHER", "secretAccessKey": CANARY });
    let rekeyed = ask(&fixture, "PATCH", &path, None, Some(&keys)).await;
    assert!(rekeyed.status == 200 && !rekeyed.text.contains(CANARY) && !rekeyed.text.contains("AKIA"));
    let stored = fixture.state.store.destination(fixture.org_id, id).await.expect("reads");
    let opened = fixture.state.keyring.open_credentials(&stored).expect("opens");
    assert_eq!(opened.access_key_id, "AKIAOTHER");
    assert_eq!(ask(&fixture, "PATCH", &path, None, Some(&json!({}))).await.status, 200);
    assert_eq!(kinds_after(&fixture, seen).await, ["destination.updated"; 2]);
    assert!(!stored_in_the_clear(&fixture, CANARY));

    database(&fixture.state, fixture.org_id, "taken").await;
    let taken = ask(&fixture, "PATCH", &path, None, Some(&json!({ "name": "taken" }))).await;
    assert_refused(&taken, 409, "name_taken", "destination");
}

#[tokio::test]
async fn a_role_gets_an_external_id_that_nobody_chooses_and_that_stays() {
    let fixture = Fixture::new().await;
    let mut body = new();
    let members = body.as_object_mut().expect("an object");
    members.remove("accessKeyId");
    members.remove("secretAccessKey");
    members.insert("roleArn".to_owned(), json!("arn:aws:iam::210987654321:role/walwarden"));
    let shown = create(&fixture, "k", &body).await.json();
    let external_id = shown["externalId"].as_str().expect("an external id").to_owned();
    let random = external_id.strip_prefix("wal-").expect("its prefix");
    assert!(random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit()), "{external_id}");
    let path = format!("/destinations/{}", shown["id"].as_str().expect("an id"));

    let mut chosen = body.clone();
    chosen["name"] = json!("other");
    chosen["externalId"] = json!("wal-00112233445566778899aabbccddeeff");
    assert_refused(&create(&fixture, "k2", &chosen).await, 422, "unprocessable_request", "externalId");
    chosen["externalId"] = Value::Null;
    chosen.as_object_mut().expect("an object").remove("externalId");
    let other = create(&fixture, "k3", &chosen).await.json();
    assert_ne!(other["externalId"], external_id.as_str(), "each destination has its own");

    let moved = json!({ "roleArn": "arn:aws:iam::210987654321:role/other" });
    let moved = ask(&fixture, "PATCH", &path, None, Some(&moved)).await.json();
    assert_eq!(
        (&moved["externalId"], &moved["roleArn"]),
        (&json!(external_id), &json!("arn:aws:iam::210987654321:role/other"))
    );
    let both = json!({ "roleArn": moved["roleArn"], "accessKeyId": "A", "secretAccessKey": "s" });
    assert_refused(&ask(&fixture, "PATCH", &path, None, Some(&both)).await, 422, "unprocessable_request", "roleArn");
    let keys = json!({ "accessKeyId": "A", "secretAccessKey": CANARY });
    let keyed = ask(&fixture, "PATCH", &path, None, Some(&keys)).await.json();
    assert_eq!((&keyed["roleArn"], &keyed["externalId"]), (&Value::Null, &Value::Null));
    let path = format!("/destinations/{}", fixture.database.destination_id);
    let foreign = json!({ "roleArn": "arn:aws:iam::210987654321:role/walwarden" });
    assert_refused(&ask(&fixture, "PATCH", &path, None, Some(&foreign)).await, 422, "unprocessable_request", "roleArn");
}

#[tokio::test]
async fn a_destination_stays_while_a_database_or_a_backup_needs_it() {
    let fixture = Fixture::new().await;
    let backup = fixture.completed_backup().await;
    let path = format!("/destinations/{}", fixture.database.destination_id);
    let database = format!("/databases/{}", fixture.database.id);
    let used = ask(&fixture, "DELETE", &path, None, None).await;
    assert_refused(&used, 409, "resource_in_use", &fixture.database.id.to_string());
    assert_eq!(ask(&fixture, "DELETE", &database, None, None).await.status, 204);
    let used = ask(&fixture, "DELETE", &path, None, None).await;
    assert_refused(&used, 409, "resource_in_use", &backup.id.to_string());

    let created = create(&fixture, "k", &new()).await.json();
    let unused = format!("/destinations/{}", created["id"].as_str().expect("an id"));
    let gone = ask(&fixture, "DELETE", &unused, None, None).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    assert_eq!(ask(&fixture, "DELETE", &unused, None, None).await.code(), "not_found");
    assert_eq!(chain(&fixture).await.pop().expect("an event").kind.as_str(), "destination.deleted");
}

#[tokio::test]
async fn what_another_organization_owns_does_not_exist() {
    let fixture = Fixture::new().await;
    let (other, _) = organization(&fixture.state, "other").await;
    let theirs = database(&fixture.state, other, "theirs").await.destination_id;
    let path = format!("/destinations/{theirs}");
    for answer in [
        ask(&fixture, "PATCH", &path, None, Some(&json!({ "name": "mine" }))).await,
        ask(&fixture, "DELETE", &path, None, None).await,
        ask(&fixture, "POST", &format!("{path}/preflight"), Some("k"), None).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not_found"), "{}", answer.text);
    }
    assert_eq!(fixture.state.store.destination(other, theirs).await.expect("is still there").name, "theirs");
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_fails_its_preflight_and_not_the_request() {
    let fixture = Fixture::new().await;
    let path = format!("/destinations/{}/preflight", fixture.database.destination_id);
    let answer = ask(&fixture, "POST", &path, Some("k"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let report = answer.json();
    assert_eq!(report["result"], "failed");
    let checks = report["checks"].as_array().expect("checks");
    assert_eq!((checks.len(), &checks[0]["code"]), (12, &json!("destination_unreachable")), "{report}");
    assert!(checks[0]["remediation"].is_string());
    assert!(checks[1..].iter().all(|check| check["status"] == "skipped"), "{report}");
    assert!(!answer.text.contains("bucket-secret"));
    // A bucket that does not answer for a while is what it was before.
    let shown = fixture.get(&format!("/destinations/{}", fixture.database.destination_id), &fixture.key).await.json();
    let failed = json!([{ "id": "bucket", "code": "destination_unreachable" }]);
    assert_eq!((&shown["state"], &shown["preflight"]["failed"]), (&json!("verified"), &failed));
}

#[tokio::test]
async fn encryption_is_shown_recorded_and_looked_at_again_when_it_changes() {
    let fixture = Fixture::new().await;
    let mut body = new();
    let members = body.as_object_mut().expect("an object");
    members.insert("encryption".to_owned(), json!("sse_kms"));
    members.insert("kmsKeyId".to_owned(), json!(KEY));
    let shown = create(&fixture, "k", &body).await.json();
    assert_eq!((&shown["encryption"], &shown["kmsKeyId"]), (&json!("sse_kms"), &json!(KEY)));
    let event = chain(&fixture).await.pop().expect("an event");
    assert_eq!((&event.payload["encryption"], &event.payload["kmsKeyId"]), (&json!("sse_kms"), &json!(KEY)));

    let path = format!("/destinations/{}", fixture.database.destination_id);
    assert_eq!(fixture.get(&path, &fixture.key).await.json()["state"], "verified");
    let changed = ask(&fixture, "PATCH", &path, None, Some(&json!({ "encryption": "sse_s3" }))).await.json();
    assert_eq!((&changed["encryption"], &changed["state"]), (&json!("sse_s3"), &json!("unverified")));
    assert_eq!(chain(&fixture).await.pop().expect("an event").payload["encryption"], "sse_s3");
    let again = ask(&fixture, "PATCH", &path, None, Some(&json!({ "encryption": "sse_s3" }))).await;
    assert_eq!(again.status, 200, "{}", again.text);
}

#[tokio::test]
async fn a_destination_that_was_changed_takes_no_backups_until_it_is_verified_again() {
    let fixture = Fixture::new().await;
    let path = format!("/destinations/{}", fixture.database.destination_id);
    let backups = format!("/databases/{}/backups", fixture.database.id);
    let renamed = ask(&fixture, "PATCH", &path, None, Some(&json!({ "name": "eu" }))).await.json();
    assert_eq!(renamed["state"], "verified", "a name matters to no bucket");
    let changed = ask(&fixture, "PATCH", &path, None, Some(&json!({ "retentionFloorDays": 90 }))).await.json();
    assert_eq!((&changed["state"], &changed["verifiedAt"]), (&json!("unverified"), &Value::Null));
    let refused = fixture.post(&backups, &fixture.key, "k", &json!({})).await;
    let id = fixture.database.destination_id.to_string();
    assert_refused(&refused, 412, "destination_not_ready", &format!("walwarden-api admin destination preflight {id}"));
    assert!(refused.text.contains("since its last change"), "{}", refused.text);
    assert_eq!(fixture.get(&backups, &fixture.key).await.json()["backups"], json!([]));

    // The worker's own look is due at once, and finds a bucket that does not answer.
    let (store, system) = (&fixture.state.store, &fixture.state.system);
    let due = preflights::claim(store, system).await.expect("claims").expect("is due");
    preflights::look(store, system, &fixture.state.keyring, &due, None).await.expect("looks");
    let refused = fixture.post(&backups, &fixture.key, "k", &json!({})).await;
    assert_refused(&refused, 412, "destination_not_ready", "bucket (destination_unreachable)");
}

#[tokio::test]
async fn a_destination_whose_credentials_cannot_be_opened_is_not_ready() {
    let fixture = Fixture::new().await;
    let store = &fixture.state.store;
    let mut destination = store.destination(fixture.org_id, fixture.database.destination_id).await.expect("reads");
    destination.sealed_credentials = crate::secrets::Sealer::new(&[9; 32]).seal(&fixture.state.system, "dst", b"{}");
    store.update_destination(&destination).await.expect("updates");
    let answer = ask(&fixture, "POST", &format!("/destinations/{}/preflight", destination.id), Some("k"), None).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (412, "destination_not_ready"));
}
