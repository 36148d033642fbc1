//! `walwarden-api demo`: the whole path once, on a throw-away Postgres and a throw-away bucket, with the real binaries.

pub(crate) mod bucket;
mod compare;
mod narrator;
mod sample;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;
use walwarden_sdk::postgres::Dsn;

use self::narrator::Narrator;
use self::stage::Stage;
use super::output::Failure;
use crate::lifecycle::shutdown_on_signal;
use crate::system::System;

/// What the demo is asked to do.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    /// Back this database up instead of a generated one. It is only read; the restore goes to a throw-away server.
    /// Put the password into PGPASSWORD.
    #[arg(long, value_name = "DSN")]
    pub source: Option<String>,
    /// Leave everything running afterwards, and say how to reach it.
    #[arg(long)]
    pub keep: bool,
    /// Rows in the largest generated table.
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    pub rows: u32,
    /// Where the Postgres server's programs are; by default beside `postgres` on PATH, or below /usr/lib/postgresql.
    #[arg(long, env = "WALWARDEN_PG_BIN_DIR", value_name = "DIR")]
    pub pg_bin_dir: Option<PathBuf>,
}

/// The database that the restore creates.
const RESTORED: &str = "shop_restored";

/// Runs the demo. Success means that every table's digest is the same in source and restored database.
///
/// # Errors
/// When any step fails, or a digest differs.
pub async fn run(arguments: &DemoArguments, system: System) -> anyhow::Result<()> {
    let began = Instant::now();
    let interrupted = shutdown_on_signal()?;
    let narrator = Narrator::to_stdout();
    narrator.title("Walwarden demo: back up a real Postgres into a real bucket, and restore it")?;
    let source = arguments.source.as_deref().map(Dsn::parse).transpose().map_err(|error| {
        Failure::new(ErrorCode::UsageError, format!("--source is not a connection string: {error}"))
    })?;
    let stage = unless(&interrupted, Stage::set(arguments, source, system, &narrator)).await?;
    let played = unless(&interrupted, play(&stage, &narrator)).await;
    if arguments.keep && played.is_ok() {
        stage.explain(&narrator)?;
        interrupted.cancelled().await;
    }
    stage.clear().await;
    played?;
    narrator.line("")?;
    narrator.line(&format!(
        "Done in {:.1} s. Every table came back with the same rows. Server, bucket and data are removed.",
        began.elapsed().as_secs_f64()
    ))
}

/// What the step comes to, unless Ctrl-C comes first. Dropping a step stops what it has started.
async fn unless<T>(
    interrupted: &CancellationToken,
    step: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = step => done,
        () = interrupted.cancelled() => {
            Err(Failure::new(ErrorCode::Cancelled, "interrupted; everything that was started is stopped").into())
        }
    }
}

/// The commands that a user would type, each with its result.
async fn play(stage: &Stage, narrator: &Narrator) -> anyhow::Result<()> {
    narrator.title("1. Who am I?")?;
    stage.walwarden(narrator, &["profile", "validate"]).await?;

    narrator.title("2. Back up, and wait until it is proven")?;
    let database = stage.database_id.to_string();
    let backup = stage.walwarden(narrator, &["backup", "trigger", "--database", &database, "--wait"]).await?;
    let completed = &backup["completed"];
    ensure!(completed["state"] == "completed", "the backup ended as {}", completed["state"]);
    let backup_id = text(&completed["id"])?;

    narrator.title("3. The evidence: a signed manifest and a chained audit log")?;
    let evidence = stage.walwarden(narrator, &["evidence", "get", &backup_id]).await?;
    ensure!(evidence["integrityVerification"]["result"] == "passed", "the evidence does not say passed");

    narrator.title("4. Restore into a new database, on this machine")?;
    let target = stage.target_argument();
    let restore = [
        "restore",
        "execute",
        "--backup",
        &backup_id,
        "--target",
        &target,
        "--mode",
        "new_database",
        "--created-database",
        RESTORED,
    ];
    let restored = stage.walwarden(narrator, &restore).await?;
    ensure!(restored["restore"]["state"] == "completed", "the restore ended as {}", restored["restore"]["state"]);

    narrator.title("5. Compare source and restored database")?;
    let comparison = compare::compare(&stage.tools, &stage.source, &stage.target(RESTORED)).await?;
    narrator.line(&comparison.table())?;
    ensure!(comparison.equal(), "source and restored database differ");
    Ok(())
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("the command's answer lacks a field that the demo needs")
}
