//! `walwarden-api admin evidence export`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{Actor, EvidenceExported};
use walwarden_contract::bundle::{self, ARTIFACT, ExportScope};
use walwarden_contract::manifest::{Manifest, ManifestArtifact};
use walwarden_contract::{BackupJobId, DatabaseId, ErrorCode};

use super::archive::Archive;
use crate::commands::admin::context::Context;
use crate::commands::admin::usage;
use crate::commands::output::{CommandResult, Failure, Outcome};
use crate::engine::storage::Bucket;
use crate::evidence::bundle::{Asked, BundleError, backup, period};
use crate::evidence::report::Period;
use crate::secrets::Keyring;

pub(super) const EXAMPLE: &str = "Examples:
  walwarden-api admin evidence export --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3
  walwarden-api admin evidence export --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --with-artifact --out /mnt/audit/evidence.tgz
  walwarden-api admin evidence export --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --period 2026-Q1
  walwarden-api admin evidence export --period 2026-01 --out january.tgz

Check what was written, on any machine:
  walwarden-verify --bundle january.tgz --pubkey walwarden-pubkey.pem --checkpoint FILE-FROM-YOUR-BUCKET";

/// The arguments of `evidence export`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(false).args(["backup", "period"])))]
pub(in crate::commands::admin) struct ExportArguments {
    /// The evidence of this backup
    #[arg(long, value_name = "BACKUP_JOB_ID", conflicts_with = "database")]
    backup: Option<BackupJobId>,
    /// The evidence of a period: 2026, 2026-Q1, 2026-01, 2026-01-31, or FROM..TO; in UTC
    #[arg(long)]
    period: Option<Period>,
    /// Of the period, only this database; the whole organization when absent
    #[arg(long, value_name = "DATABASE_ID", requires = "period")]
    database: Option<DatabaseId>,
    /// Put the dump itself into the bundle, read from the bucket
    #[arg(long, requires = "backup")]
    with_artifact: bool,
    /// As of the checkpoint of this many events; the newest when absent
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint: Option<u64>,
    /// Prove that the log begins with the one of a checkpoint that you kept, of this many events
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    remembered: Option<u64>,
    /// Write the bundle to this file, which must not exist; a name of its own in this directory when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn run(arguments: ExportArguments, context: &Context<'_>) -> CommandResult {
    let keyring = context.keyring()?;
    let asked = Asked { checkpoint: arguments.checkpoint, remembered: arguments.remembered };
    match (arguments.backup, &arguments.period) {
        (Some(id), _) => one(&arguments, id, context, &keyring, asked).await,
        (None, Some(period)) => {
            let scope = ExportScope { database_id: arguments.database, from: period.from, to: period.to };
            all(&arguments, scope, context, &keyring, asked).await
        }
        (None, None) => Err(usage("name a backup with --backup, or a period with --period")),
    }
}

impl From<BundleError> for Failure {
    fn from(error: BundleError) -> Self {
        match (error.code(), error) {
            (_, BundleError::Store(error)) => error.into(),
            (Some(code), error) => Self::new(code, error.to_string()),
            (None, error) => Self::new(ErrorCode::InternalError, error.to_string()),
        }
    }
}

/// The bucket that holds the dump of a backup, and what the manifest says of the dump.
async fn dump(
    context: &Context<'_>,
    keyring: &Keyring,
    id: BackupJobId,
) -> Result<(Bucket, ManifestArtifact), Failure> {
    let job = context.store.backup(context.org_id, id).await?;
    let kept = job.is_kept();
    let manifest: Option<Manifest> = job.manifest.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(Manifest { artifact, .. }) = manifest.filter(|_| kept) else {
        return Err(Failure::new(ErrorCode::BackupExpired, format!("the dump of {id} is in no bucket any more")));
    };
    let destination = context.store.destination(context.org_id, job.destination_id).await?;
    let bucket = Bucket::connect(&destination, &keyring.open_access(&destination)?);
    let bucket = bucket.map_err(|error| Failure::new(error.code(), error.message))?;
    Ok((bucket, artifact))
}

async fn one(
    arguments: &ExportArguments,
    id: BackupJobId,
    context: &Context<'_>,
    keyring: &Keyring,
    asked: Asked,
) -> CommandResult {
    if let Some(database) = arguments.database {
        return Err(usage(format!("--database {database} belongs to --period")));
    }
    let dump = if arguments.with_artifact { Some(dump(context, keyring, id).await?) } else { None };
    let made = Box::pin(backup(&context.store, keyring, context.org_id, id, asked, dump.is_some())).await?;
    let out = arguments.out.clone().unwrap_or_else(|| bundle::file_name(id).into());
    let mut archive = Archive::begin(&out)?;
    archive.add(&made.files)?;
    if let Some((bucket, recorded)) = dump {
        let found = archive.stream(&bucket, &recorded.key, ARTIFACT, recorded.size_bytes).await?;
        if found != recorded.checksum_sha256 {
            let message = format!("the dump of {id} in the bucket is not the one that was sent; nothing was exported");
            return Err(Failure::new(ErrorCode::ArtifactMismatch, message));
        }
    }
    let exported = EvidenceExported { backup_job_id: Some(id), ..EvidenceExported::default() };
    let sha256 = keep(archive, context, made.checkpoint, exported).await?;
    let data = json!({ "file": out, "sha256": sha256, "backupJobId": id, "checkpointSize": made.checkpoint });
    Ok(written(&out, &sha256, data, "the evidence of one backup"))
}

async fn all(
    arguments: &ExportArguments,
    scope: ExportScope,
    context: &Context<'_>,
    keyring: &Keyring,
    asked: Asked,
) -> CommandResult {
    if let Some(id) = scope.database_id {
        context.store.database(context.org_id, id).await?;
    }
    let made = Box::pin(period(&context.store, keyring, context.org_id, scope.clone(), asked)).await?;
    let out = arguments.out.clone().unwrap_or_else(|| bundle::export_file_name(&scope, context.org_id).into());
    let mut archive = Archive::begin(&out)?;
    archive.add(&made.files)?;
    if let Some(leaves) = &made.leaves {
        archive.leaves(leaves).await?;
    }
    let ExportScope { database_id, from, to } = scope.clone();
    let exported = EvidenceExported { database_id, from: Some(from), to: Some(to), ..EvidenceExported::default() };
    let sha256 = keep(archive, context, made.checkpoint, exported).await?;
    let data = json!({
        "file": out, "sha256": sha256, "databaseId": scope.database_id, "from": scope.from, "to": scope.to,
        "backups": made.backups, "checkpointSize": made.checkpoint,
    });
    let outcome = written(&out, &sha256, data, &format!("the evidence of {} backups", made.backups));
    Ok(if made.backups == 0 { outcome.warn("no backup was completed in this period") } else { outcome })
}

/// Ends the archive and answers its SHA-256. Who took evidence away is on record before the file has its name.
async fn keep(
    archive: Archive,
    context: &Context<'_>,
    checkpoint: u64,
    exported: EvidenceExported,
) -> Result<String, Failure> {
    let (sealed, sha256) = archive.finish()?;
    let payload = Payload::EvidenceExported(EvidenceExported {
        checkpoint_size: Some(checkpoint),
        bundle_sha256: Some(sha256.clone()),
        by: Some(Actor::Operator),
        ..exported
    });
    context.store.record_organization_event(context.org_id, context.system.now(), &payload).await?;
    sealed.keep()?;
    Ok(sha256)
}

fn written(out: &Path, sha256: &str, data: Value, what: &str) -> Outcome {
    let text = format!(
        "Wrote {what} to {}: SHA-256 {sha256}.\nCheck it on any machine with walwarden-verify, the public key and a checkpoint from \
         the bucket.",
        out.display()
    );
    Outcome::new(data, text)
}
