//! The target's password, from a person where nothing else gives it.

use secrecy::ExposeSecret;
use walwarden_sdk::restore::{Executor, RestoreOptions};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::neutral::line;
use crate::terminal;

const UNTOUCHED: &str = "Nothing was restored; the target was not touched.";

/// Asks for the password that the target wants and that was not given. Without an answer, or without a person, it is the
/// target that refuses, and its error names the other ways.
pub(super) async fn ask(context: &Context, options: &mut RestoreOptions) -> Result<(), Failure> {
    if !terminal::is_there(context.printer) {
        return Ok(());
    }
    let executor = Executor::new(options.clone()).cancel(context.cancel.clone());
    let lacks = executor.lacks_password().await;
    if !lacks.map_err(|error| Failure::from(error).untouched(UNTOUCHED))? {
        return Ok(());
    }
    let question = format!("Password for {}: ", line(&options.target.redacted()));
    let answer = terminal::ask_hidden(context, &question).await.map_err(|failure| failure.untouched(UNTOUCHED))?;
    if let Some(password) = answer.filter(|password| !password.expose_secret().is_empty()) {
        options.target = options.target.with_password(password);
    }
    Ok(())
}
