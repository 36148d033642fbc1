//! `walwarden restore create`

use walwarden_contract::model::{CreateRestoreRequest, RestoreSession};
use walwarden_sdk::restore::RestoreOptions;
use walwarden_sdk::{WalwardenClient, new_idempotency_key};

use super::super::{interruptible, to_value};
use super::options::{no_call, restore_options, target_arguments};
use crate::cli::CreateArgs;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::{Cell, View};

pub(super) async fn run(context: &Context, arguments: CreateArgs) -> Result<Report, Failure> {
    let options = restore_options(context, &arguments.target, None)?;
    options.check().map_err(no_call)?;
    let client = context.client()?;
    let session = open(context, &client, &arguments, &options).await?;
    let next = legacy_command(context, &arguments, &options, &session);
    let human = human(&session, &next, &context.view());
    Ok(Report { data: to_value(&session), human, next: vec![next] })
}

pub(in crate::commands) fn human(session: &RestoreSession, next: &[String], view: &View) -> String {
    format!(
        "{}\n\nNothing is restored yet. The token works once; this uses it:\n  {} {}",
        view.fields(&[
            ("restore", session.restore_job_id.to_string().into()),
            ("manifest", session.manifest_hash.as_str().into()),
            ("state", Cell::word(&session.state)),
            ("expires", view.time(session.token_expires_at).into()),
        ]),
        text::shell(&[format!("WALWARDEN_TOKEN={}", session.token)]),
        view.shell(next)
    )
}

/// Opens a session. The API learns the target without any credential.
pub(super) async fn open(
    context: &Context,
    client: &WalwardenClient,
    arguments: &CreateArgs,
    options: &RestoreOptions,
) -> Result<RestoreSession, Failure> {
    let request = CreateRestoreRequest {
        backup_job_id: arguments.backup,
        mode: options.mode,
        target_redacted_dsn: options.target.redacted(),
        created_database: options.created_database.clone(),
        confirm_destructive: options.confirm_destructive,
    };
    let key = new_idempotency_key();
    let opened = interruptible(context, client.create_restore(&request, &key)).await;
    opened.map_err(|failure| failure.untouched("Nothing was restored; the target was not touched."))
}

/// The command that uses the token, which itself goes into the environment.
fn legacy_command(
    context: &Context,
    arguments: &CreateArgs,
    options: &RestoreOptions,
    session: &RestoreSession,
) -> Vec<String> {
    let mut words = command(&["restore", "--manifest", &session.manifest_hash]);
    words.extend(target_arguments(context, &arguments.target, options));
    words
}
