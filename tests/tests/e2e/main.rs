//! Every end-to-end test, by name. One binary, since all of them share the servers it starts.

mod self_tests;

use std::process::ExitCode;

use walwarden_tests::harness::Suite;

fn main() -> ExitCode {
    let suite = Suite::new();
    let suite = self_tests::register(suite);
    suite.run()
}
