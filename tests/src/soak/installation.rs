//! What is soaked: a store, an API process, worker processes, databases, and a bucket behind a proxy.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use walwarden_contract::{OrgId, Scope};

use super::options::Options;
use super::report::Report;
use crate::canary::{files_below, random_hex};
use crate::fault_proxy::FaultProxy;
use crate::harness::TestContext;
use crate::postgres::Database;
use crate::s3::Bucket;
use crate::walwarden::{Role, Server, Store, Walwarden};

/// Every so many databases, one is larger than a part.
const LARGE_EACH: u32 = 17;
const LARGE_MIB: u32 = 12;

const FLAGS: &[&str] = &[
    "--workers",
    "1",
    "--lease-seconds",
    "5",
    "--retry-delay-seconds",
    "1",
    "--backup-attempts",
    "20",
    "--part-memory-mib",
    "32",
    "--upload-sweep-seconds",
    "10",
    "--log",
    "warn",
];

/// A database that is backed up again and again.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) database: Database,
    pub(super) id: String,
}

/// All of it, running.
pub(super) struct Installation<'a> {
    pub(super) context: &'a TestContext,
    pub(super) walwarden: Walwarden<'a>,
    pub(super) api: Server,
    pub(super) workers: Vec<Server>,
    pub(super) sources: Vec<Source>,
    pub(super) bucket: Bucket,
    pub(super) proxy: FaultProxy,
    pub(super) org_id: OrgId,
    api_key: String,
}

impl<'a> Installation<'a> {
    pub(super) fn new(context: &'a TestContext, options: &Options) -> Result<Self> {
        let (bucket, proxy) = (context.bucket(true)?, context.s3_proxy()?);
        let walwarden = Walwarden::init(context, Store::Postgres)?;
        let endpoint = proxy.endpoint();
        let destination = [
            ["--name", "bucket"],
            ["--provider", "s3-compatible"],
            ["--endpoint", &endpoint],
            ["--bucket", bucket.name()],
            ["--lock-mode", "governance"],
            ["--retention-days", "1"],
            ["--access-key-id", context.s3().writer_access_key()],
        ];
        let secret = [("WALWARDEN_SECRET_ACCESS_KEY", context.s3().writer_secret_key())];
        let added = walwarden.admin(&[&["destination", "add"], destination.as_flattened()].concat(), &secret)?;
        let destination = text(&added, "/id")?;
        let mut sources = Vec::new();
        for number in 0..options.databases {
            let database = context.database()?;
            context.postgres().load_sample(&database, 20)?;
            let large = number % LARGE_EACH == 0;
            if large {
                context.postgres().load_bulk(&database, LARGE_MIB)?;
            }
            let name = format!("source-{number}");
            let codec = if large { "none" } else { "auto" };
            let arguments = [["--name", &name], ["--destination", &destination], ["--codec", codec]];
            let dsn = database.dsn();
            let added = walwarden
                .admin(&[&["database", "add"], arguments.as_flattened()].concat(), &[("WALWARDEN_SOURCE_DSN", &dsn)])?;
            sources.push(Source { database, id: text(&added, "/id")? });
        }
        let scopes: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let issued = walwarden.admin_private(&["key", "issue", "--name", "soak", "--scope", &scopes.join(",")], &[])?;
        let api = walwarden.serve_with(Role::Api, &[FLAGS, &["--requests-per-second", "0"]].concat())?;
        let workers = (0..options.workers).map(|_| walwarden.serve_with(Role::Worker, FLAGS));
        let workers = workers.collect::<Result<_>>()?;
        Ok(Self {
            context,
            api,
            workers,
            sources,
            bucket,
            proxy,
            org_id: text(&issued, "/orgId")?.parse().context("an organization")?,
            api_key: text(&issued, "/key")?,
            walwarden,
        })
    }

    /// Kills a worker as a crash would, and starts another in its place.
    pub(super) fn replace(&mut self, index: usize) -> Result<()> {
        let fresh = self.walwarden.serve_with(Role::Worker, FLAGS)?;
        let worker = self.workers.get_mut(index).context("there is such a worker")?;
        std::mem::replace(worker, fresh).kill9()
    }

    /// Queues a backup, and answers its job.
    pub(super) fn trigger(&self, source: &Source) -> Result<String> {
        let path = format!("/api/v1/databases/{}/backups", source.id);
        text(&self.call("POST", &path, Some(&json!({})))?, "/backupJobId")
    }

    /// A backup job.
    pub(super) fn job(&self, id: &str) -> Result<Value> {
        self.call("GET", &format!("/api/v1/backups/{id}"), None)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let authorization = format!("Bearer {}", self.api_key);
        let once = random_hex(16);
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let answer = self.api.request(method, path, &headers, body)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {}", answer.json()?);
        answer.json()
    }

    /// Asks every process to stop; each must do so in good order. None may have panicked.
    pub(super) fn stop(self, report: &mut Report) -> Result<()> {
        let logs = self.context.logs();
        for server in self.workers.into_iter().chain([self.api]) {
            if let Err(error) = server.stop() {
                report.breach(format!("a process did not stop in good order: {error:#}"));
            }
        }
        for file in files_below(&logs)? {
            let log = fs::read(&file)?;
            if let Some(line) = String::from_utf8_lossy(&log).lines().find(|line| line.contains("panicked")) {
                report.breach(format!("{}: {line}", file.display()));
            }
        }
        Ok(())
    }
}

/// A text of a JSON document.
pub(super) fn text(document: &Value, pointer: &str) -> Result<String> {
    match document.pointer(pointer).and_then(Value::as_str) {
        Some(text) => Ok(text.to_owned()),
        None => bail!("no {pointer} in {document}"),
    }
}
