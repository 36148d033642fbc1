//! Destinations with a role: its sessions end in the middle of an upload, and it is assumed under the external id or not at all.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::BackupState;
use walwarden_contract::{BackupJobId, ErrorCode, Timestamp};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::sts::{Key, Script, StsStandIn};
use walwarden_tests::walwarden::Store;

use super::FAILED_RUNNING;
use crate::SOON;
use crate::setting::{Options, Setting, assert_failure, data, field};

const ROLE: &str = "arn:aws:iam::210987654321:role/walwarden";

/// An installation whose server assumes a role, and a database whose backups go there.
struct Stage<'a> {
    setting: Setting<'a>,
    sts: StsStandIn,
    destination: String,
    database: String,
    writer: Key,
}

impl<'a> Stage<'a> {
    fn set(context: &'a TestContext, store: Store) -> Result<Self> {
        Self::set_with(context, store, Options::multipart())
    }

    fn set_with(context: &'a TestContext, store: Store, options: Options) -> Result<Self> {
        let mut setting = Setting::new(context, store, options)?;
        let s3 = context.s3();
        let (admin, writer) = (
            (s3.access_key().to_owned(), s3.secret_key().to_owned()),
            (s3.writer_access_key().to_owned(), s3.writer_secret_key().to_owned()),
        );
        let sts = StsStandIn::start(Script { keys: vec![admin], seconds: 3600, ..Script::default() })?;
        let own = context.canaries().secret_key("the server's own AWS secret key");
        for (name, value) in [
            ("AWS_ENDPOINT_URL_STS", sts.endpoint().as_str()),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHESERVER"),
            ("AWS_SECRET_ACCESS_KEY", &own),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            setting.walwarden.set_env(name, value);
        }
        setting.stop()?;
        setting.start()?;
        settings_of_amazon(&setting)?;
        let endpoint = setting.proxy()?.endpoint();
        let flags = [
            ["--name", "role"],
            ["--provider", "aws"],
            ["--region", "us-east-1"],
            ["--endpoint", &endpoint],
            ["--addressing", "path"],
            ["--checksum-mode", "none"],
            ["--bucket", setting.bucket.name()],
            ["--lock-mode", "governance"],
            ["--retention-days", "1"],
            ["--role-arn", ROLE],
        ];
        let words = [&["destination", "add", "--skip-preflight"], flags.as_flattened()].concat();
        let added = setting.walwarden.admin(&words, &[])?;
        let (destination, external_id): (String, String) = (field(&added, "/id")?, field(&added, "/externalId")?);
        sts.change(|script| script.external_id = Some(external_id));
        let words = ["database", "add", "--name", "role", "--destination", &destination, "--codec", "none"];
        let dsn = setting.source.dsn();
        let database = field(&setting.walwarden.admin(&words, &[("WALWARDEN_SOURCE_DSN", &dsn)])?, "/id")?;
        Ok(Self { setting, sts, destination, database, writer })
    }

    /// Runs preflight, which must end with this code, and answers the report.
    fn preflight(&self, code: Option<ErrorCode>) -> Result<Value> {
        let words = ["destination", "preflight", &self.destination];
        let output = self.setting.walwarden.admin_run(&words, &[])?.output()?;
        let envelope = output.exit(code.map_or(0, |code| code.exit().code().into()))?.json()?;
        ensure!(envelope["error"]["code"].as_str() == code.map(ErrorCode::as_str), "{envelope}");
        Ok(envelope["data"].clone())
    }

    fn state(&self) -> Result<String> {
        field(&self.setting.get(&format!("/api/v1/destinations/{}", self.destination))?, "/state")
    }
}

/// What the S3 server of the tests cannot tell, and Amazon would.
fn settings_of_amazon(setting: &Setting<'_>) -> Result<()> {
    let arn = format!("arn:aws:s3:::{}", setting.bucket.name());
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }] });
    let blocked = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    let blocked = blocked.map(|name| format!("<{name}>true</{name}>")).concat();
    let encrypted = "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>";
    for (name, document) in [
        ("policy", policy.to_string()),
        ("publicAccessBlock", format!("<PublicAccessBlockConfiguration>{blocked}</PublicAccessBlockConfiguration>")),
        ("encryption", format!("<ServerSideEncryptionConfiguration>{encrypted}</ServerSideEncryptionConfiguration>")),
    ] {
        let matcher = Matcher::method("GET").query(name);
        setting.proxy()?.add(Rule::new(matcher, Action::Answer { status: 200, json: document }));
    }
    Ok(())
}

/// Whose key a request is signed with.
fn signer(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let (_, rest) = text.split_once("Credential=")?;
    Some(rest.split('/').next()?.to_owned())
}

/// Every request finds its session at its end: the parts are signed by one session after the other, and the backup is whole.
pub(super) fn sessions_end_mid_upload(context: &TestContext, store: Store) -> Result<()> {
    let stage = Stage::set(context, store)?;
    let setting = &stage.setting;
    stage.preflight(None)?;
    stage.sts.change(|script| {
        script.seconds = 5;
        script.keys.push(stage.writer.clone());
    });
    let before = stage.sts.asked().len();
    let output = setting.json(&["backup", "trigger", "--database", &stage.database, "--wait"])?;
    let id: BackupJobId = field(&data(&output)?, "/completed/id")?;
    ensure!(stage.sts.asked().len() > before + 3, "{:?}", stage.sts.asked());
    let requests = setting.proxy()?.requests();
    let parts = requests.iter().filter(|request| Matcher::upload_part(None).matches(request));
    let signers: BTreeSet<_> = parts.filter_map(|request| signer(&request.head)).collect();
    ensure!(signers.len() == 2, "the parts are signed by {signers:?}");

    // A URL does not outlive the session that signed it.
    stage.sts.change(|script| script.seconds = 120);
    let call = |bearer: &str, path: &str, body: &Value| -> Result<Value> {
        let (authorization, once) = (format!("Bearer {bearer}"), walwarden_tests::canary::random_hex(16));
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let answer = setting.server()?.request("POST", &format!("/api/v1{path}"), &headers, Some(body))?;
        ensure!((200..300).contains(&answer.status), "{path}: {}", answer.json()?);
        answer.json()
    };
    let request =
        json!({ "backupJobId": id, "mode": "new_database", "targetRedactedDsn": "postgresql://u@h:5432/postgres" });
    let session = call(&setting.api_key, "/restores", &request)?;
    let (job, token): (String, String) = (field(&session, "/restoreJobId")?, field(&session, "/token")?);
    context.canaries().register("the restore token", &token);
    let body = json!({ "manifestHash": session["manifestHash"], "mode": "new_database" });
    call(&token, &format!("/restores/{job}/trigger"), &body)?;
    let claim = call(&token, &format!("/restores/{job}/claim"), &json!({}))?;
    let expires: Timestamp = field(&claim, "/download/expiresAt")?;
    let claimed: Timestamp = field(&setting.get(&format!("/api/v1/restores/{job}"))?, "/createdAt")?;
    let lasts = (expires.as_millis() - claimed.as_millis()) / 1000;
    ensure!((100..=150).contains(&lasts), "the URL lasts {lasts} seconds from the session's opening on");
    let url = claim["download"]["url"].as_str().context("a URL")?.to_owned();
    let client = walwarden_tests::walwarden::http_client()?;
    let download = walwarden_tests::runtime::block_on(async { client.get(url).send().await })?;
    ensure!(download.status() == 200, "{}", download.status());
    setting.assert_quiet()
}

/// The role is taken back while parts are sent: the backup fails with its own code, and its upload is aborted once the role is
/// there again.
pub(super) fn refused_mid_upload(context: &TestContext, store: Store) -> Result<()> {
    let flags = &["--part-memory-mib", "32", "--upload-sweep-seconds", "1"];
    let stage = Stage::set_with(context, store, Options::multipart().serve(flags))?;
    let setting = &stage.setting;
    stage.preflight(None)?;
    stage.sts.change(|script| script.seconds = 5);
    let held = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(1)), Action::Hold));
    let output = setting.json(&["backup", "trigger", "--database", &stage.database])?;
    let id: BackupJobId = field(&data(&output)?, "/triggered/backupJobId")?;
    held.wait_hit(SOON)?;
    stage.sts.change(|script| script.refused = Some((usize::MAX, 403, "AccessDenied")));
    held.release();
    let backup = setting.wait_ended(id, BackupState::FailedTerminal)?;
    let error = backup.error.context("an error")?;
    ensure!(error.code == ErrorCode::DestinationAccessDenied && error.message.contains(ROLE), "{error:?}");
    setting.assert_audit(id, &FAILED_RUNNING)?;
    // A session that the sweep had before may still abort the upload; without one, nothing can.
    ensure!(setting.bucket.list_multipart_uploads()?.len() <= 1, "an upload too many");
    stage.sts.change(|script| script.refused = None);
    setting.assert_no_leftovers()
}

/// Whatever keeps the role from being assumed as it should be is told apart.
pub(super) fn preflight_of_a_role(context: &TestContext) -> Result<()> {
    let stage = Stage::set(context, Store::Sqlite)?;
    let first = |report: &Value| (report["checks"][0]["id"].clone(), report["checks"][0]["status"].clone());
    let report = stage.preflight(None)?;
    ensure!(first(&report) == (json!("assume_role"), json!("passed")), "{report}");
    let asked = stage.sts.asked();
    ensure!(asked.contains(&None) && asked.iter().any(Option::is_some), "{asked:?}");

    stage.sts.change(|script| script.refused = Some((9, 503, "ServiceUnavailable")));
    stage.preflight(Some(ErrorCode::DestinationUnreachable))?;
    ensure!(stage.state()? == "verified", "an STS that does not answer says nothing about the destination");
    stage.sts.change(|script| script.refused = None);

    let own = std::cell::RefCell::new(None);
    stage.sts.change(|script| *own.borrow_mut() = script.external_id.take());
    let report = stage.preflight(Some(ErrorCode::DestinationNotReady))?;
    ensure!(first(&report) == (json!("assume_role"), json!("failed")) && stage.state()? == "failed", "{report}");
    let remedy = report["checks"][0]["remediation"].as_str().unwrap_or_default();
    ensure!(own.borrow().as_ref().is_some_and(|own| remedy.contains(own)), "{remedy}");

    stage.sts.change(|script| script.external_id = Some("wal-of-somebody-else".to_owned()));
    let report = stage.preflight(Some(ErrorCode::DestinationAccessDenied))?;
    ensure!(report["checks"][1]["status"] == "skipped", "{report}");
    let refused = stage.setting.json(&["backup", "trigger", "--database", &stage.database])?;
    assert_failure(&refused, ErrorCode::DestinationNotReady)?;
    let kinds = stage.setting.audit_kinds(stage.setting.org_id)?;
    ensure!(kinds.last() == Some(&K::DestinationPreflightFailed), "{kinds:?}");
    Ok(())
}
