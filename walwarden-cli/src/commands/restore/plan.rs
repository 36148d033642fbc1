//! `walwarden restore execute --dry-run`, and the check that `--plan` asks for.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;
use walwarden_contract::model::cli::{PlannedOptions, PlannedOverwrite, RestorePlanData};
use walwarden_contract::page::PageQuery;
use walwarden_sdk::restore::{Executor, RestoreOptions, RestorePlan, check_plan, plan_digest};
use walwarden_sdk::{Error, WalwardenClient};

use super::super::{interruptible, to_value};
use super::options::{run_arguments, target_arguments};
use crate::cli::ExecuteArgs;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::{Cell, View};
use crate::terminal;

const UNTOUCHED: &str = "No session was opened; the target was not touched.";
const CONSENT_LEFT_OUT: &str = "the next command is refused without --confirm-destructive: whoever consents to what is \
                                overwritten adds it";
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
    let next = again(context, arguments, &options, &["--plan", &plan_digest]);
    if options.mode == RestoreMode::InPlace && !options.confirm_destructive && !terminal::is_there(context.printer) {
        context.warn(CONSENT_LEFT_OUT);
    }
    let data = RestorePlanData { plan_digest, plan };
    let human = human(&data, &next, &context.view());
    Ok(Report { data: to_value(&data), human, next: vec![next] })
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
        Err(error) => Err(refused(error).next(again(context, arguments, &options, &["--dry-run"]))),
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
    let names_no_database = options.mode == RestoreMode::NewDatabase && options.created_database.is_none();
    let mut executor = Executor::new(options).cancel(context.cancel.clone());
    if names_no_database {
        // Without it the plan says that the name is unchecked.
        match interruptible(context, client.get_database(backup.database_id)).await {
            Ok(database) => executor = executor.source_database(database.database_name),
            Err(failure) if failure.body.code == ErrorCode::Cancelled => return Err(failure.untouched(UNTOUCHED)),
            Err(_) => {}
        }
    }
    executor.plan(&backup).await.map_err(refused)
}

fn refused(error: Error) -> Failure {
    Failure::from(error).untouched(UNTOUCHED)
}

/// The same command with other words at its end.
pub(super) fn again(
    context: &Context,
    arguments: &ExecuteArgs,
    options: &RestoreOptions,
    last: &[&str],
) -> Vec<String> {
    let mut words = command(&["restore", "execute", "--backup", &arguments.create.backup.to_string()]);
    words.extend(target_arguments(context, &arguments.create.target, options));
    words.extend(run_arguments(&arguments.run));
    words.extend(last.iter().map(|word| (*word).to_owned()));
    words
}

pub(in crate::commands) fn human(data: &RestorePlanData, next: &[String], view: &View) -> String {
    let plan = &data.plan;
    let (backup, target) = (&plan.backup, &plan.target);
    let identifier = target.system_identifier.as_ref().map(|identifier| format!(", cluster {identifier}"));
    let mut pairs: Vec<(&str, Cell)> = vec![
        ("backup", backup.backup_job_id.to_string().into()),
        ("finished", view.time_or_dash(backup.finished_at).into()),
        ("manifest", backup.manifest_hash.as_str().into()),
        ("artifact", text::exact_size(backup.size_bytes).into()),
        ("sha256", backup.checksum_sha256.as_str().into()),
        ("mode", plan.mode.as_str().into()),
        ("target", target.redacted_dsn.as_str().into()),
        ("connected", format!("to {:?} (oid {}) as {}", target.database, target.database_oid, target.user).into()),
        ("server", format!("PostgreSQL {}{}", target.server_version, identifier.unwrap_or_default()).into()),
    ];
    if let Some(creates) = &plan.creates {
        let name = creates.database.as_ref().map(|name| format!("database {name:?}"));
        pairs.push(("creates", name.unwrap_or_else(|| "the database that the backup names".to_owned()).into()));
    }
    pairs.extend(plan.overwrites.as_ref().map(|overwrites| ("overwrites", overwritten(overwrites).into())));
    let disk = &plan.disk;
    let (needed, free) = (text::size(disk.needed_bytes), text::size(disk.free_bytes));
    pairs.extend([
        ("options", chosen(&plan.options).into()),
        ("tools", format!("pg_restore {}, psql {}", plan.tools.pg_restore, plan.tools.psql).into()),
        ("disk", format!("{}: {needed} needed, {free} free", disk.directory).into()),
        ("digest", data.plan_digest.as_str().into()),
    ]);
    format!(
        "{}\n\nNothing was done. This carries the plan out, unless target, manifest or mode have changed by then:\n  {}",
        view.fields(&pairs),
        view.shell(next)
    )
}

fn chosen(options: &PlannedOptions) -> String {
    let switches = [
        (options.no_owner, "no owner"),
        (options.no_acl, "no privileges"),
        (options.no_analyze, "no ANALYZE"),
        (options.public_key_pinned, "public key pinned"),
    ];
    let chosen = switches.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned());
    std::iter::once(format!("{} jobs", options.jobs)).chain(chosen).collect::<Vec<_>>().join(", ")
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
