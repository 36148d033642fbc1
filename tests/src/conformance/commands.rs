//! The documents of `walwarden --json` and the lines of `--events`, each held against the schema of its kind.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use anyhow::{Context, Result, anyhow, ensure};
use jsonschema::Validator;
use serde_json::Value;
use walwarden_contract::commands::{events_schema, output_schema};

use super::schema::{check, close, compile};
use crate::runtime::lock;

/// The kind of the one command that writes lines, which do not name it.
const LINES: &str = "restore";

/// By kind, and whether they are of events.
type Schemas = HashMap<(String, bool), Arc<Validator>>;

/// Compiled when first needed: most tests run a few commands only.
static SCHEMAS: LazyLock<Mutex<Schemas>> = LazyLock::new(Mutex::default);

/// Fails unless standard output is one document of a known kind that fits its schema, lines of a restore, or events.
pub(crate) fn check_documents(stdout: &[u8]) -> Result<()> {
    let documents = serde_json::Deserializer::from_slice(stdout).into_iter().collect::<Result<Vec<Value>, _>>();
    let documents = documents.context("--json wrote what is no JSON")?;
    if documents.first().is_some_and(|first| first.get("type").is_some()) {
        return check_events(&documents);
    }
    let lines = documents.iter().all(|document| document.get("kind").is_none());
    ensure!(!documents.is_empty() && (lines || documents.len() == 1), "--json wrote {} documents", documents.len());
    for document in &documents {
        let kind = document.get("kind").map_or(Some(LINES), Value::as_str).context("a kind that is no text")?;
        check(&*schema(kind, false)?, document)
            .map_err(|violations| anyhow!("{kind} does not fit its schema: {violations}"))?;
    }
    Ok(())
}

/// A version first, exactly one result last, every line of the kind that the first one names.
fn check_events(lines: &[Value]) -> Result<()> {
    let count = |tag: &str| lines.iter().filter(|line| line["type"] == tag).count();
    let (first, last) = (lines.first().context("no line")?, lines.last().context("no line")?);
    ensure!(first["type"] == "version" && count("version") == 1, "events begin with one version");
    ensure!(last["type"] == "result" && count("result") == 1, "events end in one result");
    let kind = first["kind"].as_str().context("a version without a kind")?;
    for line in lines {
        check(&*schema(kind, true)?, line)
            .map_err(|violations| anyhow!("a line of {kind} does not fit its schema: {violations}"))?;
    }
    Ok(())
}

fn schema(kind: &str, events: bool) -> Result<Arc<Validator>> {
    let mut schemas = lock(&SCHEMAS);
    let key = (kind.to_owned(), events);
    if let Some(schema) = schemas.get(&key) {
        return Ok(Arc::clone(schema));
    }
    let published = if events { events_schema(kind) } else { output_schema(kind) };
    let mut schema = published.with_context(|| format!("{kind} has no published schema"))?;
    close(&mut schema);
    let schema = Arc::new(compile(&schema)?);
    schemas.insert(key, Arc::clone(&schema));
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

    #[test]
    fn events_are_a_version_then_what_happened_then_one_result() {
        let version = r#"{"type":"version","schemaVersion":1,"kind":"backup.trigger","version":"0.1.0"}"#;
        let state = r#"{"type":"state","at":"2026-01-31T02:00:00.000Z","state":"queued","backupJobId":"bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3","attempt":0}"#;
        let error = r#"{"code":"timeout","message":"late","retryable":true,"nextAction":"x","docs":"y"}"#;
        let result = format!(
            r#"{{"type":"result","schemaVersion":1,"ok":false,"kind":"backup.trigger","error":{error},"warnings":[],"next":[]}}"#
        );
        let passes = |lines: &[&str]| check_documents(lines.join("\n").as_bytes()).is_ok();
        assert!(passes(&[version, state, &result]) && passes(&[version, &result]));
        let undescribed = state.replace("\"attempt\"", "\"more\":1,\"attempt\"");
        let other = result.replace("backup.trigger", "backup.list");
        let bad: [&[&str]; 8] = [
            &[version],
            &[version, state],
            &[state, &result],
            &[version, version, &result],
            &[version, &result, state],
            &[version, &result, &result],
            &[version, &undescribed, &result],
            &[version, &other],
        ];
        for lines in bad {
            assert!(!passes(lines), "{lines:?}");
        }
    }
}
