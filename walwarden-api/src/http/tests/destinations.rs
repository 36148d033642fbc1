//! Destinations are shown without their credentials.

use super::fixture::{Fixture, database, organization};

#[tokio::test]
async fn a_destination_is_shown_whole_but_for_its_credentials() {
    let fixture = Fixture::new().await;
    let path = format!("/destinations/{}", fixture.database.destination_id);
    let answer = fixture.get(&path, &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "id": fixture.database.destination_id,
            "name": "shop",
            "provider": "s3_compatible",
            "endpoint": "http://127.0.0.1:9",
            "region": "us-east-1",
            "bucket": "backups",
            "addressing": "path",
            "checksumMode": "none",
            "lockMode": "none",
            "retentionFloorDays": 0,
            "encryption": "none",
            "kmsKeyId": null,
            "roleArn": null,
            "externalId": null,
            "state": "verified",
            "verifiedAt": null,
            "preflight": null,
            "createdAt": "2026-01-31T02:00:00.000Z",
            "updatedAt": "2026-01-31T02:00:00.000Z",
        })
    );
    fixture.tamper("UPDATE destinations SET lock_mode = 'governance'").await;
    assert_eq!(fixture.get(&path, &fixture.key).await.json()["retentionFloorDays"], 30);
    fixture.tamper("UPDATE destinations SET lock_mode = 'perhaps'").await;
    assert_eq!(fixture.get(&path, &fixture.key).await.code(), "internal_error");
}

#[tokio::test]
async fn destinations_are_paged_and_another_organizations_are_not_there() {
    let fixture = Fixture::new().await;
    for name in ["b", "c"] {
        fixture.advance(1);
        database(&fixture.state, fixture.org_id, name).await;
    }
    let (other, other_key) = organization(&fixture.state, "other").await;
    let empty = fixture.get("/destinations", &other_key).await.json();
    assert_eq!(empty, serde_json::json!({ "destinations": [], "nextCursor": null }));
    let theirs = database(&fixture.state, other, "theirs").await;
    let missing = fixture.get(&format!("/destinations/{}", theirs.destination_id), &fixture.key).await;
    assert_eq!(missing.code(), "not_found");

    let pages = fixture.every_page("/destinations?limit=2", "destinations").await;
    let names: Vec<_> = pages.iter().map(|destination| destination["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["shop", "b", "c"]);
}
