//! The commands of `walwarden-api`, one file each. Only [`output`] prints.

pub mod admin;
pub mod arguments;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(test)]
mod documented;
pub mod init;
pub mod output;
mod serve;

use std::ffi::OsString;

use clap::{CommandFactory, Parser};
use walwarden_contract::{ErrorCode, ExitStatus};

pub use arguments::{Arguments, Command};
use output::Failure;

use crate::system::System;

/// Reads the command line. What ends there (`--help`, `--version`, a mistake) is printed.
///
/// # Errors
/// The status to exit with.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitStatus> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    Arguments::try_parse_from(&arguments).map_err(|error| {
        let rendered = error.render().to_string();
        if !error.use_stderr() {
            return output::print_text(&rendered);
        }
        if arguments.iter().any(|argument| argument == "--json") {
            let failure = Failure::new(ErrorCode::UsageError, complaint(&rendered));
            output::print(true, &kind(&arguments), Err(failure))
        } else {
            output::print_usage_error(&rendered)
        }
    })
}

/// What is wrong, without the reminder of how it would be right.
fn complaint(rendered: &str) -> String {
    let lines = rendered.trim_start_matches("error: ").lines().map(str::trim);
    let lines = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The command that was meant: the leading words that name one.
fn kind(arguments: &[OsString]) -> String {
    let root = Arguments::command();
    let mut command = &root;
    let mut words: Vec<&str> = Vec::new();
    for word in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        if let Some(found) = command.find_subcommand(word) {
            command = found;
            words.push(word);
        }
    }
    if words.is_empty() { "usage".to_owned() } else { words.join(".") }
}

/// The whole program: reads the command line, runs what it names, and says how it ended.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitStatus {
    // One TLS implementation for the whole process, before anything can ask for another. Already there is fine too.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = match parse(arguments) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::new(ErrorCode::InternalError, format!("the runtime cannot be started: {error}"));
            return output::print(false, "walwarden-api", Err(failure));
        }
    };
    runtime.block_on(run(arguments))
}

async fn run(Arguments { common, command }: Arguments) -> ExitStatus {
    let system = System::real();
    #[cfg(debug_assertions)]
    let system = crate::failpoint::skewed(system);
    let env = |name: &str| std::env::var(name).ok();
    match command {
        Command::Serve(arguments) => long_running("serve", serve::run(&common, &arguments, system, &env).await),
        Command::Init(arguments) => {
            let result = init::run(&common, &arguments, &system, &env).await;
            output::print(arguments.json, "init", result)
        }
        Command::Admin(arguments) => admin::run(&common, arguments, &system, &env).await,
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => long_running("demo", demo::run(&arguments, system).await),
    }
}

/// Prints why a command that runs for long ended early; a good end has nothing to say.
fn long_running(kind: &str, ended: anyhow::Result<()>) -> ExitStatus {
    match ended {
        Ok(()) => ExitStatus::Ok,
        Err(error) => output::print(false, kind, Err(failure_of(error))),
    }
}

fn failure_of(error: anyhow::Error) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::new(ErrorCode::InternalError, format!("{error:#}")),
    }
}
