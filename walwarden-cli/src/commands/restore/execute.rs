//! `walwarden restore execute`

use std::sync::Arc;

use secrecy::SecretString;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::cli::RestoreExecuteData;
use walwarden_contract::model::{RestoreReportPayload, RestoreState};
use walwarden_sdk::WalwardenClient;
use walwarden_sdk::restore::RestoreOptions;

use super::super::to_value;
use super::options::restore_options;
use super::{consent, create, password, plan, session};
use crate::cli::ExecuteArgs;
use crate::clock;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::progress::{Progress, Told};

pub(super) async fn run(context: &Context, arguments: ExecuteArgs) -> Result<Report, Failure> {
    let mut options = restore_options(context, &arguments.create.target, Some(&arguments.run))?;
    let dry_run = arguments.plan.dry_run;
    if !dry_run {
        consent::require(context, &options).map_err(|failure| {
            if failure.body.code != ErrorCode::ConfirmationRequired {
                return failure;
            }
            // What there is to consent to.
            failure.next(plan::again(context, &arguments, &options, &["--dry-run"]))
        })?;
    }
    let client = context.client()?;
    password::ask(context, &mut options).await?;
    if dry_run {
        return plan::dry_run(context, &client, &arguments, options).await;
    }
    if let Some(digest) = &arguments.plan.plan {
        plan::check(context, &client, &arguments, options.clone(), digest).await?;
    }
    consent::ask(context, &mut options).await?;
    execute(context, &client, &arguments, options).await
}

async fn execute(
    context: &Context,
    client: &WalwardenClient,
    arguments: &ExecuteArgs,
    options: RestoreOptions,
) -> Result<Report, Failure> {
    let opened = create::open(context, client, &arguments.create, &options).await?;
    let status = command(&["restore", "status", &opened.restore_job_id.to_string()]);
    let progress = Arc::new(Progress::new(context.printer, Told::Events(opened.restore_job_id)));
    progress.tell(RestoreState::TokenIssued, clock::now(), RestoreReportPayload::default());
    let mut executor = session::executor(context, options, &progress);
    if let Some(digest) = &arguments.plan.plan {
        executor = executor.pinned_to(digest);
    }
    let token = SecretString::from(opened.token);
    let outcome = session::restore(context, token, &opened.manifest_hash, executor, &progress)
        .await
        .map_err(|failure| failure.next(status.clone()))?;
    // The restore is done and reported: an API that cannot be read now changes nothing about that.
    let restore = match client.get_restore(opened.restore_job_id).await {
        Ok(restore) => Some(restore),
        Err(error) => {
            context.warn(format!("the restore is completed, but its job could not be read: {error}"));
            None
        }
    };
    let human = session::describe(&outcome, &context.view());
    let data = to_value(&RestoreExecuteData { restore, outcome });
    Ok(Report { data, human, next: vec![status] })
}
