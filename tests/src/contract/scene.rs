//! An organization in which everything has happened once: backups that completed, failed and still run, and restore sessions.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::{BackupJobId, Scope, WindowId};

use crate::canary::random_hex;
use crate::harness::TestContext;
use crate::postgres::{Database, TableLock};
use crate::s3::Bucket;
use crate::wait::wait_for;
use crate::walwarden::{Role, Server, Store, Walwarden};

const SOON: Duration = Duration::from_mins(1);

/// Several workers, because one job never ends; no limit on requests, because nothing else is tested by then.
const SERVE: &[&str] =
    &["--workers", "3", "--backup-attempts", "1", "--retry-delay-seconds", "0", "--requests-per-second", "0"];

/// Databases beside those that have a part to play: there to be changed and deleted.
const SPARE: usize = 4;

/// A running installation and the ids of what is in it.
pub(super) struct Scene<'a> {
    _walwarden: Walwarden<'a>,
    pub(super) server: Server,
    pub(super) api_key: String,
    /// The restore job whose token is known.
    pub(super) session: Vec<String>,
    pub(super) restore_token: String,
    pub(super) destinations: Vec<String>,
    pub(super) databases: Vec<String>,
    pub(super) backups: Vec<String>,
    pub(super) windows: Vec<String>,
    /// The completed backup that nothing may take away.
    pub(super) completed: String,
    pub(super) restores: Vec<String>,
    _bucket: Bucket,
    _lock: TableLock,
}

impl<'a> Scene<'a> {
    /// Makes all of it, through the real binaries.
    pub(super) fn set(context: &'a TestContext) -> Result<Self> {
        let bucket = context.bucket(true)?;
        let (source, stuck) = (sample(context)?, sample(context)?);
        let walwarden = Walwarden::init(context, Store::Sqlite)?;
        let used = add_destination(&walwarden, context, "used", &bucket)?;
        let unused = add_destination(&walwarden, context, "unused", &bucket)?;
        let missing = source.sibling("there_is_no_such_database");
        let mut databases = Vec::new();
        for (name, source) in [("kept", &source), ("failing", &missing), ("stuck", &stuck)] {
            databases.push(add_database(&walwarden, name, &used, source)?);
        }
        for number in 0..SPARE {
            databases.push(add_database(&walwarden, &format!("spare {number}"), &used, &source)?);
        }
        let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let issued =
            walwarden.admin_private(&["key", "issue", "--name", "contract", "--scope", &scopes.join(",")], &[])?;
        let api_key = text(&issued, "/key")?;
        context.canaries().register("the API key", &api_key);
        let lock = context.postgres().lock_table(&stuck.name, "shop.customers")?;
        let mut scene = Self {
            server: walwarden.serve_with(Role::All, SERVE)?,
            _walwarden: walwarden,
            api_key,
            session: Vec::new(),
            restore_token: String::new(),
            destinations: vec![used, unused],
            databases,
            backups: Vec::new(),
            windows: Vec::new(),
            completed: String::new(),
            restores: Vec::new(),
            _bucket: bucket,
            _lock: lock,
        };
        scene.play(context, &source)?;
        Ok(scene)
    }

    /// The databases that may go.
    pub(super) fn spares(&self) -> &[String] {
        &self.databases[self.databases.len() - SPARE..]
    }

    fn play(&mut self, context: &TestContext, source: &Database) -> Result<()> {
        for (number, ends) in [(0, "completed"), (1, "failed_terminal"), (2, "running")] {
            let triggered =
                self.call("POST", &format!("/databases/{}/backups", self.databases[number]), Some(&json!({})))?;
            let id = text(&triggered, "/backupJobId")?;
            wait_for(&format!("the backup to be {ends}"), SOON, || {
                let job = self.call("GET", &format!("/backups/{id}"), None)?;
                ensure!(job["state"] == ends, "{job}");
                Ok(Some(()))
            })?;
            self.windows.push(WindowId::from(id.parse::<BackupJobId>()?).to_string());
            self.backups.push(id);
        }
        self.completed.clone_from(&self.backups[0]);
        let mut manifest = String::new();
        // Two, so that one is still open when the other has been used.
        for _ in 0..2 {
            let target = format!("postgresql://{}@{}:{}/postgres", source.user, source.host, source.port);
            let request = json!({
                "backupJobId": self.completed,
                "mode": "new_database",
                "targetRedactedDsn": target,
                "createdDatabase": format!("contract_{}", random_hex(4)),
            });
            let session = self.call("POST", "/restores", Some(&request))?;
            self.restore_token = text(&session, "/token")?;
            context.canaries().register("the restore token", &self.restore_token);
            self.session = vec![text(&session, "/restoreJobId")?];
            self.restores.extend_from_slice(&self.session);
            manifest = text(&session, "/manifestHash")?;
        }
        // The restore machine has used its token: what follows, it may do more than once.
        let path = format!("/restores/{}/trigger", self.session[0]);
        let body = json!({"manifestHash": manifest, "mode": "new_database"});
        self.call_as(&self.restore_token, "POST", &path, Some(&body))?;
        Ok(())
    }

    /// A request with the scene's API key, which must succeed.
    pub(super) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.call_as(&self.api_key, method, path, body)
    }

    fn call_as(&self, secret: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let authorization = format!("Bearer {secret}");
        let once = random_hex(16);
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let answer = self.server.request(method, &format!("/api/v1{path}"), &headers, body)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {}", answer.json()?);
        answer.json()
    }
}

fn sample(context: &TestContext) -> Result<Database> {
    let database = context.database()?;
    context.postgres().load_sample(&database, 20)?;
    Ok(database)
}

fn add_destination(walwarden: &Walwarden<'_>, context: &TestContext, name: &str, bucket: &Bucket) -> Result<String> {
    let endpoint = context.s3().endpoint();
    let arguments = [
        ["--name", name],
        ["--provider", "s3-compatible"],
        ["--endpoint", &endpoint],
        ["--bucket", bucket.name()],
        ["--lock-mode", "governance"],
        ["--retention-days", "1"],
        ["--access-key-id", context.s3().writer_access_key()],
    ];
    let secret = [("WALWARDEN_SECRET_ACCESS_KEY", context.s3().writer_secret_key())];
    text(&walwarden.admin(&[&["destination", "add"], arguments.as_flattened()].concat(), &secret)?, "/id")
}

fn add_database(walwarden: &Walwarden<'_>, name: &str, destination: &str, source: &Database) -> Result<String> {
    let arguments = [["--name", name], ["--destination", destination]];
    let dsn = source.dsn();
    let dsn = [("WALWARDEN_SOURCE_DSN", dsn.as_str())];
    text(&walwarden.admin(&[&["database", "add"], arguments.as_flattened()].concat(), &dsn)?, "/id")
}

fn text(document: &Value, pointer: &str) -> Result<String> {
    let value = document.pointer(pointer).and_then(Value::as_str);
    Ok(value.with_context(|| format!("no {pointer} in {document}"))?.to_owned())
}
