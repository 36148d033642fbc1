//! The artifact, from the bucket into a private file: ranges in parallel, in order, hashed and parsed while written.
//!
//! Memory: [`IN_FLIGHT`] ranges on their way or arrived, one being handed over, one queued and one being written, so
//! nine ranges or 72 MiB at most.

mod range;
mod sink;

use std::fs::File;
use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use walwarden_contract::ErrorCode;

use super::archive::{ArchiveError, ArchiveSummary};
use super::events::RestoreEvent;
use super::workspace::Workspace;
use crate::{Error, RestoreSessionClient, RetryPolicy};
use range::{Fetcher, Range};

/// The guidance of S3 providers for ranged reads is 8 to 16 MiB.
const RANGE_BYTES: u64 = 8 << 20;
const IN_FLIGHT: usize = 6;

/// Where the artifact comes from.
pub(super) struct Source {
    pub(super) http: reqwest::Client,
    pub(super) session: RestoreSessionClient,
    /// The presigned URL of the claim: a secret.
    pub(super) url: String,
    /// The length that the verified manifest commits to.
    pub(super) size: u64,
    pub(super) retry: RetryPolicy,
}

/// The artifact on this machine. Its checksum is not yet compared with anything.
#[derive(Debug)]
pub(super) struct Downloaded {
    pub(super) file: File,
    pub(super) size_bytes: u64,
    pub(super) checksum_sha256: String,
    /// What the archive holds, or why it is none.
    pub(super) archive: Result<ArchiveSummary, ArchiveError>,
}

/// Downloads the whole artifact.
pub(super) async fn download(
    source: Source,
    workspace: &Workspace,
    stop: CancellationToken,
    observer: &(dyn Fn(RestoreEvent) + Send + Sync),
) -> Result<Downloaded, Error> {
    download_in_ranges(source, workspace, stop, observer, RANGE_BYTES).await
}

async fn download_in_ranges(
    source: Source,
    workspace: &Workspace,
    stop: CancellationToken,
    observer: &(dyn Fn(RestoreEvent) + Send + Sync),
    range_bytes: u64,
) -> Result<Downloaded, Error> {
    let total = source.size;
    let fetcher = Arc::new(Fetcher::new(source)?);
    let (sender, sink) = sink::start(workspace.create_artifact()?);
    let transfer = async {
        let fetch = |range: Range| {
            // A task of its own, so that ranges keep arriving while an earlier one is handed over.
            let fetcher = Arc::clone(&fetcher);
            AbortOnDropHandle::new(tokio::spawn(async move { fetcher.fetch(range).await }))
        };
        let mut ranges = stream::iter(Range::all(total, range_bytes)).map(fetch).buffered(IN_FLIGHT);
        let mut bytes = 0;
        while let Some(arrived) = ranges.next().await {
            let chunk = arrived.map_err(|_| interrupted())??;
            bytes += chunk.len() as u64;
            if sender.send(chunk).await.is_err() {
                // The sink has ended early, and says why below.
                return Ok(());
            }
            observer(RestoreEvent::Downloaded { bytes, total });
        }
        Ok(())
    };
    let transferred = super::unless_cancelled(&stop, transfer).await;
    drop(sender);
    let written = sink.await.map_err(|_| interrupted())?;
    transferred?;
    written
}

fn interrupted() -> Error {
    Error::new(ErrorCode::DownloadFailed, "The download was interrupted on this machine.")
}

#[cfg(test)]
mod tests;
