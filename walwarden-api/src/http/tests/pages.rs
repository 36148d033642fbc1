//! Lists are paged by cursor, and stay stable while items are added.

use super::fixture::{Fixture, database};

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

#[tokio::test]
async fn limits_out_of_bounds_and_foreign_cursors_are_refused() {
    let fixture = Fixture::new().await;
    let foreign = format!("cursor=bkp_{}", "0".repeat(32));
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "cursor=",
        "cursor=1",
        &foreign,
        "limit=1&limit=2",
        "page=2",
    ] {
        let answer = fixture.get(&format!("/databases?{query}"), &fixture.key).await;
        assert_eq!(answer.code(), "invalid_request", "{query}: {}", answer.text);
    }
    assert_eq!(fixture.get("/databases?limit=200", &fixture.key).await.status, 200);
}
