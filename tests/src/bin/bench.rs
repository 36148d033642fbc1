//! `make bench`: what Walwarden costs on top of bare `pg_dump` and `pg_restore`, as ratios of one run.

use std::io::Write as _;
use std::process::ExitCode;

use walwarden_tests::bench::{Options, USAGE, run};
use walwarden_tests::harness::run_alone;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return say(USAGE, ExitCode::SUCCESS),
        Err(error) => return say(&format!("{error}\n{USAGE}"), ExitCode::from(2)),
    };
    match run_alone("bench", |context| run(context, &options)) {
        Ok(report) => say(&report.to_string(), ExitCode::SUCCESS),
        Err(error) => say(&format!("the benchmark failed: {error:#}"), ExitCode::FAILURE),
    }
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // A reader who has gone away does not change the outcome.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    code
}
