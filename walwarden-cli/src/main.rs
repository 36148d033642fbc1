//! The `walwarden` command line: a thin skin over `walwarden-sdk`.

mod cli;
mod clock;
mod commands;
mod config;
mod context;
mod failure;
mod output;
mod run;
mod signals;
mod terminal;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    // The one TLS provider of this process. It fails only when there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    run::run(&std::env::args_os().collect::<Vec<_>>()).into()
}
