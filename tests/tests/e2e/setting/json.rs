//! Reading what `--json` commands write.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::ErrorCode;
use walwarden_tests::process::Output;

/// The `data` of a command that succeeded.
pub(crate) fn data(output: &Output) -> Result<Value> {
    let envelope = output.clone().success()?.json()?;
    ensure!(
        envelope["ok"] == true && output.stderr.is_empty(),
        "--json writes one document to stdout and nothing else:\n{output}"
    );
    Ok(envelope["data"].clone())
}

/// A value of a JSON document, as the type that the test needs.
pub(crate) fn field<T: serde::de::DeserializeOwned>(document: &Value, pointer: &str) -> Result<T> {
    let value = document.pointer(pointer).with_context(|| format!("no {pointer} in {document}"))?;
    serde_json::from_value(value.clone()).with_context(|| format!("{pointer} in {document}"))
}

/// Fails unless a `--json` command failed with this code and the exit status that goes with it.
pub(crate) fn assert_failure(output: &Output, code: ErrorCode) -> Result<()> {
    let output = output.clone().exit(code.exit().code().into())?;
    let envelope = output.json()?;
    ensure!(
        envelope["ok"] == false && envelope["error"]["code"] == code.as_str() && output.stderr.is_empty(),
        "expected {code}:\n{output}"
    );
    Ok(())
}
