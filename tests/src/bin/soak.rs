//! `make soak`: many databases, many workers that die and stand still, a bucket that fails all the time, and everything that was
//! completed is restored and compared in the end.

use std::io::Write as _;
use std::process::ExitCode;

use walwarden_tests::harness::run_alone;
use walwarden_tests::soak::{Options, USAGE, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return say(USAGE, ExitCode::SUCCESS),
        Err(error) => return say(&format!("{error}\n{USAGE}"), ExitCode::from(2)),
    };
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
