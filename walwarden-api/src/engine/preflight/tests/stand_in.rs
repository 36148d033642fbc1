//! A bucket of Amazon's as seen over the wire, whose answer to any one operation a test can choose.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, Response};
use bytes::Bytes;

use super::super::documents::tls_only;
use super::super::target::Target;

pub(super) const BUCKET: &str = "my-backups";
pub(super) const REGION: &str = "eu-central-1";
const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
/// What a bucket keeps of a wish to encrypt, and says again of the object.
const ENCRYPTION: [&str; 2] = ["x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"];
/// Stands among the answers for a bucket that overlooks such a wish.
pub(super) const OVERLOOKS_ENCRYPTION: &str = "OverlooksEncryption";

/// An answer instead of the usual one.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) header: Option<(&'static str, &'static str)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn found(body: &str) -> Self {
        Self { status: 200, header: None, body: body.to_owned() }
    }

    pub(super) fn refused(status: u16, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>said so</Message></Error>");
        Self { status, header: None, body }
    }
}

struct Held {
    body: Bytes,
    lock: Option<(String, String)>,
    encryption: Vec<(&'static str, String)>,
}

#[derive(Clone)]
struct Bucket {
    objects: Arc<Mutex<HashMap<String, Held>>>,
    instead: Arc<HashMap<&'static str, Answer>>,
    policy: Arc<String>,
}

/// What a request asks for, by the name that Amazon gives it.
fn operation(method: &Method, key: &str, query: &str) -> &'static str {
    let has = |name: &str| query.split('&').any(|part| part.split('=').next() == Some(name));
    match (method.as_str(), key.is_empty()) {
        ("HEAD", true) => "HeadBucket",
        ("GET", true) if has("object-lock") => "GetObjectLockConfiguration",
        ("GET", true) if has("versioning") => "GetBucketVersioning",
        ("GET", true) if has("publicAccessBlock") => "GetPublicAccessBlock",
        ("GET", true) if has("policy") => "GetBucketPolicy",
        ("GET", true) if has("encryption") => "GetBucketEncryption",
        ("GET", true) if has("uploads") => "ListMultipartUploads",
        ("PUT", false) if has("uploadId") => "UploadPart",
        ("PUT", false) => "PutObject",
        ("GET", false) if has("retention") => "GetObjectRetention",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("DELETE", false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false) => "DeleteObject",
        _ => panic!("{method} {key} {query} is not expected"),
    }
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    if let Some((name, value)) = answer.header {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).expect("an answer")
}

fn text(headers: &HeaderMap, name: &'static str) -> Option<String> {
    headers.get(HeaderName::from_static(name)).map(|value| value.to_str().expect("text").to_owned())
}

impl Bucket {
    fn usual(&self, operation: &str, key: &str, headers: &HeaderMap, body: Bytes) -> Answer {
        let mut objects = self.objects.lock().expect("not poisoned");
        match operation {
            "HeadBucket" => Answer { header: Some(("x-amz-bucket-region", REGION)), ..Answer::found("") },
            "GetObjectLockConfiguration" => Answer::found(
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
            ),
            "GetBucketVersioning" => {
                Answer::found("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
            }
            "GetPublicAccessBlock" => Answer::found(
                "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
            ),
            "GetBucketPolicy" => Answer::found(&self.policy),
            "GetBucketEncryption" => Answer::found(
                "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            ),
            "ListMultipartUploads" => Answer::found(
                "<ListMultipartUploadsResult><Upload><UploadId>upload-1</UploadId></Upload></ListMultipartUploadsResult>",
            ),
            "UploadPart" => Answer { header: Some(("etag", "\"part-1\"")), ..Answer::found("") },
            "PutObject" => {
                let lock = text(headers, MODE).zip(text(headers, UNTIL));
                let kept = |name| Some((name, text(headers, name)?));
                let overlooks = self.instead.contains_key(OVERLOOKS_ENCRYPTION);
                let encryption = ENCRYPTION.into_iter().filter_map(kept).filter(|_| !overlooks).collect();
                objects.insert(key.to_owned(), Held { body, lock, encryption });
                Answer { header: Some(("x-amz-version-id", "version-1")), ..Answer::found("") }
            }
            "GetObjectRetention" => match objects.get(key).and_then(|held| held.lock.clone()) {
                Some((mode, until)) => Answer::found(&format!(
                    "<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"
                )),
                None => Answer::refused(404, "NoSuchObjectLockConfiguration"),
            },
            "CreateMultipartUpload" => Answer::found(
                "<InitiateMultipartUploadResult><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>",
            ),
            "AbortMultipartUpload" => Answer { status: 204, ..Answer::found("") },
            "DeleteObject" => {
                objects.remove(key);
                Answer { status: 204, ..Answer::found("") }
            }
            other => panic!("{other} has no usual answer"),
        }
    }
}

async fn answer(State(bucket): State<Bucket>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    let key = parts.uri.path().trim_start_matches('/').trim_start_matches(BUCKET).trim_start_matches('/').to_owned();
    let operation = operation(&parts.method, &key, parts.uri.query().unwrap_or_default());
    // `Public` stands for the same read by a stranger.
    let stranger = !parts.headers.contains_key("authorization");
    match bucket.instead.get(if stranger { "Public" } else { operation }) {
        Some(instead) => response(instead.clone()),
        None if stranger => response(Answer::refused(403, "AccessDenied")),
        None if matches!(operation, "GetObject" | "HeadObject") => {
            let objects = bucket.objects.lock().expect("not poisoned");
            let held = objects.get(&key).map(|held| {
                let told =
                    held.encryption.iter().fold(Response::builder(), |all, (name, value)| all.header(*name, value));
                told.body(Body::from(held.body.clone())).expect("an answer")
            });
            held.unwrap_or_else(|| response(Answer::refused(404, "NoSuchKey")))
        }
        None => response(bucket.usual(operation, &key, &parts.headers, body)),
    }
}

/// Serves the bucket until the test's runtime ends, and answers its endpoint.
pub(super) async fn serve(target: &Target, instead: impl IntoIterator<Item = (&'static str, Answer)>) -> String {
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [tls_only(target)] }).to_string();
    let bucket =
        Bucket { objects: Arc::default(), instead: Arc::new(instead.into_iter().collect()), policy: Arc::new(policy) };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("listens");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = axum::Router::new().fallback(answer).with_state(bucket);
    tokio::spawn(async move { axum::serve(listener, router).await });
    endpoint
}
