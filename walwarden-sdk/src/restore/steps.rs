//! The steps of a restore that has its manifest: download, verification, `pg_restore`, `ANALYZE`; each reported first.

use std::time::Instant;

use walwarden_contract::ErrorCode;
use walwarden_contract::manifest::Manifest;
use walwarden_contract::model::{RestoreReportPayload, RestoreState};

use super::archive::{ArchiveSummary, patch_offsets};
use super::download::{self, Downloaded, Source};
use super::events::RestoreEvent;
use super::pipeline::{Job, millis};
use super::report::{Reporter, unreported};
use super::{pg_restore, unless_cancelled, verify};
use crate::Error;

const NOT_PATCHED: &str = "The archive's version is newer than this tool: it is restored as it is, which takes longer.";

/// What the steps have found out.
pub(super) struct Done {
    pub(super) downloaded: Downloaded,
    pub(super) ignored_errors: u32,
}

impl Job<'_> {
    /// Takes every step, in order.
    pub(super) async fn steps(
        &mut self,
        reporter: &Reporter<'_>,
        manifest: &Manifest,
        url: String,
        database: &str,
    ) -> Result<Done, Error> {
        let step = Instant::now();
        let downloaded = self.download(reporter, manifest, url).await?;
        self.timings.download_ms = millis(step);

        let step = Instant::now();
        let mut done = Done { downloaded, ignored_errors: 0 };
        let entries = self.verify(reporter, manifest, &done).await?;
        self.timings.verify_ms = millis(step);

        // Nothing below this line runs unless the server has accepted that the artifact is verified.
        let step = Instant::now();
        self.restore(reporter, &mut done, entries, database).await?;
        self.timings.restore_ms = millis(step);

        let step = Instant::now();
        let finalizing = reporter.reached(RestoreState::Finalizing, self.payload(&done)).await;
        finalizing.map_err(|error| after_the_data(error, database))?;
        if !self.executor.options.leave_out.analyze {
            self.analyze(reporter, database).await?;
        }
        self.timings.analyze_ms = millis(step);
        Ok(done)
    }

    async fn download(&self, reporter: &Reporter<'_>, manifest: &Manifest, url: String) -> Result<Downloaded, Error> {
        reporter.reached(RestoreState::Downloading, RestoreReportPayload::default()).await?;
        let source = Source {
            http: self.download_http.clone(),
            session: self.session.clone(),
            url,
            size: manifest.artifact.size_bytes,
            retry: self.executor.options.download_retry.clone(),
        };
        let (workspace, observer) = (self.workspace, &*self.executor.observer);
        reporter.during(RestoreState::Downloading, |stop| download::download(source, workspace, stop, observer)).await
    }

    /// Compares the artifact with the manifest and writes the offsets into the local copy. Returns how many entries of
    /// the archive have data, where that is known.
    async fn verify(
        &mut self,
        reporter: &Reporter<'_>,
        manifest: &Manifest,
        done: &Done,
    ) -> Result<Option<u64>, Error> {
        let bytes = done.downloaded.size_bytes;
        let facts = RestoreReportPayload { size_bytes: Some(bytes), ..Default::default() };
        reporter.reached(RestoreState::Verifying, facts).await?;
        self.executor.observe(RestoreEvent::Verifying { bytes });
        let summary = verify::artifact(&done.downloaded, manifest)?;
        let entries = summary.as_ref().map(|summary| summary.data_entries.len() as u64);
        match summary {
            Some(summary) => patch(reporter, &done.downloaded, summary).await?,
            None => self.warnings.push(NOT_PATCHED.to_owned()),
        }
        let checksum_sha256 = done.downloaded.checksum_sha256.clone();
        self.executor.observe(RestoreEvent::Verified { checksum_sha256 });
        reporter.reached(RestoreState::ManifestVerified, self.payload(done)).await?;
        Ok(entries)
    }

    async fn restore(
        &mut self,
        reporter: &Reporter<'_>,
        done: &mut Done,
        entries: Option<u64>,
        database: &str,
    ) -> Result<(), Error> {
        reporter.reached(RestoreState::Restoring, self.payload(done)).await?;
        let (target, options, artifact) = (self.target, &self.executor.options, self.workspace.artifact());
        self.executor.observe(RestoreEvent::Restoring {
            database: database.to_owned(),
            bytes: done.downloaded.size_bytes,
            entries,
            jobs: options.effective_jobs(),
        });
        let verdict = reporter
            .during(RestoreState::Restoring, |stop| pg_restore::restore(target, options, &artifact, database, stop))
            .await?;
        done.ignored_errors = verdict.ignored_errors;
        self.warnings.extend(verdict.warnings);
        Ok(())
    }

    /// The data is restored by now: a failure is a warning, and an interruption says so.
    async fn analyze(&mut self, reporter: &Reporter<'_>, database: &str) -> Result<(), Error> {
        self.executor.observe(RestoreEvent::Analyzing { database: database.to_owned() });
        let target = self.target;
        let analyzed = reporter
            .during(RestoreState::Finalizing, |stop| async move {
                match unless_cancelled(&stop, target.analyze(database)).await {
                    Err(error) if error.code() != ErrorCode::Cancelled => Ok(Some(error)),
                    other => other.map(|()| None),
                }
            })
            .await;
        let failed = analyzed.map_err(|error| after_the_data(error, database))?;
        self.warnings.extend(failed.map(|error| {
            format!("The data is restored, but ANALYZE failed, so queries may be slow until it is run: {error}")
        }));
        Ok(())
    }

    pub(super) fn payload(&self, done: &Done) -> RestoreReportPayload {
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

/// An error after `pg_restore` has ended well. An interruption stays one, and says what is there.
fn after_the_data(error: Error, database: &str) -> Error {
    if error.code() == ErrorCode::Cancelled {
        let message = format!("{error} The data is restored into {database:?}; its statistics may be missing.");
        return error.with_message(message);
    }
    unreported(&error, database)
}

/// Writes the offsets that a piped archive lacks into the verified local copy, so that jobs need not search for them.
async fn patch(reporter: &Reporter<'_>, downloaded: &Downloaded, summary: ArchiveSummary) -> Result<(), Error> {
    let file = downloaded.file.try_clone();
    let patch = tokio::task::spawn_blocking(move || patch_offsets(&file?, &summary));
    let patched = reporter.during(RestoreState::Verifying, |_| async { Ok(patch.await) }).await?;
    if matches!(patched, Ok(Ok(_))) {
        return Ok(());
    }
    Err(Error::new(ErrorCode::RestoreFailed, "The local copy's offsets could not be written."))
}
