//! A person's consent to `in_place`: by flag, or by typing the database's name.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;
use walwarden_sdk::restore::{Executor, RestoreOptions, TargetSurvey};

use super::options::no_call;
use super::plan::overwritten;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::neutral::line;
use crate::output::view::View;
use crate::terminal;

const UNTOUCHED: &str = "Nothing was restored; the target was not touched.";

/// Refuses, before any call, a restore that is not consented to and that nobody can be asked about.
pub(super) fn require(context: &Context, options: &RestoreOptions) -> Result<(), Failure> {
    match options.check() {
        Err(error) if error.code() == ErrorCode::ConfirmationRequired && terminal::is_there(context.printer) => Ok(()),
        other => other.map_err(no_call),
    }
}

/// Shows what would be overwritten and asks for its name, unless the restore is consented to.
pub(super) async fn ask(context: &Context, options: &mut RestoreOptions) -> Result<(), Failure> {
    if options.mode != RestoreMode::InPlace || options.confirm_destructive {
        return Ok(());
    }
    let executor = Executor::new(options.clone()).cancel(context.cancel.clone());
    let survey = executor.survey().await.map_err(|error| Failure::from(error).untouched(UNTOUCHED))?;
    let Some(overwrites) = &survey.overwrites else { return Ok(()) };
    context.printer.note(&describe(&survey, &context.view()));
    let question = format!("Type {} to overwrite it: ", line(&overwrites.database));
    let answer = terminal::ask(context, &question).await.map_err(|failure| failure.untouched(UNTOUCHED))?;
    if answer.as_ref() != Some(&overwrites.database) {
        let what = if answer.is_some() { "Something else was typed than" } else { "Nothing was typed in place of" };
        let message = format!("{what} the name of the database {:?}: in_place is not confirmed.", overwrites.database);
        return Err(Failure::new(ErrorCode::ConfirmationRequired, message).untouched(UNTOUCHED));
    }
    options.confirm_destructive = true;
    Ok(())
}

fn describe(survey: &TargetSurvey, view: &View) -> String {
    let overwrites = survey.overwrites.as_ref().map(overwritten).unwrap_or_default();
    format!(
        "in_place drops from the target what the backup holds too, and loads the backup in its place:\n{}",
        view.fields(&[
            ("target", survey.target.redacted_dsn.as_str().into()),
            ("server", format!("PostgreSQL {}", survey.target.server_version).into()),
            ("overwrites", overwrites.into()),
        ])
    )
}
