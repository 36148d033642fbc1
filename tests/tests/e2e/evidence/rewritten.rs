//! The operator turns hostile, or was robbed: the store is edited, every hash computed again, and everything signed anew with the
//! genuine key. Inside of itself that history is perfect. The bucket's checkpoint contradicts it.

use std::fs;

use anyhow::{Context, Result, ensure};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use walwarden_contract::audit::{FIRST_PREV_HASH, event_hash};
use walwarden_contract::log::merkle::subtrees;
use walwarden_contract::log::{Checkpoint, Frontier, Hash, Leaf, Node};
use walwarden_contract::{OrgId, Timestamp};
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::{checkpoint, download, judge, public_key};
use crate::setting::{Options, Setting, field};

/// Runs statements in the store as its superuser.
fn sql(setting: &Setting<'_>, context: &TestContext, text: &str) -> Result<String> {
    let metadata = setting.walwarden.metadata().context("the store is Postgres")?;
    context.postgres().psql(&metadata.name, text)
}

/// Rows as JSON.
fn rows(setting: &Setting<'_>, context: &TestContext, query: &str) -> Result<Vec<Value>> {
    let text =
        sql(setting, context, &format!("SELECT coalesce(json_agg(row_to_json(found)), '[]') FROM ({query}) found"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Changes what an event says, and makes the whole store agree with it.
fn rewrite(setting: &Setting<'_>, context: &TestContext, stream: &str, key: &SigningKey) -> Result<()> {
    let mut statements = vec!["SET session_replication_role = replica".to_owned()];
    let mut chain = setting.audit_chain(stream)?;
    chain[1].payload = json!({ "attempt": 1, "worker": "somebody else" });
    let mut prev_hash = FIRST_PREV_HASH.to_owned();
    for event in &mut chain {
        event.hash = event_hash(&prev_hash, event.at, &event.job_id, event.kind, &event.payload)?;
        event.prev_hash = std::mem::replace(&mut prev_hash, event.hash.clone());
        let (payload, hash, prev, seq) = (&event.payload, &event.hash, &event.prev_hash, event.seq);
        statements.push(format!(
            "UPDATE audit_events SET payload = $p${payload}$p$, prev_hash = '{prev}', hash = '{hash}'
             WHERE stream_id = '{stream}' AND seq = {seq}"
        ));
        statements
            .push(format!("UPDATE audit_leaves SET hash = '{hash}' WHERE stream_id = '{stream}' AND seq = {seq}"));
    }
    statements.push(format!("UPDATE audit_streams SET head = '{prev_hash}' WHERE stream_id = '{stream}'"));
    sql(setting, context, &statements.join(";\n"))?;

    let leaves = rows(setting, context, "SELECT org_id, stream_id, seq, hash FROM audit_leaves ORDER BY leaf")?;
    let org_id: OrgId = field(&leaves[0], "/org_id")?;
    let (mut tree, mut nodes, mut roots) =
        (Frontier::default(), std::collections::BTreeMap::new(), vec![Hash::default()]);
    for row in &leaves {
        let leaf = Leaf { hash: field(row, "/hash")?, seq: field(row, "/seq")?, stream: field(row, "/stream_id")? };
        nodes.extend(tree.push(leaf.leaf_hash()));
        roots.push(tree.root());
    }
    let mut statements = vec!["SET session_replication_role = replica".to_owned()];
    for (Node { level, index }, hash) in nodes.iter().filter(|(node, _)| node.level > 0) {
        let hash = hex::encode(hash);
        statements.push(format!("UPDATE audit_nodes SET hash = '{hash}' WHERE level = {level} AND idx = {index}"));
    }
    let edge: String = subtrees(0..tree.size()).iter().map(|node| hex::encode(nodes[node])).collect();
    statements.push(format!("UPDATE audit_logs SET frontier = '{edge}'"));
    for row in rows(setting, context, "SELECT size, day, signed_at FROM checkpoints")? {
        let (size, day): (u64, String) = (field(&row, "/size")?, field(&row, "/day")?);
        let at = Timestamp::from_millis(field(&row, "/signed_at")?).context("a time")?;
        let root = roots[usize::try_from(size)?];
        let checkpoint = Checkpoint { org_id, size, root, at };
        let note = checkpoint.note(&[(key.verifying_key(), key.sign(checkpoint.text().as_bytes()))]);
        let root = hex::encode(root);
        statements.push(format!("UPDATE checkpoint_roots SET root = '{root}' WHERE size = {size}"));
        statements.push(format!(
            "UPDATE checkpoints SET root = '{root}', note = $n${note}$n$ WHERE size = {size} AND day = '{day}'"
        ));
    }
    sql(setting, context, &statements.join(";\n")).map(drop)
}

pub(super) fn found(context: &TestContext) -> Result<()> {
    let mut setting = Setting::new(context, Store::Postgres, Options { rows: 200, ..Options::default() })?;
    let backup = setting.backup_and_wait()?;
    let directory = context.directory();
    let key = public_key(&setting, directory)?;
    let honest = directory.join("honest.tgz");
    fs::write(&honest, download(&setting, backup.id, "")?)?;
    let size = field(&judge(context, &[&honest, &key])?.report, "/checkpointSize")?;
    let kept_path = directory.join("kept.txt");
    fs::write(&kept_path, checkpoint(&setting, size)?)?;
    ensure!(judge(context, &[&honest, &key, &kept_path])?.report["anchored"] == true);

    setting.stop()?;
    let stolen = fs::read_to_string(setting.walwarden.data().join("signing.key.pem"))?;
    let stolen = SigningKey::from_pkcs8_pem(stolen.trim())?;
    rewrite(&setting, context, &backup.id.to_string(), &stolen)?;
    setting.start()?;

    // Inside of itself the forgery holds, and the verifier says that nothing outside of it does.
    let forged = directory.join("forged.tgz");
    fs::write(&forged, download(&setting, backup.id, "")?)?;
    let judged = judge(context, &[&forged, &key])?;
    ensure!(judged.status == 0 && judged.report["anchored"] == false, "{:#}", judged.report);
    let unanchored =
        judged.report["lines"].as_array().context("lines")?.iter().any(|line| line["status"] == "UNANCHORED");
    ensure!(unanchored, "{:#}", judged.report);

    let judged = judge(context, &[&forged, &key, &kept_path])?;
    let code = judged.report["code"].as_str().unwrap_or_default();
    ensure!(judged.status == 3 && ["forked", "consistency_invalid"].contains(&code), "{:#}", judged.report);
    Ok(())
}
