//! From arguments to exit status: parse, run, print.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use walwarden_contract::commands::HELP_KIND;
use walwarden_contract::model::cli::{HelpData, RestoreFailed, RestoreLinePayload, RestoreLineState};
use walwarden_contract::{Envelope, ErrorCode, ExitStatus};

use crate::cli::{self, Cli, Command, RestoreArgs, RestoreCommand};
use crate::commands;
use crate::config::Config;
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::view::reaching;
use crate::output::{Printer, has_lost_output};
use crate::usage::{self, Refusal};
use crate::{clock, signals};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs the program, and never panics or prints outside of its one document.
pub(crate) fn run(arguments: &[OsString]) -> ExitStatus {
    let printer = Printer::new(usage::wants_json(arguments), usage::wants_events(arguments));
    if printer.is_json() {
        // A panic is reported below, in the one document; a person also gets Rust's own message.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let status = caught(arguments, printer, || parse_and_run(arguments, printer));
    if status == ExitStatus::Ok && has_lost_output() {
        printer.note("stdout could not be written: the result is lost");
        return ExitStatus::Retryable;
    }
    status
}

/// Whatever happens, there is one end.
fn caught(arguments: &[OsString], printer: Printer, command: impl FnOnce() -> ExitStatus) -> ExitStatus {
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        let message = "This program failed in a way that it did not foresee. Please report the command that you ran.";
        let kind = usage::kind(arguments);
        fail(printer, &kind, Failure::new(ErrorCode::InternalError, message), Vec::new())
    })
}

fn parse_and_run(arguments: &[OsString], printer: Printer) -> ExitStatus {
    if let Some(failure) = usage::unacceptable(arguments) {
        return fail(printer, &usage::kind(arguments), failure, Vec::new());
    }
    match cli::parse(arguments) {
        Ok(cli) => dispatch(cli, arguments, printer),
        Err(error) => match usage::refusal(&error, arguments) {
            Refusal::Text(text) if printer.is_json() => {
                let data = commands::to_value(&HelpData { text, version: VERSION.to_owned() });
                printer.envelope(&Envelope::success(HELP_KIND, data));
                ExitStatus::Ok
            }
            Refusal::Text(text) => {
                printer.human(text.trim_end());
                ExitStatus::Ok
            }
            Refusal::Usage { kind, failure } => fail(printer, &kind, failure, Vec::new()),
        },
    }
}

fn dispatch(cli: Cli, arguments: &[OsString], printer: Printer) -> ExitStatus {
    // It lives as long as the process: the command's thread may outlive its caller's patience.
    let context: &'static Context =
        Box::leak(Box::new(Context::new(printer, Config::new(cli.global, |name| std::env::var_os(name)), clock::now)));
    let kind = usage::kind(arguments);
    printer.begin(&kind);
    if let Command::Restore(restore) = cli.command {
        return dispatch_restore(context, &kind, *restore);
    }
    let command = cli.command;
    let outcome = block_on(context, Threads::One, move || commands::run(context, command)).and_then(|outcome| outcome);
    finish(context, &kind, outcome)
}

fn dispatch_restore(context: &'static Context, kind: &str, restore: RestoreArgs) -> ExitStatus {
    match restore.command {
        Some(_) if restore.legacy.is_given() => {
            let message = "Flags between `restore` and its subcommand belong after the subcommand.";
            fail(context.printer, kind, Failure::new(ErrorCode::UsageError, message), Vec::new())
        }
        Some(command) => finish(context, kind, run_restore(context, command)),
        None => block_on(context, Threads::All, move || commands::restore::legacy::run(context, restore.legacy))
            .unwrap_or_else(|failure| fail(context.printer, kind, failure, context.take_warnings())),
    }
}

fn run_restore(context: &'static Context, command: RestoreCommand) -> Result<Report, Failure> {
    let threads = if matches!(command, RestoreCommand::Execute(_)) { Threads::All } else { Threads::One };
    block_on(context, threads, move || commands::restore::run(context, command))?
}

#[derive(Clone, Copy)]
enum Threads {
    /// For a few requests.
    One,
    /// For a download that keeps every core busy.
    All,
}

/// Runs the command on a thread of its own, while this one listens for signals: a file that says nothing, or a name that is
/// being looked up, must not make the program deaf.
fn block_on<T: Send + 'static, F: Future<Output = T>>(
    context: &'static Context,
    threads: Threads,
    command: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Failure> {
    let unusable = |error: std::io::Error| Failure::new(ErrorCode::InternalError, format!("No runtime: {error}."));
    let started = match threads {
        Threads::One => Builder::new_current_thread().enable_all().build(),
        Threads::All => Builder::new_multi_thread().enable_all().build(),
    };
    let runtime = started.map_err(unusable)?;
    let listener = Builder::new_current_thread().enable_all().build().map_err(unusable)?;
    listener.block_on(async {
        signals::cancel_on_signal(&context.cancel).map_err(unusable)?;
        let (sender, mut outcome) = oneshot::channel();
        let work = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { command().await })));
            let _ = sender.send(ended);
        };
        std::thread::Builder::new().name("walwarden".to_owned()).spawn(work).map_err(unusable)?;
        let ended = tokio::select! {
            biased;
            ended = &mut outcome => ended.ok(),
            () = context.cancel.cancelled() => match tokio::time::timeout(context.grace(), outcome).await {
                Ok(ended) => ended.ok(),
                Err(_) => return Err(Failure::cancelled()),
            },
        };
        match ended {
            Some(Ok(ended)) => Ok(ended),
            Some(Err(panic)) => resume_unwind(panic),
            None => Err(Failure::new(ErrorCode::InternalError, "The command ended without an outcome.")),
        }
    })
}

fn finish(context: &Context, kind: &str, outcome: Result<Report, Failure>) -> ExitStatus {
    let (warnings, flags) = (context.take_warnings(), context.config.reaching());
    let complete = |next: Vec<Vec<String>>| next.into_iter().map(|next| reaching(&flags, next)).collect::<Vec<_>>();
    match outcome {
        Ok(report) => {
            let next = complete(report.next);
            if context.printer.is_json() {
                let envelope = Envelope { warnings, next, ..Envelope::success(kind, report.data) };
                context.printer.envelope(&envelope);
            } else {
                context.printer.human(&report.human);
                context.printer.suggest(&next);
            }
            ExitStatus::Ok
        }
        Err(failure) => {
            let next = complete(failure.next);
            fail(context.printer, kind, Failure { next, ..failure }, warnings)
        }
    }
}

/// Prints a failure in the form that the command has: the token's own command speaks in lines.
fn fail(printer: Printer, kind: &str, failure: Failure, warnings: Vec<String>) -> ExitStatus {
    let status = failure.exit();
    if !printer.is_json() {
        if let Some(found) = &failure.found {
            printer.human(&found.human);
        }
        printer.failure(&failure);
    }
    if kind == "restore" && !printer.tells_events() {
        let payload = RestoreLinePayload::Failed(RestoreFailed { error: *failure.body, warnings });
        printer.line(RestoreLineState::Rejected, clock::now(), payload);
    } else {
        let data = failure.found.map(|found| found.data);
        let envelope = Envelope { warnings, data, next: failure.next, ..Envelope::failure(kind, *failure.body) };
        printer.envelope(&envelope);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_end_like_any_other() {
        let arguments = ["walwarden", "backup", "trigger", "--events", "jsonl"].map(OsString::from);
        for printer in [Printer::new(true, false), Printer::new(true, true)] {
            let status = caught(&arguments, printer, || {
                printer.begin("backup.trigger");
                panic!("as a test")
            });
            assert_eq!(status, ErrorCode::InternalError.exit());
        }
    }
}
