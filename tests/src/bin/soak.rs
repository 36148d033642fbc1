//! `make soak`: see [`walwarden_tests::soak`].

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use walwarden_tests::harness::run_alone;
use walwarden_tests::soak::{Options, run};

fn main() -> ExitCode {
    let options = Options::parse();
    match run_alone("soak", |context| run(context, &options)) {
        Ok(report) if report.breaches.is_empty() => say(&report.to_string(), ExitCode::SUCCESS),
        Ok(report) => say(&report.to_string(), ExitCode::FAILURE),
        Err(error) => say(&format!("the soak did not come to its end: {error:#}"), ExitCode::FAILURE),
    }
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // A reader who has gone away does not change the outcome.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    code
}
