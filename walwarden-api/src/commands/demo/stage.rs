//! Everything the demo needs: servers, bucket, store, API, and what it takes to stop them again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use walwarden_contract::{ApiKeyId, DatabaseId, DestinationId, ErrorCode, OrgId, Scope};
use walwarden_sdk::postgres::{
    Ambient, ClusterOptions, Dsn, EphemeralCluster, LibpqEnv, Spawn, ToolName, Tools, query,
};

use super::narrator::Narrator;
use super::{DemoArguments, bucket, sample};
use crate::commands::output::Failure;
use crate::config::{CommonArguments, ServeArguments, Settings};
use crate::jobs::preflights;
use crate::lifecycle::Server;
use crate::secrets::{Credentials, Keyring};
use crate::store::Store;
use crate::store::api_keys::ApiKey;
use crate::store::databases::Database;
use crate::store::destinations::{Destination, Verification};
use crate::store::organizations::Organization;
use crate::system::System;
use crate::telemetry;

/// How long one step may take.
const DEADLINE: Duration = Duration::from_mins(10);
const GRACE: Duration = Duration::from_secs(10);

pub(super) struct Stage {
    pub(super) tools: Tools,
    pub(super) source: LibpqEnv,
    pub(super) database_id: DatabaseId,
    cluster: EphemeralCluster,
    api_url: String,
    api_key: SecretString,
    walwarden: PathBuf,
    directory: tempfile::TempDir,
    stop: CancellationToken,
    serving: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    pub(super) async fn set(
        arguments: &DemoArguments,
        source: Option<Dsn>,
        system: System,
        narrator: &Narrator,
    ) -> anyhow::Result<Self> {
        let walwarden = walwarden_binary()?;
        let programs = server_programs(arguments.pg_bin_dir.as_deref())?;
        let tools = Tools::discover(Some(&programs), None);
        let directory = tempfile::Builder::new().prefix("walwarden-demo-").tempdir()?;
        let stop = CancellationToken::new();

        narrator.line(&format!("Starting a throw-away Postgres from {} ...", programs.display()))?;
        let cluster = EphemeralCluster::start(&programs, &ClusterOptions::default()).await?;
        let source_dsn = match source {
            Some(dsn) => dsn_with_password(dsn),
            None => load_sample(&tools, &cluster, arguments.rows, narrator).await?,
        };

        let credentials = Credentials {
            access_key_id: "walwarden-demo".to_owned(),
            secret_access_key: hex::encode(system.random::<20>()).into(),
        };
        let s3 = bucket::serve(&directory.path().join("bucket"), &credentials, stop.clone()).await?;
        narrator.line(&format!(
            "Serving an S3 bucket from this process at http://{s3} (for trying only: nothing there is immutable)"
        ))?;

        let data_dir = directory.path().join("data");
        std::fs::create_dir(&data_dir)?;
        let keyring = Keyring::generate(&system, &data_dir)?;
        let store = Store::open_sqlite(&data_dir).await?;
        let (database_id, api_key) =
            register(&store, &system, &keyring, &credentials, &format!("http://{s3}"), &source_dsn).await?;
        let mut settings = settings(&data_dir)?;
        settings.pg_bin_dir = Some(programs);
        keyring.record(&store, system.now()).await?;
        let server = Server::bind(settings, store, system, keyring, telemetry::detached_metrics()?).await?;
        let api_url = format!("http://{}", server.address()?);
        narrator.line(&format!("Serving the Walwarden API at {api_url}"))?;
        let serving = tokio::spawn(server.run(stop.clone()));

        let source = source_dsn.libpq_env(None, &Ambient::from_process())?;
        Ok(Self { tools, source, database_id, cluster, api_url, api_key, walwarden, directory, stop, serving })
    }

    /// The connection to a database on the throw-away server.
    pub(super) fn target(&self, database: &str) -> LibpqEnv {
        // A passfile in the system's temporary directory is all that this writes.
        self.cluster.dsn(database).libpq_env(None, &Ambient::default()).unwrap_or_else(|_| self.source.clone())
    }

    /// The maintenance database of the throw-away server, as an argument: without the password.
    pub(super) fn target_argument(&self) -> String {
        self.cluster.dsn("postgres").redacted()
    }

    fn target_password(&self) -> Option<String> {
        let uri = self.cluster.dsn("postgres").to_uri();
        let (_, rest) = uri.expose_secret().split_once("://")?;
        let (credentials, _) = rest.split_once('@')?;
        credentials.split_once(':').map(|(_, password)| password.to_owned())
    }

    /// Runs `walwarden` as a user would, shows what it printed, and answers the `data` of its JSON form.
    pub(super) async fn walwarden(&self, narrator: &Narrator, arguments: &[&str]) -> anyhow::Result<Value> {
        narrator.command("walwarden", &[&["--json"], arguments].concat())?;
        let output = Spawn::new(&self.walwarden)
            .arg("--json")
            .args(arguments)
            .env("WALWARDEN_BASE_URL", &self.api_url)
            .env("WALWARDEN_API_KEY", self.api_key.expose_secret())
            .env("PGPASSWORD", self.target_password().unwrap_or_default())
            .env("PATH", self.tools.locate(ToolName::PgRestore)?.parent().unwrap_or(Path::new("/usr/bin")))
            .output(DEADLINE)
            .await?;
        let envelope: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            format!("walwarden ended with {} and no JSON: {}", output.exit.status, output.exit.stderr)
        })?;
        narrator.line(&serde_json::to_string_pretty(&shortened(&envelope))?)?;
        ensure!(output.exit.success() && envelope["ok"] == true, "walwarden ended with {}", output.exit.status);
        Ok(envelope["data"].clone())
    }

    /// Says how to reach what is left running.
    pub(super) fn explain(&self, narrator: &Narrator) -> anyhow::Result<()> {
        narrator.title("Everything stays running until you press Ctrl-C")?;
        let lines = [
            format!("export WALWARDEN_BASE_URL={}", self.api_url),
            format!("export WALWARDEN_API_KEY={}", self.api_key.expose_secret()),
            format!("walwarden backup list --database {}", self.database_id),
            format!("export PGPASSWORD={}", self.target_password().unwrap_or_default()),
            format!("psql '{}'", self.target_argument()),
            format!("ls -R {}", self.directory.path().join("bucket").display()),
        ];
        lines.iter().try_for_each(|line| narrator.line(&format!("  {line}")))
    }

    /// Stops everything that was started, and removes its data.
    pub(super) async fn clear(self) {
        self.stop.cancel();
        let _ = self.serving.await;
        let _ = self.cluster.stop(GRACE).await;
    }
}

/// The answers hold long lists that nobody reads in a transcript: the middle of each is left out.
fn shortened(value: &Value) -> Value {
    const SHOWN: usize = 3;
    match value {
        Value::Array(items) if items.len() > SHOWN + 1 && items.iter().all(|item| !item.is_array()) => {
            let mut shown: Vec<Value> = items.iter().take(SHOWN).map(shortened).collect();
            shown.push(Value::String(format!("... {} more", items.len() - SHOWN)));
            Value::Array(shown)
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), shortened(field))).collect(),
        other => other.clone(),
    }
}

/// The binary beside this one.
fn walwarden_binary() -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("walwarden");
    if beside.is_file() {
        return Ok(beside);
    }
    bail!("{} is missing; build it with `cargo build --workspace --bins`", beside.display())
}

/// Where `initdb` and `postgres` are.
fn server_programs(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = system.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    let candidates = chosen
        .map(Path::to_owned)
        .into_iter()
        .chain(std::env::split_paths(&path).filter(|_| chosen.is_none()))
        .chain(versions.into_iter().rev().filter(|_| chosen.is_none()));
    let complete = |directory: &PathBuf| {
        ["initdb", "postgres", "pg_dump", "psql"].iter().all(|name| directory.join(name).is_file())
    };
    let message = "the demo needs a Postgres server's programs (initdb, postgres) and found them in no directory; install \
                   postgresql, or name their directory with --pg-bin-dir";
    candidates.into_iter().find(complete).ok_or_else(|| Failure::new(ErrorCode::ToolMissing, message).into())
}

fn dsn_with_password(dsn: Dsn) -> Dsn {
    match std::env::var("PGPASSWORD") {
        Ok(password) if !dsn.has_password() && !password.is_empty() => dsn.with_password(password.into()),
        _ => dsn,
    }
}

async fn load_sample(tools: &Tools, cluster: &EphemeralCluster, rows: u32, narrator: &Narrator) -> anyhow::Result<Dsn> {
    narrator.line(&format!("Loading a sample shop: {rows} orders and all that belongs to them ..."))?;
    let maintenance = cluster.dsn("postgres").libpq_env(None, &Ambient::default())?;
    query(tools, &maintenance, "CREATE DATABASE shop", DEADLINE).await.context("cannot create the sample database")?;
    let dsn = cluster.dsn("shop");
    let connection = dsn.libpq_env(None, &Ambient::default())?;
    for statement in sample::statements(rows) {
        query(tools, &connection, &statement, DEADLINE).await.context("cannot load the sample")?;
    }
    Ok(dsn)
}

/// An organization, a destination marked for trying only, the database, and an API key.
async fn register(
    store: &Store,
    system: &System,
    keyring: &Keyring,
    credentials: &Credentials,
    endpoint: &str,
    source: &Dsn,
) -> anyhow::Result<(DatabaseId, SecretString)> {
    let now = system.now();
    let org_id = OrgId::from_uuid(system.uuid());
    store.create_organization(&Organization { id: org_id, name: "demo".to_owned(), created_at: now }).await?;
    let destination_id = DestinationId::from_uuid(system.uuid());
    let destination = Destination {
        id: destination_id,
        org_id,
        name: "demo bucket".to_owned(),
        provider: "s3_compatible".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        bucket: bucket::BUCKET.to_owned(),
        addressing: "path".to_owned(),
        checksum_mode: "crc32".to_owned(),
        lock_mode: "none".to_owned(),
        retention_days: 1,
        trial: true,
        sealed_credentials: keyring.seal_credentials(system, destination_id, credentials),
        role: None,
        encryption: "none".to_owned(),
        kms_key_id: None,
        verification: Verification::due(now),
        created_at: now,
        updated_at: now,
    };
    store.create_destination(&destination).await?;
    let looked = preflights::look(store, system, keyring, &destination, None).await?;
    if let Some(refusal) = preflights::refusal(&looked.destination) {
        return Err(Failure::new(ErrorCode::DestinationNotReady, refusal).into());
    }
    let database_id = DatabaseId::from_uuid(system.uuid());
    let database = Database {
        id: database_id,
        org_id,
        destination_id,
        name: "shop".to_owned(),
        database_name: source.database().unwrap_or("shop").to_owned(),
        redacted_dsn: source.redacted(),
        sealed_dsn: keyring.seal_dsn(system, database_id, source),
        codec: "auto".to_owned(),
        retention_days: None,
        schedule: None,
        next_run_at: None,
        source_check: None,
        created_at: now,
        updated_at: now,
    };
    store.create_database(&database).await?;
    let plaintext = format!("wal_{}", hex::encode(system.random::<32>()));
    let scopes =
        [Scope::DatabasesRead, Scope::BackupsTrigger, Scope::RestoresRead, Scope::RestoresWrite, Scope::EvidenceRead];
    let key = ApiKey {
        id: ApiKeyId::from_uuid(system.uuid()),
        org_id,
        name: "demo".to_owned(),
        fingerprint: crate::secrets::fingerprint(&plaintext),
        client_kind: walwarden_contract::model::ClientKind::Service,
        scopes: scopes.to_vec(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    store.create_api_key(&key).await?;
    Ok((database_id, plaintext.into()))
}

/// The defaults, on a free port. The caller's environment has no say in a demo.
fn settings(data_dir: &Path) -> anyhow::Result<Settings> {
    let mut settings = Settings::load(&CommonArguments::default(), Option::<&ServeArguments>::None, &|_| None)?;
    settings.keys = crate::secrets::KeySources::in_directory(data_dir);
    data_dir.clone_into(&mut settings.data_dir);
    settings.listen.set_port(0);
    // A demo is watched: better one clear failure now than three and half a minute of waiting.
    settings.backup_attempts = 1;
    settings.log = std::env::var("WALWARDEN_LOG").unwrap_or_else(|_| "error".to_owned());
    telemetry::init_logs(&settings)?;
    Ok(settings)
}
