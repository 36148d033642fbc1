//! One restore, from the operator's flags to the reported end.

use std::time::Instant;

use walwarden_contract::ErrorCode;
use walwarden_contract::manifest::Manifest;
use walwarden_contract::model::{RestoreMode, RestoreReportPayload, RestoreState, TriggerRestoreRequest};

use super::archive::patch_offsets;
use super::download::{self, Downloaded, Source};
use super::options::{RestoreOptions, RestoreOutcome, RestoreRuntime, StepTimings};
use super::pg_restore;
use super::preflight::check_token;
use super::report::Reporter;
use super::target::Target;
use super::workspace::Workspace;
use super::{unless_cancelled, verify};
use crate::{Error, RestoreSessionClient};

/// Restores the backup that `session`'s token names, and reports every step.
///
/// Until the token is used, nothing is spent: the same token still works after an error in the flags, the tools or the
/// target. From then on the job ends in exactly one terminal state, which is reported.
///
/// # Errors
/// Any code of the catalog's restore sections. `network_error` after the data was restored says so in its message.
pub async fn execute(
    session: &RestoreSessionClient,
    manifest_hash: &str,
    options: &RestoreOptions,
    runtime: &RestoreRuntime<'_>,
) -> Result<RestoreOutcome, Error> {
    let started = Instant::now();
    options.check()?;
    check_token(session.payload(), manifest_hash, options.mode)?;
    let workspace = Workspace::create(&options.work_dir)?;
    let target = unless_cancelled(&runtime.cancel, Target::prepare(options, &workspace)).await?;
    let preflight_ms = millis(started);

    let reporter = Reporter::new(session, runtime);
    let request = TriggerRestoreRequest { manifest_hash: manifest_hash.to_owned(), mode: options.mode };
    if let Err(error) = unless_cancelled(&runtime.cancel, session.trigger_restore(&request)).await {
        if error.code() == ErrorCode::Cancelled {
            // The token may have been used all the same: then the job ends here, not at the watchdog.
            reporter.failed(&error).await;
        }
        return Err(error);
    }
    reporter.observe(RestoreState::Triggered, RestoreReportPayload::default());

    let mut job = Job {
        session,
        manifest_hash,
        options,
        runtime,
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

struct Job<'a> {
    session: &'a RestoreSessionClient,
    manifest_hash: &'a str,
    options: &'a RestoreOptions,
    runtime: &'a RestoreRuntime<'a>,
    workspace: &'a Workspace,
    target: &'a Target,
    warnings: Vec<String>,
    timings: StepTimings,
}

impl Job<'_> {
    /// Everything after the token was used. A failure is reported here, once.
    async fn run(&mut self, reporter: Reporter<'_>) -> Result<RestoreOutcome, Error> {
        let claimed = Instant::now();
        let claim = match unless_cancelled(&self.runtime.cancel, self.session.claim_restore()).await {
            Ok(claim) => claim,
            Err(error) => {
                reporter.failed(&error).await;
                return Err(error);
            }
        };
        let reporter = reporter.with_heartbeat_seconds(claim.heartbeat_seconds);
        reporter.observe(RestoreState::Claimed, RestoreReportPayload::default());
        let restored = async {
            let pinned = self.options.public_key_pem.as_deref();
            let manifest = verify::manifest(&claim, self.session.payload(), self.manifest_hash, pinned)?;
            let database = self.check_against(&manifest).await?;
            self.timings.claim_ms = millis(claimed);
            let url = claim.download.url.clone();
            let done = self.download_and_restore(&reporter, &manifest, url, &database).await?;
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
            mode: self.options.mode,
            size_bytes: done.downloaded.size_bytes,
            checksum_sha256: done.downloaded.checksum_sha256,
            warnings: std::mem::take(&mut self.warnings),
            ignored_errors: done.ignored_errors,
            jobs: self.options.effective_jobs(),
            timings: self.timings,
        })
    }

    /// Checks that need the manifest and no artifact. Returns the name of the database that will hold the data.
    async fn check_against(&mut self, manifest: &Manifest) -> Result<String, Error> {
        verify::tool_version(&self.target.pg_restore, manifest)?;
        let source = &manifest.source;
        if let Some(major) = verify::leading_number(&source.postgres_version)
            && self.target.server.major() < major
        {
            self.warnings.push(format!(
                "The target server is version {}, older than the source's {}: some objects may not be restorable.",
                self.target.server.version_text, source.postgres_version
            ));
        }
        if let Some(advisory) = self.target.pg_restore.advisory() {
            self.warnings.push(format!("pg_restore {}: {advisory}", self.target.pg_restore));
        }
        self.workspace.check_space(manifest.artifact.size_bytes)?;
        match (self.options.mode, &self.options.created_database) {
            (RestoreMode::InPlace, _) => Ok(self.options.first_database().to_owned()),
            (RestoreMode::NewDatabase, Some(name)) => Ok(name.clone()),
            (RestoreMode::NewDatabase, None) => {
                let name = &source.database_name;
                unless_cancelled(&self.runtime.cancel, self.target.check_absent(name)).await?;
                Ok(name.clone())
            }
        }
    }

    async fn download_and_restore(
        &mut self,
        reporter: &Reporter<'_>,
        manifest: &Manifest,
        url: String,
        database: &str,
    ) -> Result<Done, Error> {
        let step = Instant::now();
        reporter.reached(RestoreState::Downloading, RestoreReportPayload::default()).await?;
        let source = Source {
            http: self.runtime.download_http.clone(),
            session: self.session.clone(),
            url,
            size: manifest.artifact.size_bytes,
            retry: self.options.download_retry.clone(),
        };
        let (workspace, observer) = (self.workspace, self.runtime.observer);
        let downloaded = reporter
            .during(RestoreState::Downloading, |stop| download::download(source, workspace, stop, observer))
            .await?;
        self.timings.download_ms = millis(step);

        let step = Instant::now();
        let mut done = Done { downloaded, ignored_errors: 0 };
        let facts = RestoreReportPayload { size_bytes: Some(done.downloaded.size_bytes), ..Default::default() };
        reporter.reached(RestoreState::Verifying, facts).await?;
        let summary = verify::artifact(&done.downloaded, manifest)?;
        match summary {
            Some(summary) => {
                let file = done.downloaded.file.try_clone();
                let patch = tokio::task::spawn_blocking(move || patch_offsets(&file?, &summary));
                let patched = reporter.during(RestoreState::Verifying, |_| async { Ok(patch.await) }).await?;
                if !matches!(patched, Ok(Ok(_))) {
                    return Err(Error::new(ErrorCode::RestoreFailed, "The local copy's offsets could not be written."));
                }
            }
            None => self.warnings.push(
                "The archive's version is newer than this tool: it is restored as it is, which takes longer."
                    .to_owned(),
            ),
        }
        reporter.reached(RestoreState::ManifestVerified, self.payload(&done)).await?;
        self.timings.verify_ms = millis(step);

        // Nothing below this line runs unless the server has accepted that the artifact is verified.
        let step = Instant::now();
        reporter.reached(RestoreState::Restoring, self.payload(&done)).await?;
        let (target, options, artifact) = (self.target, self.options, self.workspace.artifact());
        let verdict = reporter
            .during(RestoreState::Restoring, |stop| pg_restore::restore(target, options, &artifact, database, stop))
            .await?;
        done.ignored_errors = verdict.ignored_errors;
        self.warnings.extend(verdict.warnings);
        self.timings.restore_ms = millis(step);

        let step = Instant::now();
        reporter.reached(RestoreState::Finalizing, self.payload(&done)).await?;
        if !options.leave_out.analyze {
            let analyzed = reporter
                .during(RestoreState::Finalizing, |stop| async move {
                    match unless_cancelled(&stop, target.analyze(database)).await {
                        Err(error) if error.code() != ErrorCode::Cancelled => Ok(Some(error)),
                        other => other.map(|()| None),
                    }
                })
                .await;
            match analyzed {
                Ok(None) => {}
                Ok(Some(error)) => self.warnings.push(format!(
                    "The data is restored, but ANALYZE failed, so queries may be slow until it is run: {error}"
                )),
                Err(error) => {
                    let message = format!("{error} The data is restored; ANALYZE was still running.");
                    return Err(error.with_message(message));
                }
            }
        }
        self.timings.analyze_ms = millis(step);
        Ok(done)
    }

    fn payload(&self, done: &Done) -> RestoreReportPayload {
        let version = &self.target.pg_restore;
        RestoreReportPayload {
            size_bytes: Some(done.downloaded.size_bytes),
            checksum_sha256: Some(done.downloaded.checksum_sha256.clone()),
            pg_restore_version: Some(format!("{}.{}", version.major, version.minor)),
            ignored_errors: Some(done.ignored_errors),
            error_code: None,
        }
    }
}

struct Done {
    downloaded: Downloaded,
    ignored_errors: u32,
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
