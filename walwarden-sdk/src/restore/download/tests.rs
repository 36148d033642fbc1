use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use walwarden_contract::model::{ArtifactUrl, RestoreMode};
use walwarden_contract::token::{self, TokenPayload};
use walwarden_contract::{DatabaseId, OrgId, RestoreJobId, Timestamp};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::WalwardenClient;

const RANGE: u64 = 1000;
const SECRET_QUERY: &str = "X-Amz-Signature=canary";

fn artifact() -> Vec<u8> {
    (0..10_500_u32).map(|index| u8::try_from(index % 251).expect("below 251")).collect()
}

fn asked(request: &Request) -> (usize, usize) {
    let header = request.headers.get("range").and_then(|value| value.to_str().ok()).expect("a range");
    let (start, last) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("one range");
    (start.parse().expect("a number"), last.parse::<usize>().expect("a number") + 1)
}

fn partial(body: &[u8], start: usize, end: usize, total: usize) -> ResponseTemplate {
    let range = format!("bytes {start}-{}/{total}", end - 1);
    ResponseTemplate::new(206).insert_header("content-range", range).set_body_bytes(body)
}

/// A bucket that serves `content` as S3 does.
fn honest(content: &[u8], request: &Request) -> ResponseTemplate {
    let (start, end) = asked(request);
    if start >= content.len() {
        return ResponseTemplate::new(416);
    }
    let end = end.min(content.len());
    partial(&content[start..end], start, end, content.len())
}

struct World {
    server: MockServer,
    directory: tempfile::TempDir,
    refreshed: std::sync::Arc<AtomicUsize>,
}

impl World {
    async fn new(bucket: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static) -> Self {
        let server = MockServer::start().await;
        Mock::given(method("GET")).and(path("/artifact")).respond_with(bucket).mount(&server).await;
        let refreshed = std::sync::Arc::new(AtomicUsize::new(0));
        let (count, base) = (std::sync::Arc::clone(&refreshed), server.uri());
        let refresh = move |_: &Request| {
            count.fetch_add(1, Ordering::SeqCst);
            let expires_at = Timestamp::from_millis(0).expect("in range");
            let url = format!("{base}/artifact?fresh=yes&{SECRET_QUERY}");
            ResponseTemplate::new(200).set_body_json(ArtifactUrl { url, expires_at })
        };
        Mock::given(method("POST")).respond_with(refresh).mount(&server).await;
        Self { server, directory: tempfile::tempdir().expect("temporary directory"), refreshed }
    }

    fn source(&self, size: usize) -> Source {
        let payload = TokenPayload {
            org_id: OrgId::from_uuid(Uuid::nil()),
            database_id: DatabaseId::from_uuid(Uuid::nil()),
            manifest_hash: String::new(),
            mode: RestoreMode::NewDatabase,
            job_intent_id: RestoreJobId::from_uuid(Uuid::nil()),
            exp: Timestamp::from_millis(0).expect("in range"),
        };
        let http = crate::download_http_client().expect("a client");
        let token = SecretString::from(token::issue(&payload, &[1; 32]));
        let retry = RetryPolicy { max_retries: 3, min_delay: Duration::from_millis(1), ..RetryPolicy::default() };
        Source {
            session: WalwardenClient::builder().base_url(self.server.uri()).restore_session(token).expect("a session"),
            http,
            url: format!("{}/artifact?{SECRET_QUERY}", self.server.uri()),
            size: size as u64,
            retry,
        }
    }

    async fn download(&self, size: usize) -> Result<(Downloaded, Vec<u8>), Error> {
        let workspace = Workspace::create(self.directory.path())?;
        let stop = CancellationToken::new();
        let downloaded = download_in_ranges(self.source(size), &workspace, stop, &|_| {}, RANGE).await?;
        let bytes = std::fs::read(workspace.artifact()).expect("readable");
        Ok((downloaded, bytes))
    }

    async fn refusal(&self, size: usize) -> ErrorCode {
        let error = self.download(size).await.expect_err("refused");
        assert!(!error.to_string().contains("canary") && !error.to_string().contains("X-Amz"), "{error}");
        error.code().known().expect("a known code")
    }
}

#[tokio::test]
async fn ranges_arrive_whole_and_in_order() {
    let world = World::new(|request: &Request| honest(&artifact(), request)).await;
    let (downloaded, bytes) = world.download(artifact().len()).await.expect("downloaded");
    assert_eq!(bytes, artifact());
    assert_eq!(downloaded.size_bytes, artifact().len() as u64);
    assert_eq!(downloaded.checksum_sha256, hex::encode(Sha256::digest(artifact())));
    assert_eq!(downloaded.archive, Err(ArchiveError::NotAnArchive));
    assert_eq!(world.server.received_requests().await.map(|requests| requests.len()), Some(11));
}

#[tokio::test]
async fn a_flipped_byte_shows_in_the_hash() {
    let mut flipped = artifact();
    flipped[5000] ^= 1;
    let world = World::new(move |request: &Request| honest(&flipped, request)).await;
    let (downloaded, _) = world.download(artifact().len()).await.expect("downloaded");
    assert_ne!(downloaded.checksum_sha256, hex::encode(Sha256::digest(artifact())));
}

#[tokio::test]
async fn short_bodies_and_server_errors_are_asked_for_again() {
    let seen = Mutex::new(std::collections::HashMap::new());
    let world = World::new(move |request: &Request| {
        let (start, end) = asked(request);
        let mut seen = seen.lock().expect("not poisoned");
        let attempt = seen.entry(start).and_modify(|attempt| *attempt += 1).or_insert(0);
        let content = artifact();
        let end = end.min(content.len());
        match (start / 1000 % 3, *attempt) {
            (0, 0) => partial(&content[start..end - 1], start, end, content.len()),
            (1, 0) => ResponseTemplate::new(503),
            (1, 1) => partial(&content[start..end], start, end, content.len()).set_delay(Duration::from_millis(5)),
            (2, 0) => partial(&content[start..end], start + 1, end + 1, content.len()),
            _ => honest(&content, request),
        }
    })
    .await;
    let (_, bytes) = world.download(artifact().len()).await.expect("downloaded");
    assert_eq!(bytes, artifact());
}

#[tokio::test]
async fn what_never_becomes_whole_is_given_up() {
    let world = World::new(|request: &Request| {
        let (start, end) = asked(request);
        partial(&artifact()[start..end - 1], start, end, artifact().len())
    })
    .await;
    assert_eq!(world.refusal(artifact().len()).await, ErrorCode::DownloadFailed);
    let left = std::fs::read_dir(world.directory.path()).expect("readable").count();
    assert_eq!(left, 0, "the partial artifact stayed");
}

#[tokio::test]
async fn an_expired_url_is_refreshed_once_for_all_ranges() {
    for status in [403, 400] {
        let world = World::new(move |request: &Request| {
            if request.url.query().is_some_and(|query| query.contains("fresh")) {
                honest(&artifact(), request)
            } else {
                ResponseTemplate::new(status).set_delay(Duration::from_millis(20))
            }
        })
        .await;
        let (_, bytes) = world.download(artifact().len()).await.expect("downloaded");
        assert_eq!(bytes, artifact());
        assert_eq!(world.refreshed.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_bucket_that_refuses_fresh_urls_is_given_up() {
    let world = World::new(|_: &Request| ResponseTemplate::new(403)).await;
    assert_eq!(world.refusal(500).await, ErrorCode::DownloadFailed);
    assert_eq!(world.refreshed.load(Ordering::SeqCst), 4, "one refresh per attempt");
}

#[tokio::test]
async fn an_object_of_another_length_is_not_the_artifact() {
    for length in [10_499, 10_501, 500] {
        let world = World::new(move |request: &Request| honest(&vec![1; length], request)).await;
        assert_eq!(world.refusal(artifact().len()).await, ErrorCode::ArtifactChecksumMismatch, "{length}");
    }
}

#[tokio::test]
async fn wrong_ranges_and_ignored_ranges_are_refused() {
    let world = World::new(|request: &Request| {
        let (start, end) = asked(request);
        partial(&artifact()[start..end], 0, 1, artifact().len())
    })
    .await;
    assert_eq!(world.refusal(artifact().len()).await, ErrorCode::DownloadFailed);
    let world = World::new(|_: &Request| ResponseTemplate::new(200).set_body_bytes(artifact())).await;
    assert_eq!(world.refusal(artifact().len()).await, ErrorCode::DownloadFailed);
    let world = World::new(|_: &Request| ResponseTemplate::new(404)).await;
    assert_eq!(world.refusal(artifact().len()).await, ErrorCode::DownloadFailed);
    let world = World::new(|_: &Request| ResponseTemplate::new(200).set_body_bytes(&artifact()[..500])).await;
    let (_, bytes) = world.download(500).await.expect("200 with the whole file is the whole range");
    assert_eq!(bytes, artifact()[..500]);
}

#[tokio::test]
async fn cancelling_ends_the_download_at_once_and_leaves_nothing() {
    let world = World::new(|_: &Request| ResponseTemplate::new(206).set_delay(Duration::from_mins(10))).await;
    let workspace = Workspace::create(world.directory.path()).expect("workspace");
    let stop = CancellationToken::new();
    let (source, observer) = (world.source(10_500), |_| {});
    let download = download_in_ranges(source, &workspace, stop.clone(), &observer, RANGE);
    let (outcome, ()) = tokio::join!(download, async { stop.cancel() });
    assert_eq!(outcome.expect_err("cancelled").code(), ErrorCode::Cancelled);
    workspace.close().expect("removed");
    assert_eq!(std::fs::read_dir(world.directory.path()).expect("readable").count(), 0);
}

#[tokio::test]
async fn artifacts_are_not_fetched_in_clear_from_other_machines() {
    let world = World::new(|_: &Request| ResponseTemplate::new(200)).await;
    let workspace = Workspace::create(world.directory.path()).expect("workspace");
    let url = format!("http://bucket.example.com/artifact?{SECRET_QUERY}");
    let source = Source { url, ..world.source(10) };
    let error = download(source, &workspace, CancellationToken::new(), &|_| {}).await.expect_err("refused");
    assert_eq!(error.code(), ErrorCode::UnexpectedResponse);
    assert!(!error.to_string().contains("canary"), "{error}");
}
