//! An installation with a completed backup, the restores that are asked of it, and what must hold after each.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{Backup, Restore, RestoreMode, RestoreSession, RestoreState};
use walwarden_contract::{ErrorCode, RestoreJobId};
use walwarden_tests::canary::{files_below, random_hex};
use walwarden_tests::harness::TestContext;
use walwarden_tests::postgres::{Database, TableDigests};
use walwarden_tests::process::{Output, Run};
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{Answer, Store};

use crate::SOON;
use crate::setting::{Options, Setting, field};

/// The events of a restore that succeeds.
pub(crate) const WHOLE: [K; 9] = [
    K::RestoreTokenIssued,
    K::RestoreTriggered,
    K::RestoreClaimed,
    K::RestoreDownloading,
    K::RestoreVerifying,
    K::RestoreManifestVerified,
    K::RestoreRestoring,
    K::RestoreFinalizing,
    K::RestoreCompleted,
];

/// An installation behind a fault proxy, with one completed backup.
pub(crate) struct Stage<'a> {
    pub(crate) context: &'a TestContext,
    pub(crate) setting: Setting<'a>,
    pub(crate) backup: Backup,
    /// What the source held, and every restored database must hold.
    pub(crate) digests: TableDigests,
    /// The restore machine's temporary directory.
    pub(crate) work: PathBuf,
}

/// A restore session: its job and its token.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: RestoreJobId,
    pub(crate) token: String,
    pub(crate) manifest_hash: String,
    pub(crate) mode: RestoreMode,
    pub(crate) created: Option<String>,
}

impl<'a> Stage<'a> {
    /// A small backup in a bucket that can be tampered with.
    pub(crate) fn new(context: &'a TestContext, store: Store) -> Result<Self> {
        let options = Options { object_lock: false, lock_mode: "none", ..Options::proxied() };
        Self::with(context, store, options)
    }

    pub(crate) fn with(context: &'a TestContext, store: Store, options: Options) -> Result<Self> {
        let setting = Setting::new(context, store, options)?;
        let backup = setting.backup_and_wait()?;
        let digests = context.postgres().table_digests(&setting.source.name)?;
        let work = context.directory().join("restore-machine");
        fs::create_dir(&work)?;
        Ok(Self { context, setting, backup, digests, work })
    }

    /// The backup's artifact key.
    pub(crate) fn key(&self) -> Result<&str> {
        Ok(&self.backup.artifact.as_ref().context("an artifact")?.key)
    }

    /// The maintenance database of the shared cluster, as the source's owner.
    pub(crate) fn maintenance(&self) -> Database {
        self.setting.source.sibling("postgres")
    }

    /// A database of the source's owner that holds what the source does.
    pub(crate) fn copy_of_source(&self) -> Result<Database> {
        let source = &self.setting.source;
        let copy = source.sibling(&format!("t_{}", random_hex(6)));
        let sql = format!("CREATE DATABASE {} OWNER {} TEMPLATE {}", copy.name, source.user, source.name);
        self.context.postgres().psql("postgres", &sql)?;
        Ok(copy)
    }

    /// The same, changed since: what a restore that must not happen would lose.
    pub(crate) fn precious(&self) -> Result<Database> {
        let target = self.copy_of_source()?;
        self.context.postgres().psql_as_owner(&target, "UPDATE shop.customers SET name = 'newer than the backup'")?;
        Ok(target)
    }

    /// Opens a session that creates a database with a name of its own.
    pub(crate) fn session(&self) -> Result<Session> {
        self.open(RestoreMode::NewDatabase, Some(format!("r_{}", random_hex(6))))
    }

    /// Opens a session.
    pub(crate) fn open(&self, mode: RestoreMode, created: Option<String>) -> Result<Session> {
        let request = json!({
            "backupJobId": self.backup.id,
            "mode": mode,
            "targetRedactedDsn": "postgresql://owner@target.example:5432/postgres",
            "createdDatabase": created,
            "confirmDestructive": mode == RestoreMode::InPlace,
        });
        let authorization = format!("Bearer {}", self.setting.api_key);
        let answer = self.post("/api/v1/restores", &authorization, &request)?;
        ensure!(answer.status == 202, "{} {}", answer.status, answer.json()?);
        let session: RestoreSession = serde_json::from_value(answer.json()?)?;
        self.context.canaries().register("a restore token", &session.token);
        Ok(Session {
            id: session.restore_job_id,
            token: session.token,
            manifest_hash: session.manifest_hash,
            mode,
            created,
        })
    }

    /// A request as `curl` would send it, with an idempotency key of its own.
    pub(crate) fn post(&self, path: &str, authorization: &str, body: &Value) -> Result<Answer> {
        let once = random_hex(16);
        let headers = [("authorization", authorization), ("idempotency-key", once.as_str())];
        self.setting.server()?.request("POST", path, &headers, Some(body))
    }

    /// `walwarden --json restore --manifest …` for a session, not yet started. The password is in the environment only.
    pub(crate) fn restore(&self, session: &Session, target: &Database) -> Result<Run> {
        let dsn = redacted(target);
        let mut run = self.setting.walwarden.cli(
            self.setting.server()?,
            None,
            &["--json", "restore", "--manifest", &session.manifest_hash, "--target", &dsn],
        )?;
        run = run.args(["--mode", session.mode.as_str()]);
        if let Some(created) = &session.created {
            run = run.args(["--created-database", created]);
        }
        if session.mode == RestoreMode::InPlace {
            run = run.arg("--confirm-destructive");
        }
        Ok(run.env("WALWARDEN_TOKEN", &session.token).env("PGPASSWORD", &target.password).env("TMPDIR", &self.work))
    }

    /// Restores, which must succeed.
    pub(crate) fn succeeds(&self, session: &Session, target: &Database) -> Result<Output> {
        let output = self.restore(session, target)?.output()?;
        self.assert_completed(session, &output)?;
        Ok(output)
    }

    /// Fails unless the restore succeeded and everything about it says so.
    pub(crate) fn assert_completed(&self, session: &Session, output: &Output) -> Result<()> {
        let output = output.clone().success()?;
        ensure!(output.stderr.is_empty(), "--json writes to stdout alone:\n{output}");
        let states: Vec<String> =
            output.json_lines()?.iter().map(|line| field(line, "/state")).collect::<Result<_>>()?;
        let expected = ["downloading", "verifying", "manifest_verified", "restoring", "finalizing", "completed"];
        ensure!(states == expected, "{output}");
        let job = self.job(session.id)?;
        ensure!(job.state == RestoreState::Completed && job.error.is_none(), "{job:?}");
        ensure!(job.finished_at.is_some(), "{job:?}");
        let kinds = self.setting.audit_kinds(session.id)?;
        let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != K::RestoreTokenRejected).collect();
        ensure!(kinds == WHOLE, "{kinds:?}");
        self.assert_clean()
    }

    /// Fails unless a database on the shared cluster holds what the source held.
    pub(crate) fn assert_restored(&self, database: &str) -> Result<()> {
        let restored = self.context.postgres().table_digests(database)?;
        ensure!(restored == self.digests, "{database} holds {restored:#?}, the source {:#?}", self.digests);
        Ok(())
    }

    /// The restore job, as the API shows it.
    pub(crate) fn job(&self, id: RestoreJobId) -> Result<Restore> {
        Ok(serde_json::from_value(self.setting.get(&format!("/api/v1/restores/{id}"))?)?)
    }

    /// Waits until the restore job is in this state.
    pub(crate) fn wait_job(&self, id: RestoreJobId, state: RestoreState) -> Result<Restore> {
        wait_for(&format!("{id} to be {}", state.as_str()), SOON, || {
            let job = self.job(id)?;
            ensure!(job.state == state, "it is {}", job.state);
            Ok(Some(job))
        })
    }

    /// Fails unless the command was refused with this code before the token was used, which therefore still works.
    pub(crate) fn assert_unused(&self, session: &Session, output: &Output, code: ErrorCode) -> Result<()> {
        assert_ending(output, "rejected", code)?;
        let job = self.job(session.id)?;
        ensure!(job.state == RestoreState::TokenIssued, "{job:?}");
        let kinds = self.setting.audit_kinds(session.id)?;
        let used = kinds.iter().find(|kind| !matches!(kind, K::RestoreTokenIssued | K::RestoreTokenRejected));
        ensure!(used.is_none(), "{kinds:?}");
        self.assert_untouched(session)
    }

    /// Fails unless the restore failed with this code, and the job with it: in this state, its chain ending after `reached`.
    pub(crate) fn assert_failed(
        &self,
        session: &Session,
        output: &Output,
        code: ErrorCode,
        state: RestoreState,
        reached: K,
    ) -> Result<()> {
        assert_ending(output, state.as_str(), code)?;
        let job = self.job(session.id)?;
        ensure!(job.state == state && job.finished_at.is_some(), "{job:?}");
        let last = match state {
            RestoreState::Cancelled => K::RestoreCancelled,
            _ => K::RestoreFailed,
        };
        let chain = self.setting.audit_chain(&session.id.to_string())?;
        let kinds: Vec<K> = chain.iter().map(|event| event.kind).collect();
        let steps = WHOLE.iter().position(|kind| *kind == reached).context("a step of a restore")?;
        let expected: Vec<K> = WHOLE[..=steps].iter().copied().chain([last]).collect();
        ensure!(kinds == expected, "{kinds:?}");
        if last == K::RestoreFailed {
            let payload = &chain.last().context("a last event")?.payload;
            ensure!(payload["errorCode"] == code.as_str(), "{payload}");
            ensure!(job.error.as_ref().is_some_and(|error| error.code == code), "{job:?}");
        }
        self.assert_clean()
    }

    /// Fails when the database that the session was to create is there.
    pub(crate) fn assert_untouched(&self, session: &Session) -> Result<()> {
        if let Some(created) = &session.created {
            ensure!(!self.context.postgres().database_exists(created)?, "{created} was created");
        }
        self.assert_clean()
    }

    /// What must hold after every restore: no temporary file, no secret in the data directory, the store or the bucket.
    pub(crate) fn assert_clean(&self) -> Result<()> {
        let left = files_below(&self.work)?;
        let directories = fs::read_dir(&self.work)?.count();
        ensure!(left.is_empty() && directories == 0, "left on the restore machine: {left:?}");
        self.setting.assert_quiet()
    }
}

impl Drop for Stage<'_> {
    /// The signature of every presigned URL that went through the proxy becomes a canary, which the trial then searches for.
    fn drop(&mut self) {
        let Ok(proxy) = self.setting.proxy() else { return };
        for request in proxy.requests() {
            if let Some(signature) = request.query_value("X-Amz-Signature") {
                self.context.canaries().register("a presigned URL's signature", signature);
            }
        }
    }
}

/// A connection string without the password, as an operator types it.
pub(crate) fn redacted(target: &Database) -> String {
    format!("postgresql://{}@{}:{}/{}", target.user, target.host, target.port, target.name)
}

/// Fails unless the JSON Lines end in exactly one last line, in this state and with this code, and the exit code is the code's.
pub(crate) fn assert_ending(output: &Output, state: &str, code: ErrorCode) -> Result<()> {
    let output = output.clone().exit(code.exit().code().into())?;
    ensure!(output.stderr.is_empty(), "--json writes to stdout alone:\n{output}");
    let lines = output.json_lines()?;
    let ends = lines.iter().filter(|line| line.pointer("/payload/error").is_some()).count();
    let last = lines.last().with_context(|| format!("no line in\n{output}"))?;
    ensure!(
        ends == 1 && last["state"] == state && last.pointer("/payload/error/code") == Some(&json!(code.as_str())),
        "expected {state} with {code}:\n{output}"
    );
    Ok(())
}
