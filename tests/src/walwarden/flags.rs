//! Every name the harness uses of the product's command line and environment, in one place.

use anyhow::{Context, Result};

use crate::process::Output;

pub(super) const API_BINARY: &str = "walwarden-api";
pub(super) const CLI_BINARY: &str = "walwarden";

pub(super) const DATA_DIR: &str = "WALWARDEN_DATA_DIR";
pub(super) const DATABASE_URL: &str = "WALWARDEN_DATABASE_URL";
pub(super) const API_URL: &str = "WALWARDEN_API_URL";
pub(super) const API_KEY: &str = "WALWARDEN_API_KEY";

/// Where a debug build kills or stops itself: `<name>[@<nth>]=<kill|pause>`.
pub const FAILPOINT: &str = "WALWARDEN_FAILPOINT";
/// The file that holds how many milliseconds a debug build's clock is ahead.
pub const CLOCK_OFFSET_FILE: &str = "WALWARDEN_CLOCK_OFFSET_FILE";

pub(super) const INIT: &[&str] = &["init"];
pub(super) const ADMIN: &[&str] = &["admin"];
pub(super) const JSON: &[&str] = &["--json"];

pub(super) const READY_PATH: &str = "/readyz";

/// Which parts of the server run in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// API, worker and scheduler: the default.
    All,
    /// The API alone.
    Api,
    /// Worker and scheduler alone.
    Worker,
}

pub(super) fn serve(role: Role, port: u16) -> Vec<String> {
    let mut args = vec!["serve".to_owned(), "--listen".to_owned(), format!("127.0.0.1:{port}")];
    match role {
        Role::All => {}
        Role::Api => args.extend(["--role".to_owned(), "api".to_owned()]),
        Role::Worker => args.extend(["--role".to_owned(), "worker".to_owned()]),
    }
    args
}

/// The `data` of a successful command's envelope.
pub(super) fn data(output: &Output) -> Result<serde_json::Value> {
    let mut envelope = output.json()?;
    envelope.get_mut("data").map(serde_json::Value::take).with_context(|| format!("no `data` in\n{output}"))
}
