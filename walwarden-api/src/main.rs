//! The `walwarden-api` binary.

use std::process::ExitCode;

use walwarden_api::commands;

fn main() -> ExitCode {
    commands::main(std::env::args_os()).into()
}
