//! One range of the artifact: asked for, checked, repeated, and asked for under a fresh URL when the old one expired.

use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use tokio::sync::Mutex;
use walwarden_contract::{ErrorBody, ErrorCode};

use super::Source;
use crate::http::{check_scheme, transport_text};
use crate::retry::{self, Failure};
use crate::{Error, RestoreSessionClient, RetryPolicy};

/// Bytes of the artifact: `start..end` of `total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    start: u64,
    end: u64,
    total: u64,
}

impl Range {
    /// Every range of an artifact, in order.
    pub(super) fn all(total: u64, size: u64) -> impl Iterator<Item = Self> {
        let count = total.div_ceil(size);
        (0..count).map(move |index| {
            let start = index * size;
            Self { start, end: start.saturating_add(size).min(total), total }
        })
    }

    fn len(self) -> u64 {
        self.end - self.start
    }

    fn is_whole(self) -> bool {
        self.start == 0 && self.end == self.total
    }
}

/// The presigned URL in use. The generation tells whether another range has refreshed it meanwhile.
struct Current {
    url: Url,
    generation: u64,
}

pub(super) struct Fetcher {
    http: reqwest::Client,
    session: RestoreSessionClient,
    current: Mutex<Current>,
    retry: RetryPolicy,
}

/// Why an attempt gave no bytes.
enum Refusal {
    /// The URL is not honoured: expired, most likely.
    Denied(StatusCode),
    Failed(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::DownloadFailed, message)
}

fn passing(message: impl Into<String>) -> Failure {
    Failure { error: failed(message), repeat: true }
}

fn lasting(error: Error) -> Failure {
    Failure { error, repeat: false }
}

impl Fetcher {
    pub(super) fn new(source: Source) -> Result<Self, Error> {
        let url = parse_url(&source.url, &source.session)?;
        let current = Mutex::new(Current { url, generation: 0 });
        Ok(Self { http: source.http, session: source.session, current, retry: source.retry })
    }

    /// Gets a range, however often that takes within the policy.
    pub(super) async fn fetch(&self, range: Range) -> Result<Vec<u8>, Error> {
        retry::run(&self.retry, || self.attempt(range)).await
    }

    async fn attempt(&self, range: Range) -> Result<Vec<u8>, Failure> {
        let (url, generation) = {
            let current = self.current.lock().await;
            (current.url.clone(), current.generation)
        };
        match self.get(url, range).await {
            Ok(bytes) => return Ok(bytes),
            Err(Refusal::Failed(failure)) => return Err(failure),
            Err(Refusal::Denied(_)) => {}
        }
        let url = self.refreshed(generation).await.map_err(lasting)?;
        self.get(url, range).await.map_err(|refusal| match refusal {
            Refusal::Failed(failure) => failure,
            Refusal::Denied(status) => passing(format!("The bucket answered {status} to a fresh URL.")),
        })
    }

    /// A URL newer than the one of `generation`; asks the API for it unless another range already has.
    async fn refreshed(&self, generation: u64) -> Result<Url, Error> {
        let mut current = self.current.lock().await;
        if current.generation == generation {
            let fresh = self.session.refresh_artifact_url().await?;
            current.url = parse_url(&fresh.url, &self.session)?;
            current.generation += 1;
        }
        Ok(current.url.clone())
    }

    async fn get(&self, url: Url, range: Range) -> Result<Vec<u8>, Refusal> {
        let wanted = format!("bytes={}-{}", range.start, range.end - 1);
        let request = self.http.get(url).header(RANGE, wanted).header(ACCEPT_ENCODING, "identity");
        let response = request.send().await.map_err(broken)?;
        check_answer(&response, range)?;
        Ok(read(response, range).await?)
    }
}

/// A presigned URL from the API. Never part of a message: whoever has it can read the artifact.
fn parse_url(text: &str, session: &RestoreSessionClient) -> Result<Url, Error> {
    let unusable = |reason: &str| Error::new(ErrorCode::UnexpectedResponse, format!("The artifact's URL {reason}."));
    let url = Url::parse(text).map_err(|_| unusable("cannot be read"))?;
    check_scheme(&url, session.allow_insecure_http()).map_err(unusable)?;
    Ok(url)
}

fn broken(error: reqwest::Error) -> Failure {
    passing(format!("The artifact could not be downloaded: {}.", transport_text(error)))
}

/// Accepts only what holds exactly the range that was asked for, of an object of exactly the expected length.
fn check_answer(response: &Response, range: Range) -> Result<(), Refusal> {
    let status = response.status();
    match status.as_u16() {
        206 => {
            let answered =
                response.headers().get(CONTENT_RANGE).and_then(|value| parse_content_range(value.to_str().ok()?));
            match answered {
                Some((_, _, total)) if total != range.total => Err(lasting(wrong_length(Some(total), range)).into()),
                Some((start, end, _)) if (start, end) == (range.start, range.end) => Ok(()),
                _ => Err(passing("The bucket answered with another range than the one asked for.").into()),
            }
        }
        200 if range.is_whole() => match response.content_length() {
            Some(length) if length != range.total => Err(lasting(wrong_length(Some(length), range)).into()),
            _ => Ok(()),
        },
        200 => Err(lasting(failed("The bucket ignores ranges.")).into()),
        // Providers answer expired URLs with 403, some with 400 or 401.
        400 | 401 | 403 => Err(Refusal::Denied(status)),
        404 => Err(lasting(failed("The artifact is not in the bucket.")).into()),
        416 => Err(lasting(wrong_length(None, range)).into()),
        408 | 429 | 500..=599 => {
            let seconds =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            let retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1000));
            let message = format!("The bucket answered {status}.");
            let body = ErrorBody { retry_after_ms, ..ErrorBody::new(ErrorCode::DownloadFailed, message) };
            Err(Failure { error: Error::from(body), repeat: true }.into())
        }
        _ => Err(lasting(failed(format!("The bucket answered {status}."))).into()),
    }
}

fn wrong_length(total: Option<u64>, range: Range) -> Error {
    let found = total.map_or_else(|| "is shorter".to_owned(), |total| format!("has {total} bytes"));
    let message = format!(
        "The artifact in the bucket {found}; the manifest commits to {} bytes. The target was not touched.",
        range.total
    );
    Error::new(ErrorCode::ArtifactChecksumMismatch, message)
}

/// `bytes 0-9/100` as start, end (exclusive) and total.
fn parse_content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    Some((start.parse().ok()?, last.parse::<u64>().ok()?.checked_add(1)?, total.parse().ok()?))
}

async fn read(mut response: Response, range: Range) -> Result<Vec<u8>, Failure> {
    let expected = usize::try_from(range.len()).map_err(|_| passing("The range does not fit into memory."))?;
    let mut bytes = Vec::with_capacity(expected);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > expected {
            return Err(passing("The bucket sent more bytes than it announced."));
        }
    }
    if bytes.len() < expected {
        return Err(passing(format!("The bucket sent {} of {expected} bytes.", bytes.len())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_ranges_are_read_strictly() {
        assert_eq!(parse_content_range("bytes 0-9/100"), Some((0, 10, 100)));
        for bad in ["", "bytes */100", "bytes 0-9/*", "bytes 0-9", "0-9/100", "bytes 0-18446744073709551615/1"] {
            assert_eq!(parse_content_range(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ranges_cover_the_artifact_without_gaps(total in 1_u64..100_000, size in 1_u64..5_000) {
            let ranges: Vec<Range> = Range::all(total, size).collect();
            prop_assert_eq!(ranges.first().map(|range| range.start), Some(0));
            prop_assert_eq!(ranges.last().map(|range| range.end), Some(total));
            for pair in ranges.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
            prop_assert!(ranges.iter().all(|range| range.len() > 0 && range.len() <= size));
            prop_assert_eq!(ranges.len() == 1, ranges[0].is_whole());
        }
    }
}
