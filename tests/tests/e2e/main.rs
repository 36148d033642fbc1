//! Every end-to-end test, by name. One binary, since all of them share the servers it starts.

mod backup;
mod embedding;
mod faults;
mod matrix;
mod observability;
mod recipes;
mod reports;
mod restore;
mod self_tests;
mod setting;
mod signing;
mod source_check;

use std::process::ExitCode;
use std::time::Duration;

use walwarden_tests::harness::Suite;

/// How long anything may take that is under way: generous, it only passes when something is broken.
const SOON: Duration = Duration::from_secs(45);

fn main() -> ExitCode {
    let suite = Suite::new();
    let suite = self_tests::register(suite);
    let suite = backup::register(suite);
    let suite = source_check::register(suite);
    let suite = faults::register(suite);
    let suite = restore::register(suite);
    let suite = matrix::register(suite);
    let suite = embedding::register(suite);
    let suite = observability::register(suite);
    let suite = recipes::register(suite);
    let suite = signing::register(suite);
    let suite = reports::register(suite);
    suite.run()
}
