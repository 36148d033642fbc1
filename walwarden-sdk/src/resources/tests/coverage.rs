//! The client is the operation table, no more and no less.

use std::future::Future;
use std::pin::Pin;

use schemars::SchemaGenerator;
use walwarden_contract::model::{
    Addressing, CreateDatabaseRequest, CreateDestinationRequest, EvidenceQuery, Provider, UpdateDatabaseRequest,
    UpdateDestinationRequest,
};
use walwarden_contract::operations::{Auth, Operation, SchemaOf, operation};
use walwarden_contract::{DestinationId, Secret, StreamId, WindowId};

use super::*;

type Called<'a> = Pin<Box<dyn Future<Output = Option<Error>> + 'a>>;

fn called<'a, T: 'a>(call: impl Future<Output = Result<T, Error>> + 'a) -> Called<'a> {
    Box::pin(async { call.await.err() })
}

/// The path of an operation on the records that all have the same number.
fn path(operation: &Operation) -> String {
    let ids = [
        ("databaseId", DatabaseId::from_uuid(ID).to_string()),
        ("destinationId", DestinationId::from_uuid(ID).to_string()),
        ("backupJobId", BackupJobId::from_uuid(ID).to_string()),
        ("restoreJobId", RestoreJobId::from_uuid(ID).to_string()),
        ("windowId", WindowId::from_uuid(ID).to_string()),
        ("streamId", OrgId::from_uuid(ID).to_string()),
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
    let (database, destination) = (DatabaseId::from_uuid(ID), DestinationId::from_uuid(ID));
    let (backup, restore) = (BackupJobId::from_uuid(ID), RestoreJobId::from_uuid(ID));
    let (window, stream) = (WindowId::from_uuid(ID), StreamId::Organization(OrgId::from_uuid(ID)));
    let page = PageQuery { limit: Some(7), cursor: Some("a b&c".to_owned()) };
    let evidence = EvidenceQuery { database_id: Some(database), limit: page.limit, cursor: page.cursor.clone() };
    let incident = Timestamp::from_millis(1_769_824_800_000).expect("in range");
    let create_database = CreateDatabaseRequest {
        name: "shop".to_owned(),
        destination_id: destination,
        source_dsn: Secret::new("postgresql://h/d"),
        schedule: None,
        codec: None,
    };
    let create_destination = CreateDestinationRequest {
        name: "bucket".to_owned(),
        provider: Provider::Minio,
        bucket: "backups".to_owned(),
        endpoint: None,
        region: None,
        addressing: Some(Addressing::Path),
        checksum_mode: None,
        lock_mode: None,
        retention_floor_days: None,
        access_key_id: "id".to_owned(),
        secret_access_key: Secret::new("secret"),
    };
    let (update_database, update_destination) = (UpdateDatabaseRequest::default(), UpdateDestinationRequest::default());
    let create_restore = CreateRestoreRequest {
        backup_job_id: backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://h/d".to_owned(),
        created_database: None,
        confirm_destructive: false,
    };
    let trigger = TriggerRestoreRequest { manifest_hash: "ab".repeat(32), mode: RestoreMode::NewDatabase };
    let report = RestoreReport { state: RestoreState::Downloading, payload: RestoreReportPayload::default() };
    let calls: Vec<(&str, Called<'_>)> = vec![
        ("getProfile", called(client.get_profile())),
        ("listDatabases", called(client.list_databases(&page))),
        ("getDatabase", called(client.get_database(database))),
        ("listDestinations", called(client.list_destinations(&page))),
        ("getDestination", called(client.get_destination(destination))),
        ("listDatabaseBackups", called(client.list_database_backups(database, &page))),
        ("triggerBackup", called(client.trigger_backup(database, "key"))),
        ("getBackup", called(client.get_backup(backup))),
        ("listEvidence", called(client.list_evidence(&evidence))),
        ("getEvidence", called(client.get_evidence(backup))),
        ("createRestore", called(client.create_restore(&create_restore, "key"))),
        ("getRestore", called(client.get_restore(restore))),
        ("getRecoverySummary", called(client.get_recovery_summary(database))),
        ("getRecoveryCandidate", called(client.get_recovery_candidate(database, incident))),
        ("getRecoveryWindowProof", called(client.get_recovery_window_proof(window))),
        ("createDatabase", called(client.create_database(&create_database, "key"))),
        ("updateDatabase", called(client.update_database(database, &update_database))),
        ("deleteDatabase", called(client.delete_database(database))),
        ("createDestination", called(client.create_destination(&create_destination, "key"))),
        ("updateDestination", called(client.update_destination(destination, &update_destination))),
        ("deleteDestination", called(client.delete_destination(destination))),
        ("preflightDestination", called(client.preflight_destination(destination))),
        ("cancelBackup", called(client.cancel_backup(backup))),
        ("dismissBackup", called(client.dismiss_backup(backup))),
        ("exportEvidence", called(client.export_evidence(backup))),
        ("listAuditStreams", called(client.list_audit_streams(&page))),
        ("listAuditEvents", called(client.list_audit_events(stream, &page))),
        ("verifyAuditStream", called(client.verify_audit_stream(stream))),
        ("getReadiness", called(client.get_readiness())),
        ("getApiKey", called(client.get_api_key())),
        ("listTools", called(client.list_tools())),
        ("triggerRestore", called(session.trigger_restore(&trigger))),
        ("claimRestore", called(session.claim_restore())),
        ("refreshArtifactUrl", called(session.refresh_artifact_url())),
        ("reportRestore", called(session.report_restore(&report))),
    ];
    let covered: Vec<&str> = calls.iter().map(|(id, _)| *id).collect();
    let known: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(covered, known, "each operation has one line here, in the order of the table");
    for (id, call) in calls {
        assert_eq!(call.await.map(|error| error.code()), Some(ErrorCode::NotFound), "{id}");
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
