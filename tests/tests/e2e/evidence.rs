//! Evidence as an auditor gets it: bundles of real backups and restores, judged by the real verifier.

mod bundles;
mod rewritten;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::BackupJobId;
use walwarden_contract::log::SignedCheckpoint;
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::paths::workspace_binary;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::Setting;

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("evidence_bundles_are_verified_offline_sqlite", |context| bundles::verified(context, Store::Sqlite))
        .trial("evidence_bundles_are_verified_offline_postgres", |context| bundles::verified(context, Store::Postgres))
        .trial("evidence_verifier_refuses_bad_input_with_a_code_and_status_2", bundles::bad_input)
        .trial("evidence_rewritten_with_the_stolen_key_is_found_from_the_buckets_checkpoint", rewritten::found)
}

/// What the verifier said, and with which status.
pub(crate) struct Judged {
    pub(crate) report: Value,
    pub(crate) status: i32,
}

/// Runs `walwarden-verify --json` with a bundle, a public key, a checkpoint and a dump, as far as they are given.
pub(crate) fn judge(context: &TestContext, args: &[&Path]) -> Result<Judged> {
    let words = ["--bundle", "--pubkey", "--checkpoint", "--artifact"];
    let mut run = context.run(workspace_binary("walwarden-verify")?).arg("--json");
    for (word, path) in words.iter().zip(args) {
        run = run.arg(word).arg(path);
    }
    let output = run.output()?;
    ensure!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(Judged { report: serde_json::from_slice(&output.stdout)?, status: output.status.code().context("a status")? })
}

/// Downloads the bundle of a backup, once its events are in a signed checkpoint.
pub(crate) fn download(setting: &Setting<'_>, id: BackupJobId, query: &str) -> Result<Vec<u8>> {
    let authorization = format!("Bearer {}", setting.api_key);
    let path = format!("/api/v1/evidence/{id}/bundle{query}");
    wait_for("the bundle", SOON, || {
        let answer = setting.server()?.request("GET", &path, &[("authorization", &authorization)], None)?;
        if answer.status == 409 {
            ensure!(answer.json()?["code"] == "evidence_not_sealed", "{}", String::from_utf8_lossy(&answer.body));
            return Ok(None);
        }
        ensure!(answer.status == 200, "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        Ok(Some(answer.body))
    })
}

/// Writes the published key to a file.
pub(crate) fn public_key(setting: &Setting<'_>, directory: &Path) -> Result<PathBuf> {
    let published = setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let path = directory.join("walwarden-pubkey.pem");
    std::fs::write(&path, published.body)?;
    Ok(path)
}

/// The checkpoint of this many events, as the bucket holds it, once it does.
pub(crate) fn checkpoint(setting: &Setting<'_>, size: u64) -> Result<Vec<u8>> {
    wait_for("the checkpoint in the bucket", SOON, || {
        for object in setting.bucket.list_objects("org/")? {
            if !object.key.contains("/checkpoints/") {
                continue;
            }
            let note = setting.bucket.get(&object.key, None)?;
            if SignedCheckpoint::parse(std::str::from_utf8(&note)?)?.checkpoint.size == size {
                return Ok(Some(note));
            }
        }
        Ok(None)
    })
}
