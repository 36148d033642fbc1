//! The client is the operation table, no more and no less.

use schemars::SchemaGenerator;
use walwarden_contract::operations::{Auth, Operation, SchemaOf, operation};
use walwarden_contract::{DestinationId, WindowId};

use super::calls::{Arguments, calls};
use super::*;

/// The path of an operation on the records that all have the same number.
fn path(operation: &Operation) -> String {
    let ids = [
        ("databaseId", DatabaseId::from_uuid(ID).to_string()),
        ("destinationId", DestinationId::from_uuid(ID).to_string()),
        ("backupJobId", BackupJobId::from_uuid(ID).to_string()),
        ("restoreJobId", RestoreJobId::from_uuid(ID).to_string()),
        ("windowId", WindowId::from_uuid(ID).to_string()),
        ("streamId", OrgId::from_uuid(ID).to_string()),
        ("seq", "7".to_owned()),
    ];
    let path = ids.iter().fold(operation.path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
    format!("{BASE_PATH}{path}")
}

fn members(query: SchemaOf) -> BTreeSet<String> {
    let mut generator = SchemaGenerator::default();
    query(&mut generator);
    let definitions = generator.definitions();
    let members = |schema: &Value| schema["properties"].as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
    definitions.values().filter_map(members).flatten().collect()
}

#[tokio::test]
async fn every_operation_has_a_method_and_every_method_is_an_operation() {
    let server = server(vec![problem(ErrorCode::NotFound)]).await;
    let (client, session) = (client(&server), session(&server));
    let arguments = Arguments::new();
    let calls = calls(&client, &session, &arguments);
    let covered: Vec<&str> = calls.iter().map(|(id, _)| *id).collect();
    let known: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(covered, known, "each operation has one line here, in the order of the table");
    for (id, call) in calls {
        assert_eq!(call.await.map(|error| error.code()), Some(ErrorCode::NotFound.into()), "{id}");
        let operation = operation(id).expect("compared above");
        let request = requests(&server).await.pop().expect("a request");
        assert_eq!(
            (request.method.as_str(), request.url.path()),
            (operation.method.as_str(), &*path(operation)),
            "{id}"
        );
        assert_eq!(header(&request, "idempotency-key").is_some(), operation.needs_idempotency_key(), "{id}");
        assert_eq!(header(&request, "content-type").is_some(), operation.request.is_some(), "{id}");
        assert_eq!(request.body.is_empty(), operation.request.is_none(), "{id}");
        assert_eq!(header(&request, "walwarden-confirmation"), None, "{id}");
        let sent: BTreeSet<String> = request.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(sent, operation.query.map(members).unwrap_or_default(), "{id}");
        let bearer = if operation.auth == Auth::RestoreToken { "Bearer wrt1." } else { "Bearer wal_" };
        assert!(header(&request, "authorization").is_some_and(|value| value.starts_with(bearer)), "{id}");
    }
    assert_eq!(requests(&server).await.len(), OPERATIONS.len(), "each method makes one request");
}

#[test]
fn methods_name_only_operations_that_there_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources");
    let mut named = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()) {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(file).expect("readable");
            let literals = text.split("Call::new(\"").skip(1).chain(text.split("self.call(\"").skip(1));
            named.extend(literals.filter_map(|rest| rest.split_once('"')).map(|(id, _)| id.to_owned()));
        }
    }
    let known: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.id.to_owned()).collect();
    assert_eq!(named, known);
}
