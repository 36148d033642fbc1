//! `walwarden restore execute --dry-run`, and the check that `--plan` asks for.

use walwarden_contract::model::cli::{PlannedOverwrite, RestorePlanData};
use walwarden_contract::page::PageQuery;
use walwarden_sdk::restore::{Executor, RestoreOptions, RestorePlan, check_plan, plan_digest};
use walwarden_sdk::{Error, WalwardenClient};

use super::super::{interruptible, to_value};
use super::options::{run_arguments, target_arguments};
use crate::cli::ExecuteArgs;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

const UNTOUCHED: &str = "No session was opened; the target was not touched.";
/// As many as fit on one page: enough to recognize the manifest that a plan was made for.
const OTHER_BACKUPS: u32 = 200;

/// Says what the restore would do.
pub(super) async fn dry_run(
    context: &Context,
    client: &WalwardenClient,
    arguments: &ExecuteArgs,
    options: RestoreOptions,
) -> Result<Report, Failure> {
    let plan = match &arguments.plan.plan {
        Some(digest) => check(context, client, arguments, options.clone(), digest).await?,
        None => make(context, client, arguments, options.clone()).await?,
    };
    for warning in &plan.warnings {
        context.warn(warning.clone());
    }
    let plan_digest = plan_digest(&plan.pinned);
    let next = again(arguments, &options, &["--plan", &plan_digest]);
    let human = format!(
        "{}\n\nNothing was done. This carries the plan out, unless target, manifest or mode have changed by then:\n  {}",
        describe(&plan, &plan_digest),
        text::shell(&next)
    );
    Ok(Report { data: to_value(&RestorePlanData { plan_digest, plan }), human, next: vec![next] })
}

/// Makes the plan again, and refuses one that is not the one with this digest.
pub(super) async fn check(
    context: &Context,
    client: &WalwardenClient,
    arguments: &ExecuteArgs,
    options: RestoreOptions,
    digest: &str,
) -> Result<RestorePlan, Failure> {
    let plan = make(context, client, arguments, options.clone()).await?;
    if check_plan(digest, &plan.pinned, &[]).is_ok() {
        return Ok(plan);
    }
    // Only to say what has changed: without them, it is said less exactly.
    let page = PageQuery { limit: Some(OTHER_BACKUPS), cursor: None };
    let listed = interruptible(context, client.list_database_backups(plan.backup.database_id, &page)).await;
    let others = listed.map(|list| list.backups).unwrap_or_default().into_iter();
    let others: Vec<String> = others.filter_map(|backup| Some(backup.artifact?.manifest_hash)).collect();
    match check_plan(digest, &plan.pinned, &others) {
        Ok(()) => Ok(plan),
        Err(error) => Err(refused(error).next(again(arguments, &options, &["--dry-run"]))),
    }
}

async fn make(
    context: &Context,
    client: &WalwardenClient,
    arguments: &ExecuteArgs,
    options: RestoreOptions,
) -> Result<RestorePlan, Failure> {
    let backup = interruptible(context, client.get_backup(arguments.create.backup)).await;
    let backup = backup.map_err(|failure| failure.untouched(UNTOUCHED))?;
    Executor::new(options).cancel(context.cancel.clone()).plan(&backup).await.map_err(refused)
}

fn refused(error: Error) -> Failure {
    Failure::from(error).untouched(UNTOUCHED)
}

/// The same command with other words at its end.
fn again(arguments: &ExecuteArgs, options: &RestoreOptions, last: &[&str]) -> Vec<String> {
    let mut words = command(&["restore", "execute", "--backup", &arguments.create.backup.to_string()]);
    words.extend(target_arguments(&arguments.create.target, options));
    words.extend(run_arguments(&arguments.run));
    words.extend(last.iter().map(|word| (*word).to_owned()));
    words
}

fn describe(plan: &RestorePlan, digest: &str) -> String {
    let (backup, target, disk) = (&plan.backup, &plan.target, &plan.disk);
    let identifier = target.system_identifier.as_ref().map(|identifier| format!(", cluster {identifier}"));
    let mut pairs = vec![
        ("backup", format!("{} of {}", backup.backup_job_id, text::or_dash(backup.finished_at))),
        ("manifest", backup.manifest_hash.clone()),
        ("artifact", format!("{} ({} bytes)", text::size(backup.size_bytes), backup.size_bytes)),
        ("sha256", backup.checksum_sha256.clone()),
        ("mode", plan.mode.as_str().to_owned()),
        ("target", target.redacted_dsn.clone()),
        ("connected", format!("to {:?} (oid {}) as {}", target.database, target.database_oid, target.user)),
        ("server", format!("PostgreSQL {}{}", target.server_version, identifier.unwrap_or_default())),
    ];
    if let Some(creates) = &plan.creates {
        let name = creates.database.as_ref().map(|name| format!("database {name:?}"));
        pairs.push(("creates", name.unwrap_or_else(|| "the database that the backup names".to_owned())));
    }
    if let Some(overwrites) = &plan.overwrites {
        pairs.push(("overwrites", overwritten(overwrites)));
    }
    let options = &plan.options;
    let mut chosen = vec![format!("{} jobs", options.jobs)];
    let switches = [
        (options.no_owner, "no owner"),
        (options.no_acl, "no privileges"),
        (options.no_analyze, "no ANALYZE"),
        (options.public_key_pinned, "public key pinned"),
    ];
    chosen.extend(switches.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()));
    let room =
        format!("{}: {} needed, {} free", disk.directory, text::size(disk.needed_bytes), text::size(disk.free_bytes));
    pairs.extend([
        ("options", chosen.join(", ")),
        ("tools", format!("pg_restore {}, psql {}", plan.tools.pg_restore, plan.tools.psql)),
        ("disk", room),
        ("digest", digest.to_owned()),
    ]);
    text::fields(&pairs)
}

/// What `in_place` would overwrite, for a person.
pub(super) fn overwritten(overwrites: &PlannedOverwrite) -> String {
    let count = |number: u64, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    format!(
        "database {:?}: {}, {}, {} connected",
        overwrites.database,
        count(overwrites.tables, "table"),
        text::size(overwrites.size_bytes),
        count(overwrites.other_sessions, "other session")
    )
}
