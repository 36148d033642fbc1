//! `make bench`: what Walwarden costs on top of bare `pg_dump` and `pg_restore`, as ratios of one run. `make bench-api`: requests
//! per second.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use walwarden_tests::bench::{Options, USAGE, api, run};
use walwarden_tests::harness::run_alone;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--api"] {
        return report(run_alone("bench-api", |context| Ok(api::run(context)?.to_string())));
    }
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return say(USAGE, ExitCode::SUCCESS),
        Err(error) => return say(&format!("{error}\n{USAGE}"), ExitCode::from(2)),
    };
    report(run_alone("bench", |context| Ok(run(context, &options)?.to_string())))
}

fn report(outcome: Result<String>) -> ExitCode {
    match outcome {
        Ok(text) => say(&text, ExitCode::SUCCESS),
        Err(error) => say(&format!("the benchmark failed: {error:#}"), ExitCode::FAILURE),
    }
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // A reader who has gone away does not change the outcome.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    code
}
