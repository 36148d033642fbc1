//! `make bench`: what Walwarden costs on top of bare `pg_dump` and `pg_restore`, as ratios of one run. `make bench-api`: requests
//! per second. `make bench-memory`: what a worker holds, whatever the length of the dump.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use walwarden_tests::bench::{Options, api, lengths, run};
use walwarden_tests::harness::run_alone;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = if options.api {
        run_alone("bench-api", |context| Ok(api::run(context)?.to_string()))
    } else if options.memory.is_empty() {
        run_alone("bench", |context| Ok(run(context, &options)?.to_string()))
    } else {
        run_alone("bench-memory", |context| Ok(lengths::run(context, &options.memory)?.to_string()))
    };
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
