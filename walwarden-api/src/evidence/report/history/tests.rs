use serde_json::json;
use uuid::Uuid;
use walwarden_contract::audit::EventKind;

use super::super::tests::{at, chain};
use super::*;

fn id(number: u128) -> DatabaseId {
    DatabaseId::from_uuid(Uuid::from_u128(number))
}

fn read(events: &[(&str, EventKind, Value)], only: Option<DatabaseId>) -> History {
    let mut history = History::new("2026-01".parse().expect("a period"), only);
    for event in &chain("org_x", events) {
        history.take(event);
    }
    history.finish();
    history
}

#[test]
fn a_change_of_anything_else_leaves_a_schedule_in_force() {
    let database =
        |name: &str, cron: Option<&str>| json!({"databaseId": id(1), "name": name, "schedule": cron, "codec": "auto"});
    let history = read(
        &[
            ("2025-12-01T00:00:00Z", EventKind::DatabaseCreated, database("shop", Some("0 2 * * *"))),
            ("2026-01-10T00:00:00Z", EventKind::DatabaseUpdated, database("store", Some("0 2 * * *"))),
            ("2026-01-11T00:00:00Z", EventKind::DatabaseUpdated, database("store", None)),
            ("2026-02-01T00:00:00Z", EventKind::DatabaseUpdated, database("later", Some("0 3 * * *"))),
        ],
        None,
    );
    let database = &history.databases[&id(1)];
    let settings: Vec<_> = database.settings.iter().map(|setting| (setting.from, setting.cron.as_deref())).collect();
    assert_eq!(settings, [(at("2025-12-01T00:00:00Z"), Some("0 2 * * *")), (at("2026-01-11T00:00:00Z"), None)]);
    assert_eq!(database.name, "store");
    let changed: Vec<_> = history.database_changes.listed.iter().map(|line| line.changed.clone()).collect();
    assert_eq!(changed, [vec!["name".to_owned()], vec!["schedule".to_owned()]]);
}

#[test]
fn databases_gone_before_or_added_after_are_left_out_and_known() {
    let database = |number: u128| json!({"databaseId": id(number), "name": "x", "schedule": null});
    let history = read(
        &[
            ("2025-12-01T00:00:00Z", EventKind::DatabaseCreated, database(1)),
            ("2025-12-02T00:00:00Z", EventKind::DatabaseCreated, database(2)),
            ("2025-12-31T23:59:59Z", EventKind::DatabaseDeleted, database(1)),
            ("2026-01-01T00:00:00Z", EventKind::DatabaseDeleted, database(2)),
            ("2026-02-01T00:00:00Z", EventKind::DatabaseCreated, database(3)),
        ],
        None,
    );
    assert_eq!(history.databases.keys().copied().collect::<Vec<_>>(), [id(2)]);
    assert!([1, 2, 3].map(id).iter().all(|id| history.known.contains(id)) && !history.known.contains(&id(4)));
}

#[test]
fn a_key_is_named_with_its_scopes_and_never_with_more_than_is_meant_to_be_shown() {
    let issued = json!({"apiKeyId": "key_1", "name": "ci", "scopes": ["backups:trigger"], "fingerprint": "canary", "secret": "canary"});
    let history = read(
        &[
            ("2026-01-02T00:00:00Z", EventKind::ApiKeyIssued, issued),
            ("2026-01-03T00:00:00Z", EventKind::ApiKeyRevoked, json!({"apiKeyId": "key_1"})),
            ("2026-01-04T00:00:00Z", EventKind::ApiKeyIssued, json!({"apiKeyId": "key_2"})),
        ],
        None,
    );
    let text = serde_json::to_string(&history.access).expect("is JSON");
    assert!(text.contains("backups:trigger") && text.contains("key_1") && !text.contains("canary"), "{text}");
    assert_eq!((history.access.total, history.keys_in_force), (3, 1));
}

#[test]
fn one_database_alone_leaves_the_others_out() {
    let database = |number: u128| json!({"databaseId": id(number), "name": "x", "schedule": "0 2 * * *"});
    let skipped = |number: u128| json!({"databaseId": id(number), "scheduledFor": "2026-01-05T02:00:00.000Z"});
    let history = read(
        &[
            ("2026-01-01T00:00:00Z", EventKind::DatabaseCreated, database(1)),
            ("2026-01-01T00:00:00Z", EventKind::DatabaseCreated, database(2)),
            ("2026-01-05T02:00:00Z", EventKind::ScheduleRunSkipped, skipped(1)),
            ("2026-01-05T02:00:00Z", EventKind::ScheduleRunSkipped, skipped(2)),
        ],
        Some(id(2)),
    );
    assert_eq!(history.databases.keys().copied().collect::<Vec<_>>(), [id(2)]);
    assert_eq!((history.skipped.total, history.database_changes.total), (1, 1));
}
