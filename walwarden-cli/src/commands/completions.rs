//! `walwarden completions`

use clap::CommandFactory;
use clap_complete::Shell;
use walwarden_contract::model::cli::CompletionsData;

use super::to_value;
use crate::cli::Cli;
use crate::context::Report;

pub(crate) fn run(shell: Shell) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "walwarden", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let human = script.trim_end().to_owned();
    Report { data: to_value(&CompletionsData { shell: shell.to_string(), script }), human, next: Vec::new() }
}
