//! Each kind of breaking change is made on purpose, and so is each kind that breaks nothing.

use serde_json::{Value, json};

use super::breaking_changes;

fn document() -> Value {
    serde_json::from_str(&crate::emit::openapi::document()).expect("JSON")
}

/// The changes that are named once something was changed.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let old = document();
    let mut new = old.clone();
    change(&mut new);
    assert_ne!(old, new, "nothing was changed");
    breaking_changes(&old, &new)
}

fn schema<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    document["components"]["schemas"].get_mut(name).unwrap_or_else(|| panic!("no schema {name}"))
}

fn backup(document: &mut Value) -> &mut Value {
    &mut document["paths"]["/backups/{backupJobId}"]["get"]
}

/// The `limit` of a list.
fn limit(document: &mut Value) -> &mut Value {
    let parameters = document["paths"]["/databases"]["get"]["parameters"].as_array_mut().expect("a list");
    let limit = parameters.iter_mut().find(|parameter| parameter["name"] == "limit");
    &mut limit.expect("lists are paged")["schema"]
}

fn remove(value: &mut Value, member: &str) -> Value {
    value.as_object_mut().and_then(|members| members.remove(member)).unwrap_or_else(|| panic!("no {member}"))
}

fn drop_value(list: &mut Value, value: &str) {
    let list = list.as_array_mut().expect("a list");
    let before = list.len();
    list.retain(|it| it != value);
    assert_eq!(list.len() + 1, before, "{value} was not there");
}

/// Exactly one change is named, and the name has these words.
#[track_caller]
fn breaks(words: &str, change: impl FnOnce(&mut Value)) {
    let found = after(change);
    assert!(found.len() == 1 && found[0].contains(words), "{found:#?}");
}

#[track_caller]
fn breaks_nothing(change: impl FnOnce(&mut Value)) {
    assert_eq!(after(change), [] as [&str; 0]);
}

#[test]
fn nothing_breaks_when_nothing_changes() {
    assert_eq!(breaking_changes(&document(), &document()), [] as [&str; 0]);
}

#[test]
fn operations_stay_where_they_are() {
    breaks("operation getBackup was removed", |new| _ = remove(&mut new["paths"], "/backups/{backupJobId}"));
    breaks("getBackup: moved from get /backups/{backupJobId} to get /jobs/{backupJobId}", |new| {
        let moved = remove(&mut new["paths"], "/backups/{backupJobId}");
        new["paths"]["/jobs/{backupJobId}"] = moved;
    });
    breaks("moved from get", |new| {
        let moved = remove(&mut new["paths"]["/backups/{backupJobId}"], "get");
        new["paths"]["/backups/{backupJobId}"]["patch"] = moved;
    });
    breaks("getBackup: success is no longer 200", |new| {
        let success = remove(&mut backup(new)["responses"], "200");
        backup(new)["responses"]["202"] = success;
    });
}

#[test]
fn nobody_needs_more_rights_than_before() {
    breaks("getBackup: the required scope changed", |new| backup(new)["x-required-scope"] = json!("audit:read"));
    breaks("getBackup: the authentication changed", |new| backup(new)["security"] = json!([{"restoreToken": []}]));
    breaks("getBackup: a person's consent is needed now", |new| {
        backup(new)["x-human-gate"] = json!("confirmation_required");
    });
}

#[test]
fn requests_that_were_taken_are_taken() {
    breaks("parameter query \"limit\" is new and required", |new| {
        let parameters = backup(new)["parameters"].as_array_mut().expect("a list");
        parameters.push(json!({"in": "query", "name": "limit", "required": true, "schema": {"type": "integer"}}));
    });
    breaks("listDatabases parameter query \"limit\": maximum was lowered to 100", |new| {
        limit(new)["maximum"] = json!(100);
    });
    breaks("member owner is new and required", |new| {
        let request = schema(new, "CreateDatabaseRequest");
        request["properties"]["owner"] = json!({"type": "string"});
        request["required"].as_array_mut().expect("a list").push(json!("owner"));
    });
    breaks("member schedule is required now", |new| {
        schema(new, "CreateDatabaseRequest")["required"].as_array_mut().expect("a list").push(json!("schedule"));
    });
    breaks("member codec was removed", |new| {
        _ = remove(&mut schema(new, "CreateDatabaseRequest")["properties"], "codec");
    });
    breaks("minLength was raised to 3", |new| {
        schema(new, "CreateDatabaseRequest")["properties"]["name"]["minLength"] = json!(3);
    });
    breaks("pattern changed", |new| {
        schema(new, "CreateDatabaseRequest")["properties"]["codec"]["pattern"] = json!("^auto$");
    });
    breaks("may not be null any more", |new| {
        schema(new, "CreateDatabaseRequest")["properties"]["schedule"]["type"] = json!("string");
    });
    breaks("a body is required now", |new| {
        new["paths"]["/databases/{databaseId}/backups"]["post"]["requestBody"]["required"] = json!(true);
    });
}

#[test]
fn answers_keep_what_they_had() {
    breaks("member artifact was removed", |new| _ = remove(&mut schema(new, "Backup")["properties"], "artifact"));
    breaks("member state is optional now", |new| drop_value(&mut schema(new, "Backup")["required"], "state"));
    breaks("may be null now", |new| {
        schema(new, "Backup")["properties"]["attempt"]["type"] = json!(["integer", "null"]);
    });
    breaks("type changed from integer to string", |new| {
        let attempt = &mut schema(new, "Backup")["properties"]["attempt"];
        attempt["type"] = json!("string");
    });
    breaks("enum value \"finalizing\" was removed", |new| {
        drop_value(&mut schema(new, "BackupState")["enum"], "finalizing");
    });
    breaks("format changed", |new| _ = remove(schema(new, "Timestamp"), "format"));
    breaks("no longer carries the header RateLimit", |new| {
        _ = remove(&mut backup(new)["responses"]["200"]["headers"], "RateLimit");
    });
    breaks("getBackup: error 404 not_found was removed", |new| _ = remove(&mut backup(new)["responses"], "404"));
    breaks("getBackup: error 404 not_found was removed", |new| {
        let moved = remove(&mut backup(new)["responses"], "404");
        backup(new)["responses"]["410"] = moved;
    });
    breaks("pattern changed", |new| _ = remove(schema(new, "BackupJobId"), "pattern"));
}

#[test]
fn what_holds_for_every_operation_stays() {
    breaks("the base path changed", |new| new["servers"][0]["url"] = json!("/api/v2"));
    breaks("the way to authenticate changed", |new| {
        new["components"]["securitySchemes"]["apiKey"]["scheme"] = json!("basic");
    });
    breaks("default changed from 50 to 10", |new| limit(new)["default"] = json!(10));
}

#[test]
fn additions_break_nothing() {
    breaks_nothing(|new| {
        let copy = json!({"operationId": "getJob", "responses": {}});
        new["paths"]["/jobs/{backupJobId}"] = json!({"get": copy});
    });
    breaks_nothing(|new| schema(new, "Backup")["properties"]["note"] = json!({"type": "string"}));
    breaks_nothing(|new| schema(new, "CreateDatabaseRequest")["properties"]["note"] = json!({"type": "string"}));
    breaks_nothing(|new| schema(new, "BackupState")["enum"].as_array_mut().expect("a list").push(json!("paused")));
    breaks_nothing(|new| {
        limit(new)["maximum"] = json!(500);
    });
    breaks_nothing(|new| {
        schema(new, "Backup")["properties"]["finishedAt"] = json!({"$ref": "#/components/schemas/Timestamp"});
    });
    breaks_nothing(|new| backup(new)["summary"] = json!("Another text"));
}

#[test]
fn what_an_audit_event_says_may_grow_and_not_shrink() {
    let changes = after(|document| drop(remove(schema(document, "AuditEvent"), "allOf")));
    assert!(changes.iter().any(|change| change.contains("what backup.completed says")), "{changes:?}");
    let changes = after(|document| {
        remove(&mut schema(document, "BackupCompletedPayload")["properties"], "manifestHash");
    });
    assert!(changes.iter().any(|change| change.contains("manifestHash was removed")), "{changes:?}");
    let changes = after(|document| {
        schema(document, "BackupCompletedPayload")["properties"]["more"] = json!({"type": "string"});
    });
    assert_eq!(changes, Vec::<String>::new());
}
