//! One call of every method, in the order of the operation table.

use std::future::Future;
use std::pin::Pin;

use walwarden_contract::model::{
    Addressing, CreateDatabaseRequest, CreateDestinationRequest, EvidenceQuery, ExportEvidenceQuery, Provider,
    UpdateDatabaseRequest, UpdateDestinationRequest,
};
use walwarden_contract::{DestinationId, Secret, StreamId, WindowId};

use super::*;

/// How a call ended.
pub(super) type Called<'a> = Pin<Box<dyn Future<Output = Option<Error>> + 'a>>;

fn called<'a, T: 'a>(call: impl Future<Output = Result<T, Error>> + 'a) -> Called<'a> {
    Box::pin(async { call.await.err() })
}

/// What the calls are made with: records that all have the same number.
pub(super) struct Arguments {
    database: DatabaseId,
    destination: DestinationId,
    backup: BackupJobId,
    restore: RestoreJobId,
    window: WindowId,
    stream: StreamId,
    page: PageQuery,
    evidence: EvidenceQuery,
    incident: Timestamp,
    create_database: CreateDatabaseRequest,
    create_destination: CreateDestinationRequest,
    update_database: UpdateDatabaseRequest,
    update_destination: UpdateDestinationRequest,
    create_restore: CreateRestoreRequest,
    trigger: TriggerRestoreRequest,
    report: RestoreReport,
}

impl Arguments {
    pub(super) fn new() -> Self {
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
            source_check: None,
            schedule: None,
            codec: None,
            retention_days: None,
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
            encryption: None,
            kms_key_id: None,
            access_key_id: Some("id".to_owned()),
            secret_access_key: Some(Secret::new("secret")),
            role_arn: None,
        };
        let (update_database, update_destination) =
            (UpdateDatabaseRequest::default(), UpdateDestinationRequest::default());
        let create_restore = CreateRestoreRequest {
            backup_job_id: backup,
            mode: RestoreMode::NewDatabase,
            target_redacted_dsn: "postgresql://h/d".to_owned(),
            created_database: None,
            confirm_destructive: false,
        };
        let trigger = TriggerRestoreRequest { manifest_hash: "ab".repeat(32), mode: RestoreMode::NewDatabase };
        let report = RestoreReport { state: RestoreState::Downloading, payload: RestoreReportPayload::default() };
        Self {
            database,
            destination,
            backup,
            restore,
            window,
            stream,
            page,
            evidence,
            incident,
            create_database,
            create_destination,
            update_database,
            update_destination,
            create_restore,
            trigger,
            report,
        }
    }
}

/// Every method, by operation.
pub(super) fn calls<'a>(
    client: &'a WalwardenClient,
    session: &'a RestoreSessionClient,
    with: &'a Arguments,
) -> Vec<(&'static str, Called<'a>)> {
    vec![
        ("getProfile", called(client.get_profile())),
        ("listDatabases", called(client.list_databases(&with.page))),
        ("getDatabase", called(client.get_database(with.database))),
        ("listDestinations", called(client.list_destinations(&with.page))),
        ("getDestination", called(client.get_destination(with.destination))),
        ("listDatabaseBackups", called(client.list_database_backups(with.database, &with.page))),
        ("triggerBackup", called(client.trigger_backup(with.database, "key"))),
        ("getBackup", called(client.get_backup(with.backup))),
        ("listEvidence", called(client.list_evidence(&with.evidence))),
        ("getEvidence", called(client.get_evidence(with.backup))),
        ("createRestore", called(client.create_restore(&with.create_restore, "key"))),
        ("getRestore", called(client.get_restore(with.restore))),
        ("getRecoverySummary", called(client.get_recovery_summary(with.database))),
        ("getRecoveryCandidate", called(client.get_recovery_candidate(with.database, with.incident))),
        ("getRecoveryWindowProof", called(client.get_recovery_window_proof(with.window))),
        ("createDatabase", called(client.create_database(&with.create_database, "key"))),
        ("updateDatabase", called(client.update_database(with.database, &with.update_database))),
        ("checkDatabase", called(client.check_database(with.database))),
        ("deleteDatabase", called(client.delete_database(with.database))),
        ("createDestination", called(client.create_destination(&with.create_destination, "key"))),
        ("updateDestination", called(client.update_destination(with.destination, &with.update_destination))),
        ("deleteDestination", called(client.delete_destination(with.destination))),
        ("preflightDestination", called(client.preflight_destination(with.destination))),
        ("cancelBackup", called(client.cancel_backup(with.backup))),
        ("dismissBackup", called(client.dismiss_backup(with.backup))),
        (
            "exportEvidence",
            called(
                client.export_evidence(with.backup, &ExportEvidenceQuery { checkpoint: Some(7), remembered: Some(7) }),
            ),
        ),
        ("listAuditStreams", called(client.list_audit_streams(&with.page))),
        ("listAuditEvents", called(client.list_audit_events(with.stream, &with.page))),
        ("verifyAuditStream", called(client.verify_audit_stream(with.stream))),
        ("listCheckpoints", called(client.list_checkpoints(&with.page))),
        ("getInclusionProof", called(client.get_inclusion_proof(with.stream, 7, Some(9)))),
        ("getConsistencyProof", called(client.get_consistency_proof(7, 9))),
        ("getReconciliation", called(client.get_reconciliation())),
        ("getReadiness", called(client.get_readiness())),
        ("getApiKey", called(client.get_api_key())),
        ("listTools", called(client.list_tools())),
        ("triggerRestore", called(session.trigger_restore(&with.trigger))),
        ("claimRestore", called(session.claim_restore())),
        ("refreshArtifactUrl", called(session.refresh_artifact_url())),
        ("reportRestore", called(session.report_restore(&with.report))),
    ]
}
