//! `make test-contract`: the running server against its published description, by a tool that is not ours.

use std::io::Write as _;
use std::process::ExitCode;

use walwarden_tests::contract::{Options, USAGE, run};
use walwarden_tests::harness::run_alone;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => return say(USAGE, ExitCode::SUCCESS),
        Err(error) => return say(&format!("{error}\n{USAGE}"), ExitCode::from(2)),
    };
    let mut lines = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for seed in &options.seeds {
        say(&format!("\n== schemathesis, seed {seed}"), code);
        let line = match run_alone("contract", |context| run(context, &options, *seed)) {
            Ok(outcome) if outcome.passed() => outcome.to_string(),
            Ok(outcome) => {
                code = ExitCode::FAILURE;
                outcome.to_string()
            }
            Err(error) => {
                code = ExitCode::FAILURE;
                format!("schemathesis, seed {seed}: FAILED: {error:#}")
            }
        };
        lines.push(line);
    }
    say(&format!("\n{}", lines.join("\n")), code)
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    // A reader who has gone away does not change the outcome.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    code
}
