//! `make bench-api`: requests per second of the API on one core.

use std::io::Write as _;
use std::process::ExitCode;

use walwarden_tests::bench::api::run;
use walwarden_tests::harness::run_alone;

fn main() -> ExitCode {
    let (text, code) = match run_alone("bench-api", run) {
        Ok(report) => (report.to_string(), ExitCode::SUCCESS),
        Err(error) => (format!("the benchmark failed: {error:#}"), ExitCode::FAILURE),
    };
    // A reader who has gone away does not change the outcome.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    code
}
