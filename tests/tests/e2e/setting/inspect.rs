//! Looking behind the API: the audit chain in the store, what is left in the bucket, what still runs, what leaked.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use walwarden_api::store::Store as Metadata;
use walwarden_api::store::backups::BackupJob;
use walwarden_contract::BackupJobId;
use walwarden_contract::audit::{AuditEvent, EventKind, conforms};
use walwarden_tests::canary::Place;
use walwarden_tests::process::descendants;
use walwarden_tests::runtime::block_on;
use walwarden_tests::wait::wait_for;

use super::Setting;

/// How long the server may take to clear away what a failed attempt left.
const CLEANUP: Duration = Duration::from_secs(15);

impl Setting<'_> {
    /// The audit chain of a job, read from the store itself, and verified: its hashes, its order, and what each event says.
    pub(crate) fn audit_chain(&self, job: &str) -> Result<Vec<AuditEvent>> {
        let events = block_on(async {
            let store = self.open_store().await?;
            let events = store.audit_chain(self.org_id, job).await;
            store.close().await;
            anyhow::Ok(events?)
        })
        .context("cannot read the store")?;
        conforms(&events).map_err(|wrong| anyhow!("{job}: {wrong}"))?;
        ensure!(!events.is_empty(), "{job} has no audit events");
        Ok(events)
    }

    /// A backup job as the store has it, its lease included.
    pub(crate) fn stored_job(&self, id: BackupJobId) -> Result<BackupJob> {
        let job = block_on(async {
            let store = self.open_store().await?;
            let job = store.backup(self.org_id, id).await;
            store.close().await;
            anyhow::Ok(job?)
        });
        job.context("cannot read the store")
    }

    /// Whether the store lets anybody write to it.
    pub(crate) fn can_write(&self) -> bool {
        let written = block_on(async {
            let store = self.open_store().await?;
            let writer = store.begin().await.map(drop);
            store.close().await;
            anyhow::Ok(writer?)
        });
        written.is_ok()
    }

    async fn open_store(&self) -> Result<Metadata> {
        Ok(match self.walwarden.metadata() {
            Some(database) => Metadata::open_postgres(&database.dsn().into()).await?,
            None => Metadata::open_sqlite(self.walwarden.data()).await?,
        })
    }

    /// The kinds of a job's verified audit chain, in order.
    pub(crate) fn audit_kinds(&self, job: impl std::fmt::Display) -> Result<Vec<EventKind>> {
        let events = self.audit_chain(&job.to_string())?;
        Ok(events.iter().map(|event| event.kind).collect())
    }

    /// Fails unless a job's audit chain is whole and consists of exactly these events.
    pub(crate) fn assert_audit(&self, job: BackupJobId, expected: &[EventKind]) -> Result<()> {
        let kinds = self.audit_kinds(job)?;
        ensure!(kinds == expected, "{job}: expected {expected:?}, found {kinds:?}");
        Ok(())
    }

    /// What must hold after every test: the bucket holds the artifacts and manifests of completed backups, probes of preflight and
    /// nothing else, no
    /// upload is unfinished, no `pg_dump` runs on either side, and no secret is in the data directory, the store or the bucket's keys.
    pub(crate) fn assert_no_leftovers(&self) -> Result<()> {
        self.assert_quiet()?;
        let found: BTreeSet<_> = self.keys()?.into_iter().collect();
        let expected: BTreeSet<_> = self.completed_keys()?.into_iter().collect();
        ensure!(found == expected, "the bucket holds {found:?}, completed backups are {expected:?}");
        Ok(())
    }

    /// The same without a look at the bucket's objects: for tests in which a whole artifact stays behind without a manifest.
    pub(crate) fn assert_quiet(&self) -> Result<()> {
        wait_for("unfinished uploads to be aborted", CLEANUP, || {
            let uploads = self.bucket.list_multipart_uploads()?;
            ensure!(uploads.is_empty(), "{uploads:?}");
            Ok(Some(()))
        })?;
        wait_for("pg_dump to be gone", CLEANUP, || {
            let backends = self.dump_backends()?;
            ensure!(backends == 0, "{backends} connections of pg_dump on the source server");
            let children = self.server.as_ref().map_or_else(Vec::new, |server| descendants(server.pid()));
            ensure!(!children.iter().any(|(_, name, _)| name == "pg_dump"), "pg_dump still runs");
            Ok(Some(()))
        })?;
        self.assert_no_secrets()
    }

    /// How many connections the product holds to the source: nobody else uses the owner's role while a backup runs.
    pub(crate) fn dump_backends(&self) -> Result<usize> {
        let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}'", self.source.user);
        Ok(self.context.postgres().psql("postgres", &sql)?.parse()?)
    }

    /// Every key in the bucket but those of preflight's probes and of checkpoints, which come whenever something has ended.
    pub(crate) fn keys(&self) -> Result<Vec<String>> {
        let others = ["preflight", "checkpoints"].map(|name| format!("org/{}/{name}/", self.org_id));
        let objects = self.bucket.list_objects("")?.into_iter();
        Ok(objects.map(|object| object.key).filter(|key| !others.iter().any(|other| key.starts_with(other))).collect())
    }

    /// The keys that completed backups account for.
    fn completed_keys(&self) -> Result<Vec<String>> {
        let list = self.get(&format!("/api/v1/databases/{}/backups?limit=200", self.database_id))?;
        let backups: Vec<walwarden_contract::model::Backup> = super::field(&list, "/backups")?;
        let artifacts = backups.into_iter().filter_map(|backup| backup.artifact);
        Ok(artifacts.flat_map(|artifact| [manifest_key(&artifact.key), artifact.key]).collect())
    }

    /// The trial itself searches output, logs and argv; this is what else the product writes.
    fn assert_no_secrets(&self) -> Result<()> {
        let data = self.walwarden.data();
        let store = match self.walwarden.metadata() {
            None => String::new(),
            Some(metadata) => self.metadata_server.as_ref().unwrap_or_else(|| self.context.postgres()).psql(
                &metadata.name,
                "SELECT query_to_xml('SELECT * FROM ' || quote_ident(table_name), true, false, '')
                 FROM information_schema.tables WHERE table_schema = 'public'",
            )?,
        };
        self.context.canaries().assert_nowhere(&[
            Place::Path(data),
            Place::Bytes("the store", store.as_bytes()),
            Place::Bytes("the bucket's keys", self.keys()?.join("\n").as_bytes()),
        ])
    }
}

/// The manifest's key beside its artifact's.
pub(crate) fn manifest_key(artifact: &str) -> String {
    format!("{}.manifest.json", artifact.trim_end_matches(".dump"))
}
