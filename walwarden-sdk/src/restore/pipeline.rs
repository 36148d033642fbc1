//! One restore, from the operator's flags to the reported end. What lies between claim and end is in [`super::steps`].

use std::time::Instant;

use walwarden_contract::ErrorCode;
use walwarden_contract::manifest::Manifest;
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState, TriggerRestoreRequest};

use super::events::RestoreEvent;
use super::executor::Executor;
use super::options::{RestoreOutcome, StepTimings};
use super::preflight::check_token;
use super::report::Reporter;
use super::target::Target;
use super::workspace::Workspace;
use super::{unless_cancelled, verify};
use crate::{Error, RestoreSessionClient};

const NEW_SESSION: &str = "Open a new restore session and restore again: this token may be used up.";

impl Executor {
    /// Restores the backup that `session`'s token names, and reports every step.
    ///
    /// Until the token is used, nothing is spent: the same token still works after an error in the flags, the tools or the
    /// target. From then on the job ends in exactly one terminal state, which is reported.
    ///
    /// # Errors
    /// Any code of the catalog's restore sections. `restore_unreported` says that the data is restored.
    pub async fn run(&self, session: &RestoreSessionClient, manifest_hash: &str) -> Result<RestoreOutcome, Error> {
        let started = Instant::now();
        let options = &self.options;
        options.check()?;
        check_token(session.payload(), manifest_hash, options.mode)?;
        let download_http = self.download_http()?;
        let workspace = Workspace::create(&options.work_dir)?;
        let prepared = async {
            let target = Target::prepare(options, Some(workspace.path())).await?;
            self.check_pinned(&target, manifest_hash).await?;
            Ok(target)
        };
        let target = unless_cancelled(&self.cancel, prepared).await?;
        let preflight_ms = millis(started);

        let reporter = Reporter::new(session, self);
        let request = TriggerRestoreRequest { manifest_hash: manifest_hash.to_owned(), mode: options.mode };
        if let Err(error) = unless_cancelled(&self.cancel, session.trigger_restore(&request)).await {
            if !leaves_in_doubt(&error) {
                return Err(error);
            }
            // The token may have been used all the same: then the job ends here, not at the watchdog.
            self.observe(RestoreEvent::TokenInDoubt);
            reporter.failed(&error).await;
            return Err(error.with_next_action(NEW_SESSION));
        }
        reporter.observe(RestoreState::Triggered, RestoreReportPayload::default());

        let mut job = Job {
            session,
            manifest_hash,
            executor: self,
            download_http,
            workspace: &workspace,
            target: &target,
            warnings: Vec::new(),
            timings: StepTimings { preflight_ms, ..StepTimings::default() },
        };
        let outcome = job.run(reporter).await;
        if let Err(error) = workspace.close() {
            tracing::warn!(%error, "the private directory could not be removed");
        }
        outcome
    }
}

/// A restore whose token was used.
pub(super) struct Job<'a> {
    pub(super) session: &'a RestoreSessionClient,
    pub(super) manifest_hash: &'a str,
    pub(super) executor: &'a Executor,
    pub(super) download_http: reqwest::Client,
    pub(super) workspace: &'a Workspace,
    pub(super) target: &'a Target,
    pub(super) warnings: Vec<String>,
    pub(super) timings: StepTimings,
}

impl Job<'_> {
    /// Everything after the token was used. A failure is reported here, once.
    async fn run(&mut self, reporter: Reporter<'_>) -> Result<RestoreOutcome, Error> {
        let claimed = Instant::now();
        let claim = match unless_cancelled(&self.executor.cancel, self.session.claim_restore()).await {
            Ok(claim) => claim,
            Err(error) => {
                reporter.failed(&error).await;
                return Err(error);
            }
        };
        let reporter = reporter.with_heartbeat_seconds(claim.heartbeat_seconds);
        reporter.observe(RestoreState::Claimed, RestoreReportPayload::default());
        let restored = async {
            let pinned = self.executor.options.public_key_pem.as_deref();
            let manifest = verify::manifest(&claim, self.session.payload(), self.manifest_hash, pinned)?;
            let database = self.check_against(&manifest).await?;
            self.timings.claim_ms = millis(claimed);
            let done = self.steps(&reporter, &manifest, claim.download.url.clone(), &database).await?;
            Ok((database, done))
        };
        let (database, done) = match restored.await {
            Ok(restored) => restored,
            Err(error) => {
                if !reporter.failed(&error).await {
                    tracing::warn!("the failure could not be reported; the server will seal the job as timed out");
                }
                return Err(error);
            }
        };
        reporter.completed(self.payload(&done), &database).await?;
        Ok(RestoreOutcome {
            restore_job_id: self.session.restore_job_id(),
            database,
            mode: self.executor.options.mode,
            size_bytes: done.downloaded.size_bytes,
            checksum_sha256: done.downloaded.checksum_sha256,
            warnings: std::mem::take(&mut self.warnings),
            ignored_errors: done.ignored_errors,
            jobs: self.executor.options.effective_jobs(),
            timings: self.timings,
        })
    }

    /// Checks that need the manifest and no artifact. Returns the name of the database that will hold the data.
    async fn check_against(&mut self, manifest: &Manifest) -> Result<String, Error> {
        verify::tool_version(&self.target.pg_restore, manifest)?;
        let source = &manifest.source;
        if let Some(major) = verify::leading_number(&source.postgres_version)
            && self.target.survey.major() < major
        {
            self.warnings.push(format!(
                "The target server is version {}, older than the source's {}: some objects may not be restorable.",
                self.target.survey.version_text, source.postgres_version
            ));
        }
        if let Some(advisory) = self.target.pg_restore.advisory() {
            self.warnings.push(format!("pg_restore {}: {advisory}", self.target.pg_restore));
        }
        self.workspace.check_space(manifest.artifact.size_bytes)?;
        match (self.executor.options.mode, &self.executor.options.created_database) {
            (RestoreMode::InPlace, _) => Ok(self.executor.options.first_database().to_owned()),
            (RestoreMode::NewDatabase, Some(name)) => Ok(name.clone()),
            (RestoreMode::NewDatabase, None) => {
                let name = &source.database_name;
                unless_cancelled(&self.executor.cancel, self.target.check_absent(name)).await?;
                Ok(name.clone())
            }
        }
    }
}

/// Whether the token may be used up although its use was not confirmed.
fn leaves_in_doubt(error: &Error) -> bool {
    let unknown = |code| {
        matches!(
            code,
            ErrorCode::NetworkError
                | ErrorCode::Timeout
                | ErrorCode::UnexpectedResponse
                | ErrorCode::ServiceUnavailable
                | ErrorCode::InternalError
                | ErrorCode::Cancelled
        )
    };
    error.code().is(unknown)
}

pub(super) fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
