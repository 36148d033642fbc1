//! From flags to what the SDK restores.

use secrecy::{ExposeSecret, SecretString};
use walwarden_contract::ErrorCode;
use walwarden_sdk::Error;
use walwarden_sdk::postgres::{Ambient, Dsn, Tools};
use walwarden_sdk::restore::{LeaveOut, RestoreOptions};

use crate::cli::{RunArgs, TargetArgs};
use crate::config::read_secret;
use crate::context::Context;
use crate::failure::Failure;

const PASSWORD_IN_ARGV: &str = "the password in --target is visible to other users of this machine: prefer PGPASSWORD, \
                                PGPASSFILE, WALWARDEN_TARGET_DSN or --target-file";

const TARGET_LEFT_OUT: &str = "the next command leaves --target out, whose `options` may hold a secret: give the target \
                               again, best by WALWARDEN_TARGET_DSN or --target-file";

/// Reads the target and checks it against the mode, before any call.
pub(super) fn restore_options(
    context: &Context,
    target: &TargetArgs,
    run: Option<&RunArgs>,
) -> Result<RestoreOptions, Failure> {
    let (dsn, in_argv) = match (&target.target, &target.target_file) {
        (Some(dsn), _) => (dsn.clone(), true),
        (None, Some(path)) => (read_secret(path)?, false),
        (None, None) => (context.config.target()?.ok_or_else(no_target)?, false),
    };
    let dsn = parse(&dsn)?;
    if in_argv && dsn.has_password() {
        context.warn(PASSWORD_IN_ARGV);
    }
    let mode = target.mode.ok_or_else(|| Failure::new(ErrorCode::UsageError, "--mode is missing."))?;
    let tools = Tools::discover(None, std::env::var_os("PATH").as_deref());
    let mut options = RestoreOptions::new(dsn, mode.into(), tools);
    options.ambient = Ambient::from_process();
    options.created_database.clone_from(&target.created_database);
    options.confirm_destructive = target.confirm_destructive;
    if let Some(run) = run {
        options.jobs = run.jobs;
        options.leave_out = LeaveOut { owner: run.no_owner, acl: run.no_acl, analyze: run.no_analyze };
        if let Some(directory) = &run.work_dir {
            options.work_dir.clone_from(directory);
        }
        // Not a secret, but read the same way.
        let key = run.pubkey.as_deref().map(read_secret).transpose()?;
        options.public_key_pem = key.map(|key| key.expose_secret().to_owned());
    }
    options.check_form().map_err(no_call)?;
    Ok(options)
}

/// A refusal before any call.
pub(super) fn no_call(error: Error) -> Failure {
    Failure::from(error).untouched("No call was made; the target was not touched.")
}

fn no_target() -> Failure {
    Failure::new(ErrorCode::UsageError, "No target: give --target or --target-file, or set WALWARDEN_TARGET_DSN.")
}

fn parse(dsn: &SecretString) -> Result<Dsn, Failure> {
    Dsn::parse(dsn.expose_secret()).map_err(|error| {
        Failure::new(ErrorCode::TargetInvalid, format!("The target is not valid: {error}."))
            .untouched("No call was made; the target was not touched.")
    })
}

/// The same target and mode for a command to be run later, without a secret in it.
pub(super) fn target_arguments(context: &Context, target: &TargetArgs, options: &RestoreOptions) -> Vec<String> {
    let mut words = location(context, target, &options.target);
    words.extend(["--mode".to_owned(), options.mode.as_str().to_owned()]);
    if let Some(name) = &options.created_database {
        words.extend(["--created-database".to_owned(), name.clone()]);
    }
    if target.confirm_destructive {
        words.push("--confirm-destructive".to_owned());
    }
    words
}

fn location(context: &Context, target: &TargetArgs, dsn: &Dsn) -> Vec<String> {
    match (&target.target, &target.target_file) {
        (Some(_), _) => {
            if let Some(dsn) = dsn.shareable() {
                return vec!["--target".to_owned(), dsn];
            }
            context.warn(TARGET_LEFT_OUT);
            Vec::new()
        }
        (None, Some(path)) => vec!["--target-file".to_owned(), path.display().to_string()],
        (None, None) => Vec::new(),
    }
}

/// The same way to run for a command to be run later.
pub(super) fn run_arguments(run: &RunArgs) -> Vec<String> {
    let valued = [
        ("--jobs", run.jobs.map(|jobs| jobs.to_string())),
        ("--work-dir", run.work_dir.as_ref().map(|directory| directory.display().to_string())),
        ("--pubkey", run.pubkey.as_ref().map(|path| path.display().to_string())),
    ];
    let switches = [("--no-owner", run.no_owner), ("--no-acl", run.no_acl), ("--no-analyze", run.no_analyze)];
    let valued = valued.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?])).flatten();
    let switches = switches.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag.to_owned());
    valued.chain(switches).collect()
}
