//! The benchmark: Walwarden against bare `pg_dump` and `pg_restore`, on the same data and machine, interleaved in one run.
//!
//! Figures are medians over rounds, and what is judged is their ratios. Nothing here asserts a time.

pub mod api;
mod bare;
mod data;
mod installation;
pub mod lengths;
mod machine;
mod measure;
pub(crate) mod memory;
mod options;
mod report;
mod rounds;

use std::io::Write as _;

use anyhow::Result;

pub use self::options::Options;
pub use self::report::Report;
use crate::harness::TestContext;

/// Loads the data, measures, and returns the table.
pub fn run(context: &TestContext, options: &Options) -> Result<Report> {
    rounds::run(context, options)
}

/// Says on standard error what is going on: the whole takes minutes.
fn progress(text: &str) {
    // Nobody listening is no reason to stop.
    let _ = writeln!(std::io::stderr().lock(), "bench: {text}");
}
