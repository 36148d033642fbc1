//! Walwarden as an operator installs it: a real server, and backups and restores asked of it as a user would.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bare::DEADLINE;
use super::memory::{PeakSampler, Resident};
use crate::harness::TestContext;
use crate::postgres::Database;
use crate::s3::Bucket;
use crate::walwarden::{Role, Server, Store, Walwarden};

const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A running server with one protected database.
pub(super) struct Installation<'a> {
    walwarden: Walwarden<'a>,
    pub(super) server: Server,
    api_key: String,
    database_id: String,
}

/// A completed backup, by the server's own clock.
#[derive(Debug)]
pub(super) struct Backup {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) compression: String,
    pub(super) size_bytes: u64,
    /// From the trigger to `completed`.
    pub(super) wall: Duration,
    /// `pg_dump` and the upload beside it.
    pub(super) dump: Duration,
    /// Completing the upload, reading it back, signing and writing the manifest.
    pub(super) seal: Duration,
    /// The server's memory at its peak.
    pub(super) peak: Resident,
}

/// A completed restore, by the clock of whoever ran the command.
#[derive(Debug)]
pub(super) struct Restore {
    pub(super) wall: f64,
    pub(super) download: f64,
    pub(super) verify: f64,
    pub(super) loading: f64,
    pub(super) analyze: f64,
}

impl<'a> Installation<'a> {
    pub(super) fn new(
        context: &'a TestContext,
        source: &Database,
        bucket: &Bucket,
        codec: Option<&str>,
    ) -> Result<Self> {
        let walwarden = Walwarden::init(context, Store::Sqlite)?;
        let endpoint = context.s3().endpoint();
        let destination = [
            ["--name", "bucket"],
            ["--provider", "s3-compatible"],
            ["--endpoint", &endpoint],
            ["--bucket", bucket.name()],
            ["--access-key-id", context.s3().access_key()],
        ];
        let secret = [("WALWARDEN_SECRET_ACCESS_KEY", context.s3().secret_key())];
        let added = walwarden.admin(&[&["destination", "add"], destination.as_flattened()].concat(), &secret)?;
        let destination = text(&added, "/id")?;
        let database = [["--name", "bench"], ["--destination", &destination], ["--codec", codec.unwrap_or("auto")]];
        let dsn = source.dsn();
        let added = walwarden
            .admin(&[&["database", "add"], database.as_flattened()].concat(), &[("WALWARDEN_SOURCE_DSN", &dsn)])?;
        let scopes: Vec<_> = walwarden_contract::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let issued =
            walwarden.admin_private(&["key", "issue", "--name", "bench", "--scope", &scopes.join(",")], &[])?;
        Ok(Self {
            database_id: text(&added, "/id")?,
            api_key: text(&issued, "/key")?,
            server: walwarden.serve(Role::All)?,
            walwarden,
        })
    }

    /// Makes a backup and waits for its end.
    pub(super) fn backup(&self) -> Result<Backup> {
        let peak = PeakSampler::start(self.server.pid());
        let path = format!("/api/v1/databases/{}/backups", self.database_id);
        let triggered = self.call("POST", &path, Some(&json!({})))?;
        let id = text(&triggered, "/backupJobId")?;
        let path = format!("/api/v1/backups/{id}");
        let job = loop {
            // Seldom, since asking costs the server too; the times are its own.
            thread::sleep(POLL_INTERVAL);
            let job = self.call("GET", &path, None)?;
            if matches!(job["state"].as_str(), Some("completed" | "failed_terminal" | "cancelled")) {
                break job;
            }
        };
        let peak = peak.peak()?;
        ensure!(job["state"] == "completed", "the backup failed: {job}");
        let evidence = self.call("GET", &format!("/api/v1/evidence/{id}"), None)?;
        let between = |from: &str, to: &str| between(&evidence, from, to);
        Ok(Backup {
            key: text(&job, "/artifact/key")?,
            compression: text(&job, "/artifact/compression")?,
            size_bytes: job["artifact"]["sizeBytes"].as_u64().context("a size")?,
            wall: between("backup.queued", "backup.completed")?,
            dump: between("backup.running", "backup.finalizing")?,
            seal: between("backup.finalizing", "backup.completed")?,
            peak,
            id,
        })
    }

    /// Restores a backup into a new database with the command line, downloading into `work`.
    pub(super) fn restore(&self, backup: &Backup, target: &Database, created: &str, work: &Path) -> Result<Restore> {
        let redacted = format!("postgresql://{}@{}:{}/postgres", target.user, target.host, target.port);
        let request = json!({
            "backupJobId": backup.id, "mode": "new_database", "targetRedactedDsn": redacted, "createdDatabase": created,
        });
        let session = self.call("POST", "/api/v1/restores", Some(&request))?;
        let (token, manifest) = (text(&session, "/token")?, text(&session, "/manifestHash")?);
        let arguments = [
            ["--manifest", &manifest],
            ["--target", &redacted],
            ["--mode", "new_database"],
            ["--created-database", created],
        ];
        let output = self
            .walwarden
            .cli(&self.server, None, &[&["--json", "restore"], arguments.as_flattened()].concat())?
            .arg("--work-dir")
            .arg(work)
            .env("WALWARDEN_TOKEN", &token)
            .env("PGPASSWORD", &target.password)
            .deadline(DEADLINE)
            .output()?
            .success()?;
        let last = output.json_lines()?.pop().context("a last line")?;
        let seconds = |name: &str| -> Result<f64> {
            let milliseconds = last.pointer(&format!("/payload/timings/{name}")).and_then(Value::as_f64);
            Ok(milliseconds.with_context(|| format!("no {name} in {last}"))? / 1000.0)
        };
        Ok(Restore {
            wall: output.duration.as_secs_f64(),
            download: seconds("downloadMs")?,
            verify: seconds("verifyMs")?,
            loading: seconds("restoreMs")?,
            analyze: seconds("analyzeMs")?,
        })
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let authorization = format!("Bearer {}", self.api_key);
        let once = crate::canary::random_hex(16);
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", once.as_str())];
        let answer = self.server.request(method, path, &headers, body)?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {}", answer.json()?);
        answer.json()
    }
}

fn text(document: &Value, pointer: &str) -> Result<String> {
    let value = document.pointer(pointer).and_then(Value::as_str);
    Ok(value.with_context(|| format!("no {pointer} in {document}"))?.to_owned())
}

fn between(evidence: &Value, from: &str, to: &str) -> Result<Duration> {
    let at = |kind: &str| -> Result<Timestamp> {
        let events = evidence["auditEvents"].as_array().context("audit events")?;
        let event = events.iter().find(|event| event["kind"] == kind);
        Ok(text(event.with_context(|| format!("no {kind}"))?, "/at")?.parse()?)
    };
    Ok(at(to)?.duration_since(at(from)?).try_into()?)
}
