//! The client is the operation table, no more and no less.

use super::*;

#[tokio::test]
async fn every_operation_has_a_method_and_every_method_is_an_operation() {
    let server = server(vec![problem(ErrorCode::NotFound)]).await;
    let (client, session, page) = (client(&server), session(&server), PageQuery::default());
    let (database, backup, restore) =
        (DatabaseId::from_uuid(ID), BackupJobId::from_uuid(ID), RestoreJobId::from_uuid(ID));
    let create = CreateRestoreRequest {
        backup_job_id: backup,
        mode: RestoreMode::NewDatabase,
        target_redacted_dsn: "postgresql://h/d".to_owned(),
        created_database: None,
        confirm_destructive: false,
    };
    let trigger = TriggerRestoreRequest { manifest_hash: "ab".repeat(32), mode: RestoreMode::NewDatabase };
    let report = RestoreReport { state: RestoreState::Downloading, payload: RestoreReportPayload::default() };
    let outcomes: Vec<Option<Error>> = vec![
        client.get_profile().await.err(),
        client.list_databases(&page).await.err(),
        client.get_database(database).await.err(),
        client.list_database_backups(database, &page).await.err(),
        client.trigger_backup(database, "key").await.err(),
        client.get_backup(backup).await.err(),
        client.get_evidence(backup).await.err(),
        client.create_restore(&create, "key").await.err(),
        client.get_restore(restore).await.err(),
        session.trigger_restore(&trigger).await.err(),
        session.claim_restore().await.err(),
        session.refresh_artifact_url().await.err(),
        session.report_restore(&report).await.err(),
    ];
    assert!(outcomes.iter().all(|error| error.as_ref().is_some_and(|error| error.code() == ErrorCode::NotFound)));
    let ids = [database.to_string(), backup.to_string(), restore.to_string()];
    let requests = requests(&server).await;
    let called: BTreeSet<String> = requests
        .iter()
        .map(|request| {
            let path = ids.iter().fold(request.url.path().to_owned(), |path, id| path.replace(id, "{}"));
            format!("{} {path}", request.method)
        })
        .collect();
    let known: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|operation| {
            let parts: Vec<&str> =
                operation.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
            let method = if operation.needs_idempotency_key() { "POST" } else { "GET" };
            format!("{method} {BASE_PATH}{}", parts.join("/"))
        })
        .collect();
    assert_eq!(called, known);
    for request in &requests {
        let posts = request.method.as_str() == "POST";
        assert_eq!(header(request, "idempotency-key").is_some(), posts, "{}", request.url.path());
        assert_eq!(header(request, "content-type").is_some(), !request.body.is_empty());
        let restore_call = posts && request.url.path().contains(&ids[2]);
        let bearer = if restore_call { "Bearer wrt1." } else { "Bearer wal_" };
        assert!(header(request, "authorization").is_some_and(|value| value.starts_with(bearer)));
    }
}
