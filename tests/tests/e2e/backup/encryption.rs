//! Buckets that are asked to encrypt: what is sent, what is read back, and what becomes of a backup that was not encrypted.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::ErrorCode;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule, SeenRequest};
use walwarden_tests::harness::TestContext;
use walwarden_tests::s3::KMS_KEY;
use walwarden_tests::walwarden::Store;

use super::upload::no_manifest;
use super::{FAILED_FINALIZING, ONE_ATTEMPT};
use crate::setting::{Options, Setting, field};

const ALGORITHM: &str = "x-amz-server-side-encryption";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// The headers of encryption in a request.
fn headers(request: &SeenRequest) -> Value {
    let head = String::from_utf8_lossy(&request.head).into_owned();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let of_encryption = lines.filter(|(name, _)| name.to_ascii_lowercase().starts_with(ALGORITHM));
    of_encryption
        .map(|(name, value)| (name.to_ascii_lowercase(), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Every object is written with what the destination asks for, and the manifest, the evidence and the bucket say the same.
pub(super) fn proven(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::multipart())?;
    let key = format!("--kms-key-id={KMS_KEY}");
    let cases = [
        (&["--encryption", "none"][..], json!({}), Value::Null),
        (
            &["--encryption", "sse_s3"],
            json!({ ALGORITHM: "AES256" }),
            json!({ "method": "sse_s3", "algorithm": "AES256", "kmsKeyId": null }),
        ),
        (
            &["--encryption", "sse_kms", &key],
            json!({ ALGORITHM: "aws:kms", KEY: KMS_KEY, BUCKET_KEY: "true" }),
            json!({ "method": "sse_kms", "algorithm": "aws:kms", "kmsKeyId": KMS_KEY }),
        ),
    ];
    for (flags, sent, told) in cases {
        // Preflight runs at once, with a probe that is encrypted in the same way.
        setting.update_destination(flags, &[])?;
        setting.proxy()?.forget_requests();
        let backup = setting.backup_and_wait()?;
        let requests = setting.proxy()?.requests();
        for matcher in [Matcher::create_multipart(), Matcher::put_object(".manifest.json")] {
            let asked: Vec<_> = requests.iter().filter(|request| matcher.matches(request)).map(headers).collect();
            ensure!(asked == std::slice::from_ref(&sent), "{flags:?}: {asked:?}");
        }
        let evidence = setting.get(&format!("/api/v1/evidence/{}", backup.id))?;
        ensure!(evidence["encryption"] == told && evidence["manifest"]["encryption"] == told, "{evidence}");
        let artifact = &backup.artifact.as_ref().context("an artifact")?.key;
        for key in [artifact.clone(), crate::setting::manifest_key(artifact)] {
            let head = setting.bucket.client().head_object().bucket(setting.bucket.name()).key(key).send();
            let head = walwarden_tests::runtime::block_on(head)?;
            let algorithm = head.server_side_encryption().map(|algorithm| json!(algorithm.as_str()));
            ensure!(algorithm.unwrap_or_default() == told["algorithm"], "{flags:?}: {head:?}");
        }
    }
    let destination = setting.get(&format!("/api/v1/destinations/{}", setting.destination_id))?;
    let (method, key): (String, String) = (field(&destination, "/encryption")?, field(&destination, "/kmsKeyId")?);
    ensure!((method.as_str(), key.as_str()) == ("sse_kms", KMS_KEY), "{destination}");
    setting.assert_no_leftovers()
}

/// The bucket took the wish to encrypt, and does not say that it did: nothing proves that it did.
pub(super) fn overlooked(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied().serve(ONE_ATTEMPT))?;
    setting.update_destination(&["--encryption", "sse_s3"], &[])?;
    let artifact = Matcher::method("HEAD").path_ends(".dump");
    let silent = setting.proxy()?.add(Rule::new(artifact, Action::WithoutHeader(ALGORITHM)));
    let backup = setting.backup_fails(ErrorCode::DestinationEncryptionRefused)?;
    ensure!(silent.hits() > 0 && backup.attempt == 1, "{backup:?}");
    setting.assert_audit(backup.id, &FAILED_FINALIZING)?;
    no_manifest(&setting)
}
