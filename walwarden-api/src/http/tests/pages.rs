//! Lists are paged by cursor, and stay stable while items are added.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use walwarden_contract::operations::{OPERATIONS, Operation};

use super::fixture::{Fixture, completed_backup, database};
use crate::jobs::checkpoints::{sequence, sign};
use crate::jobs::retention::Keeper;

#[tokio::test]
async fn pages_neither_repeat_nor_skip_while_databases_are_added() {
    let fixture = Fixture::new().await;
    for index in 0..4 {
        fixture.advance(1);
        database(&fixture.state, fixture.org_id, &format!("db{index}")).await;
    }
    let mut names: Vec<String> = Vec::new();
    let mut cursor = String::new();
    for round in 0.. {
        let page = fixture.get(&format!("/databases?limit=2{cursor}"), &fixture.key).await.json();
        let databases = page["databases"].as_array().expect("a list");
        assert!(databases.len() <= 2);
        names.extend(databases.iter().map(|database| database["name"].as_str().expect("a name").to_owned()));
        if round == 0 {
            fixture.advance(1);
            database(&fixture.state, fixture.org_id, "late").await;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["shop", "db0", "db1", "db2", "db3", "late"]);
}

#[tokio::test]
async fn backups_are_listed_newest_first_and_paged() {
    let fixture = Fixture::new().await;
    let mut expected: Vec<String> = Vec::new();
    for _ in 0..3 {
        fixture.advance(1);
        expected.insert(0, fixture.completed_backup().await.id.to_string());
    }
    let path = format!("/databases/{}/backups", fixture.database.id);
    let first = fixture.get(&format!("{path}?limit=2"), &fixture.key).await.json();
    let next = first["nextCursor"].as_str().expect("there is more");
    fixture.advance(1);
    fixture.completed_backup().await;
    let second = fixture.get(&format!("{path}?limit=2&cursor={next}"), &fixture.key).await.json();
    assert!(second["nextCursor"].is_null());
    let ids = |page: &serde_json::Value| -> Vec<String> {
        let backups = page["backups"].as_array().expect("a list").iter();
        backups.map(|backup| backup["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!([ids(&first), ids(&second)].concat(), expected);
}

/// Where a list keeps its items, and what tells them apart.
fn shape(operation: &Operation) -> (&'static str, &'static str) {
    match operation.id {
        "listDatabases" => ("databases", "id"),
        "listDestinations" => ("destinations", "id"),
        "listDatabaseBackups" => ("backups", "id"),
        "listEvidence" => ("evidence", "backupJobId"),
        "listAuditStreams" => ("streams", "streamId"),
        "listAuditEvents" => ("events", "seq"),
        "listCheckpoints" => ("checkpoints", "size"),
        other => panic!("{other} is a list that this test does not know: add what it holds"),
    }
}

/// Takes what happened into the log, and signs a checkpoint of it.
async fn checkpoint(fixture: &Fixture) {
    let (store, system) = (fixture.state.store.clone(), fixture.state.system.clone());
    let keeper = Keeper { store, system, keyring: Arc::clone(&fixture.state.keyring) };
    while sequence(&keeper, fixture.org_id).await.expect("sequences").more {}
    sign(&keeper, fixture.org_id).await.expect("signs").expect("one was due");
}

/// Reads a list page by page, and adds something to every list after each page.
async fn walk(fixture: &Fixture, operation: &Operation, limit: usize) -> Vec<String> {
    let (member, id) = shape(operation);
    let path = operation.path.replace("{databaseId}", &fixture.database.id.to_string());
    let path = path.replace("{streamId}", &fixture.org_id.to_string());
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = fixture.get(&format!("{path}?limit={limit}{cursor}"), &fixture.key).await.json();
        let items = page[member].as_array().expect("a list");
        assert!(items.len() <= limit, "{}", operation.id);
        seen.extend(items.iter().map(|item| item[id].to_string()));
        if seen.len() > 200 {
            return seen;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
        if seen.len() < 12 {
            fixture.advance(1);
            database(&fixture.state, fixture.org_id, &format!("late {}", fixture.state.system.uuid())).await;
            fixture.completed_backup().await;
            checkpoint(fixture).await;
        }
    }
}

#[tokio::test]
async fn no_list_repeats_or_misses_anything_while_it_grows() {
    let others = ["getRecoveryCandidate", "exportEvidence", "getInclusionProof", "getConsistencyProof"];
    let paged = |operation: &&Operation| operation.query.is_some() && !others.contains(&operation.id);
    for operation in OPERATIONS.iter().filter(paged) {
        let fixture = Fixture::new().await;
        for index in 0..5 {
            fixture.advance(1);
            database(&fixture.state, fixture.org_id, &format!("early {index}")).await;
            fixture.completed_backup().await;
            checkpoint(&fixture).await;
        }
        let (member, id) = shape(operation);
        let path = operation.path.replace("{databaseId}", &fixture.database.id.to_string());
        let path = path.replace("{streamId}", &fixture.org_id.to_string());
        let whole = fixture.get(&format!("{path}?limit=200"), &fixture.key).await.json();
        let initial: Vec<_> = whole[member].as_array().expect("a list").iter().map(|it| it[id].to_string()).collect();
        assert!(initial.len() >= 5, "{}: {whole}", operation.id);
        for limit in [1, 2, 3] {
            let seen = walk(&fixture, operation, limit).await;
            let mut distinct = seen.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), seen.len(), "{} repeats: {seen:?}", operation.id);
            assert!(
                initial.iter().all(|id| seen.contains(id)),
                "{} misses some of {initial:?}: {seen:?}",
                operation.id
            );
        }
    }
}

#[tokio::test]
async fn limits_out_of_bounds_and_cursors_that_are_none_are_refused() {
    let fixture = Fixture::new().await;
    let id = fixture.database.id.to_string();
    let encoded = |text: String| format!("cursor={}", URL_SAFE_NO_PAD.encode(text));
    let raw = format!("cursor={id}");
    let other_version = encoded(format!("2listDatabases:{id}"));
    let other_list = encoded(format!("1listDestinations:{id}"));
    let other_key = encoded(format!("1listDatabases:bkp_{}", "0".repeat(32)));
    let long = format!("cursor={}", "A".repeat(201));
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "cursor=",
        "cursor=1",
        "cursor=%00",
        "cursor=%FF",
        &raw,
        &other_version,
        &other_list,
        &other_key,
        &long,
        "limit=1&limit=2",
        "page=2",
    ] {
        let answer = fixture.get(&format!("/databases?{query}"), &fixture.key).await;
        assert_eq!(answer.code(), "invalid_request", "{query}: {}", answer.text);
    }
    assert_eq!(fixture.get("/databases?limit=200", &fixture.key).await.status, 200);
    let own = encoded(format!("1listDatabases:{id}"));
    assert_eq!(
        fixture.get(&format!("/databases?{own}"), &fixture.key).await.status,
        200,
        "the others differ from this"
    );
}

#[tokio::test]
async fn a_cursor_is_opaque_and_does_not_travel_to_another_list() {
    let fixture = Fixture::new().await;
    let other = database(&fixture.state, fixture.org_id, "other").await;
    for database in [&fixture.database, &other] {
        for _ in 0..2 {
            fixture.advance(1);
            completed_backup(&fixture.state, database).await;
        }
    }
    let first = |id: &dyn std::fmt::Display| format!("/databases/{id}/backups?limit=1");
    let page = fixture.get(&first(&fixture.database.id), &fixture.key).await.json();
    let cursor = page["nextCursor"].as_str().expect("there is more");
    let shown = page["backups"][0]["id"].as_str().expect("an id");
    assert!(!cursor.contains(shown) && cursor.len() <= 200, "{cursor}");
    let ask = async |path: String| fixture.get(&format!("{path}&cursor={cursor}"), &fixture.key).await;
    assert_eq!(ask(first(&fixture.database.id)).await.status, 200);
    assert_eq!(ask(first(&other.id)).await.code(), "invalid_request");
    assert_eq!(ask("/databases?limit=1".to_owned()).await.code(), "invalid_request");
    assert_eq!(ask("/evidence?limit=1".to_owned()).await.code(), "invalid_request");
}
