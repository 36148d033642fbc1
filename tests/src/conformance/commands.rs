//! The documents of `walwarden --json`, each held against the schema of its kind.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use anyhow::{Context, Result, anyhow, ensure};
use jsonschema::Validator;
use serde_json::Value;
use walwarden_contract::commands::output_schema;

use super::schema::{check, close, compile};
use crate::runtime::lock;

/// The kind of the one command that writes lines, which do not name it.
const LINES: &str = "restore";

/// Compiled when first needed: most tests run a few commands only.
static SCHEMAS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails unless standard output is one document of a known kind that fits its schema, or lines of a restore.
pub(crate) fn check_documents(stdout: &[u8]) -> Result<()> {
    let documents = serde_json::Deserializer::from_slice(stdout).into_iter().collect::<Result<Vec<Value>, _>>();
    let documents = documents.context("--json wrote what is no JSON")?;
    let lines = documents.iter().all(|document| document.get("kind").is_none());
    ensure!(!documents.is_empty() && (lines || documents.len() == 1), "--json wrote {} documents", documents.len());
    for document in &documents {
        let kind = document.get("kind").map_or(Some(LINES), Value::as_str).context("a kind that is no text")?;
        check(&*schema(kind)?, document)
            .map_err(|violations| anyhow!("{kind} does not fit its schema: {violations}"))?;
    }
    Ok(())
}

fn schema(kind: &str) -> Result<Arc<Validator>> {
    let mut schemas = lock(&SCHEMAS);
    if let Some(schema) = schemas.get(kind) {
        return Ok(Arc::clone(schema));
    }
    let mut schema = output_schema(kind).with_context(|| format!("{kind} has no published schema"))?;
    close(&mut schema);
    let schema = Arc::new(compile(&schema)?);
    schemas.insert(kind.to_owned(), Arc::clone(&schema));
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"schemaVersion":1,"ok":true,"kind":"help","data":{"text":"Usage","version":"0.1.0"},"warnings":[],"next":[]}"#;

    #[test]
    fn one_document_of_its_kind_and_nothing_else_passes() {
        check_documents(GOOD.as_bytes()).expect("it fits");
        let twice = format!("{GOOD}\n{GOOD}");
        let unknown = GOOD.replace("help", "nonsense");
        let undescribed = GOOD.replace("\"text\"", "\"more\":1,\"text\"");
        for bad in ["", "Usage", &twice, &unknown, &undescribed, &GOOD.replace("true", "false")] {
            assert!(check_documents(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_without_a_kind_are_those_of_a_restore() {
        let line = r#"{"state":"downloading","at":"2026-01-31T02:00:00.000Z","payload":{}}"#;
        check_documents(format!("{line}\n{line}\n").as_bytes()).expect("they fit");
        assert!(check_documents(line.replace("downloading", "dreaming").as_bytes()).is_err());
    }
}
