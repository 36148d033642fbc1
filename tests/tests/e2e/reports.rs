//! Reports on a period, after a real backup and a real restore.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use serde_json::Value;
use walwarden_api::evidence::report::verify;
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::walwarden::Store;

use crate::restore::stage::Stage;
use crate::setting::{Options, field};

pub(crate) fn register(suite: Suite) -> Suite {
    suite.trial("report_tells_of_a_backup_and_its_restore_by_the_hashes_of_their_events", told)
}

/// Every event that a part of a document names: chain, number and hash.
fn cited(value: &Value, found: &mut Vec<(String, u64, String)>) -> Result<()> {
    match value {
        Value::Object(object) => {
            if object.contains_key("hash") && object.contains_key("stream") {
                found.push((field(value, "/stream")?, field(value, "/seq")?, field(value, "/hash")?));
            }
            object.values().try_for_each(|value| cited(value, found))
        }
        Value::Array(values) => values.iter().try_for_each(|value| cited(value, found)),
        _ => Ok(()),
    }
}

fn told(context: &TestContext) -> Result<()> {
    let stage = Stage::with(context, Store::Postgres, Options { rows: 200, ..Options::proxied() })?;
    let session = stage.session()?;
    stage.succeeds(&session, &stage.maintenance())?;

    let year = stage.backup.created_at.to_string()[..4].to_owned();
    let page = context.directory().join("report.html");
    let words =
        ["evidence", "report", "--framework", "dora", "--period", &year, "--out", page.to_str().context("text")?];
    let written = stage.setting.walwarden.admin(&words, &[])?;
    let document: Value = serde_json::from_slice(&fs::read(page.with_extension("json"))?)?;

    let published = stage.setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let hash = verify(&document, &VerifyingKey::from_public_key_pem(&String::from_utf8(published.body)?)?)?;
    ensure!(written["sha256"] == hash.as_str() && fs::read_to_string(&page)?.contains(&hash), "{written}");

    let backup = &document["facts"]["backups"]["listed"][0];
    ensure!(field::<String>(backup, "/backupJobId")? == stage.backup.id.to_string(), "{backup}");
    ensure!(backup["lock"]["state"] == "locked" && backup["manifestHash"] == session.manifest_hash, "{backup}");
    let restore = &document["facts"]["restores"]["listed"][0];
    ensure!(field::<String>(restore, "/restoreJobId")? == session.id.to_string(), "{restore}");
    ensure!(restore["drill"] == true && restore["outcome"] == "completed", "{restore}");
    let records = &document["records"];
    ensure!(records["organizationBreak"].is_null() && records["alteredEvents"] == 0, "{records}");
    ensure!(records["unreadableChains"] == 0 && records["disagreeingJobs"] == 0, "{records}");
    let codes: Vec<String> = document["findings"]["listed"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|finding| field(finding, "/code"))
        .collect::<Result<_>>()?;
    ensure!(
        codes.iter().any(|code| code == "no_schedule") && codes.iter().all(|code| code != "no_restore_in_period"),
        "{codes:?}"
    );

    // Each event that the report names stands in its chain, which verifies.
    let mut events = Vec::new();
    cited(&document, &mut events)?;
    ensure!(events.len() > 10, "{events:?}");
    let mut chains = HashMap::new();
    for (stream, seq, hash) in events {
        if !chains.contains_key(&stream) {
            chains.insert(stream.clone(), stage.setting.audit_chain(&stream)?);
        }
        let event = chains[&stream].iter().find(|event| event.seq == seq);
        ensure!(event.is_some_and(|event| event.hash == hash), "{stream} #{seq} is not {hash}");
    }
    Ok(())
}
