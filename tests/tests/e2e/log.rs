//! Checkpoints in the customer's bucket: signed, locked, written once; and what they say of a history that was rewritten.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::audit::{AuditEvent, event_hash};
use walwarden_contract::key::from_pem;
use walwarden_contract::log::merkle::{Hash, verify_consistency, verify_inclusion};
use walwarden_contract::log::{Leaf, SignedCheckpoint};
use walwarden_contract::model::{AuditCheckpoint, Backup, ConsistencyProof, InclusionProof};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::setting::{Options, Setting, field};

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("log_checkpoint_of_a_backup_stands_locked_in_the_bucket_sqlite", |context| {
            stands_locked(context, Store::Sqlite)
        })
        .trial("log_checkpoint_of_a_backup_stands_locked_in_the_bucket_postgres", |context| {
            stands_locked(context, Store::Postgres)
        })
        .trial("log_checkpoint_that_the_bucket_refused_is_written_later", written_later)
        .trial("log_checkpoint_is_never_written_over_something_else", occupied)
        .trial("log_rewritten_history_is_found_from_the_bucket", rewritten)
}

fn checkpoints(setting: &Setting<'_>) -> Result<Vec<AuditCheckpoint>> {
    field(&setting.get("/api/v1/audit/checkpoints?limit=200")?, "/checkpoints")
}

/// Waits for a checkpoint that covers the end of a backup, with a copy that is in the bucket.
fn covering(setting: &Setting<'_>, backup: &Backup) -> Result<(AuditCheckpoint, InclusionProof)> {
    let events = setting.audit_chain(&backup.id.to_string())?;
    let proof = proof_of(setting, events.last().context("events")?)?;
    let covering = wait_for("a checkpoint in the bucket", SOON, || {
        let all = checkpoints(setting)?;
        Ok(all.into_iter().find(|it| it.size > proof.leaf && it.copies.iter().any(|copy| copy.written_at.is_some())))
    })?;
    Ok((covering, proof))
}

/// What proves an event, as soon as something does.
fn proof_of(setting: &Setting<'_>, event: &AuditEvent) -> Result<InclusionProof> {
    let path = format!("/api/v1/audit/streams/{}/events/{}/proof", event.job_id, event.seq);
    let authorization = format!("Bearer {}", setting.api_key);
    wait_for("the event to be in a checkpoint", SOON, || {
        let answer = setting.server()?.request("GET", &path, &[("authorization", &authorization)], None)?;
        let answered = answer.json()?;
        ensure!(answer.status == 200 || answered["code"] == "not_logged_yet", "{answered}");
        Ok((answer.status == 200).then(|| serde_json::from_value(answered)).transpose()?)
    })
}

fn hash(text: &str) -> Result<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash)?;
    Ok(hash)
}

fn hashes(path: &[String]) -> Result<Vec<Hash>> {
    path.iter().map(|text| hash(text)).collect()
}

/// A checkpoint that covers the backup stands in the bucket, byte for byte and locked, is signed by the published key, and proves
/// each of the backup's events; the next one goes on from it.
fn stands_locked(context: &TestContext, store: Store) -> Result<()> {
    let setting = Setting::new(context, store, Options::default())?;
    let backup = setting.backup_and_wait()?;
    let (shown, proof) = covering(&setting, &backup)?;
    let key = &shown.copies[0].key;
    let note = String::from_utf8(setting.bucket.get(key, None)?)?;
    ensure!(note == shown.note, "{note}");
    let retention = setting.bucket.object_retention(key)?.context("a lock")?;
    ensure!(retention.mode == "GOVERNANCE" && retention.until > shown.signed_at.as_millis() / 1000, "{retention:?}");
    let pem = setting.server()?.request("GET", "/.well-known/walwarden-pubkey.pem", &[], None)?;
    let public_key = from_pem(&String::from_utf8(pem.body)?).context("a public key")?;
    let signed = SignedCheckpoint::parse(&note)?;
    ensure!(signed.signed_by(&public_key) == Some(true), "{note}");
    ensure!(signed.checkpoint.org_id == setting.org_id && signed.checkpoint.size == shown.size, "{note}");

    for event in setting.audit_chain(&backup.id.to_string())? {
        let path = format!("/api/v1/audit/streams/{}/events/{}/proof?checkpoint={}", backup.id, event.seq, shown.size);
        let proof: InclusionProof = serde_json::from_value(setting.get(&path)?)?;
        let leaf = Leaf::from(&event).leaf_hash();
        let root = &signed.checkpoint.root;
        ensure!(verify_inclusion(&leaf, proof.leaf, shown.size, &hashes(&proof.path)?, root), "{proof:?}");
    }
    let (later, _) = covering(&setting, &setting.backup_and_wait()?)?;
    ensure!(later.size > proof.size, "{later:?}");
    let path = format!("/api/v1/audit/consistency?from={}&to={}", shown.size, later.size);
    let proof: ConsistencyProof = serde_json::from_value(setting.get(&path)?)?;
    let (from, to) = (hash(&shown.root_hash)?, hash(&later.root_hash)?);
    ensure!(verify_consistency(shown.size, later.size, &from, &to, &hashes(&proof.path)?), "{proof:?}");
    setting.assert_no_leftovers()
}

/// Whatever asks the bucket for a checkpoint.
fn of_checkpoints() -> Matcher {
    Matcher::any().path_contains("/checkpoints/")
}

fn audit(setting: &Setting<'_>, component: &str) -> Result<Value> {
    let readiness = setting.get("/api/v1/readiness")?;
    let checks = readiness["checks"].as_array().context("checks")?;
    Ok(checks.iter().find(|check| check["component"] == component).context("the component")?.clone())
}

/// A bucket that refuses checkpoints gets them once it takes them.
fn written_later(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::proxied())?;
    let refused = setting
        .proxy()?
        .add(Rule::new(of_checkpoints(), Action::Respond { status: 403, code: "AccessDenied".to_owned() }));
    let backup = setting.backup_and_wait()?;
    let events = setting.audit_chain(&backup.id.to_string())?;
    let proof = proof_of(&setting, events.last().context("events")?)?;
    refused.wait_hits(2, SOON)?;
    let waiting = checkpoints(&setting)?.into_iter().find(|it| it.size == proof.size).context("the checkpoint")?;
    ensure!(waiting.copies.iter().all(|copy| copy.written_at.is_none()), "{waiting:?}");
    setting.proxy()?.clear();
    let (written, _) = covering(&setting, &backup)?;
    ensure!(setting.bucket.get(&written.copies[0].key, None)? == written.note.as_bytes(), "{written:?}");
    setting.assert_no_leftovers()
}

/// Something else under the key of a checkpoint stays, and is an anomaly, until it is taken away.
fn occupied(context: &TestContext) -> Result<()> {
    let flags: &[&str] = &["--retry-delay-seconds", "0", "--audit-check-seconds", "1"];
    let options = Options { lock_mode: "none", object_lock: false, ..Options::proxied() };
    let setting = Setting::new(context, Store::Sqlite, options.serve(flags))?;
    let refused =
        setting.proxy()?.add(Rule::new(of_checkpoints(), Action::Respond { status: 503, code: "SlowDown".to_owned() }));
    let backup = setting.backup_and_wait()?;
    let events = setting.audit_chain(&backup.id.to_string())?;
    let proof = proof_of(&setting, events.last().context("events")?)?;
    refused.wait_hit(SOON)?;
    let newest = checkpoints(&setting)?.into_iter().find(|it| it.size == proof.size).context("the checkpoint")?;
    let key = newest.copies[0].key.clone();
    setting.bucket.put(&key, "another history")?;
    setting.proxy()?.clear();
    let found = wait_for("the other object to be found", SOON, || {
        Ok(Some(audit(&setting, "audit")?).filter(|check| check["status"] == "failed"))
    })?;
    ensure!(found["evidence"].as_str().is_some_and(|text| text.contains(&key)), "{found}");
    ensure!(setting.bucket.get(&key, None)? == b"another history", "it was written over");
    let kinds = setting.audit_kinds(setting.org_id)?;
    ensure!(kinds.iter().any(|kind| kind.as_str() == "audit.anomaly_detected"), "{kinds:?}");
    setting.bucket.delete(&key)?;
    wait_for("the checkpoint to be written", SOON, || {
        Ok((setting.bucket.get(&key, None).ok().as_deref() == Some(newest.note.as_bytes())).then_some(()))
    })?;
    wait_for("readiness to recover", SOON, || Ok((audit(&setting, "audit")?["status"] == "passed").then_some(())))?;
    setting.assert_no_leftovers()
}

/// An event is edited, its chain and the whole log are computed again, and everything is validly signed again with the stolen key:
/// nothing in the store tells, and the bucket does.
fn rewritten(context: &TestContext) -> Result<()> {
    let flags: &[&str] = &["--retry-delay-seconds", "0", "--audit-check-seconds", "1"];
    let mut setting = Setting::new(context, Store::Postgres, Options::default().serve(flags))?;
    let backup = setting.backup_and_wait()?;
    let (before, _) = covering(&setting, &backup)?;
    wait_for("the chains to be checked", SOON, || Ok((audit(&setting, "audit")?["status"] == "passed").then_some(())))?;
    setting.stop()?;
    rewrite(&setting, &backup)?;
    setting.start()?;
    let found = wait_for("the rewriting to be found", SOON, || {
        Ok(Some(audit(&setting, "audit")?).filter(|check| check["status"] == "failed"))
    })?;
    let evidence = found["evidence"].as_str().context("evidence")?;
    ensure!(evidence.contains(&format!("{}/checkpoints", setting.destination_id)), "{evidence}");
    // What the store says of itself agrees.
    let verified = setting.get(&format!("/api/v1/audit/streams/{}/verification", backup.id))?;
    ensure!(verified["result"] == "passed", "{verified}");
    ensure!(setting.bucket.get(&before.copies[0].key, None)? == before.note.as_bytes(), "the bucket was changed");
    setting.assert_no_leftovers()
}

fn rewrite(setting: &Setting<'_>, backup: &Backup) -> Result<()> {
    let metadata = setting.walwarden.metadata().context("the store is on Postgres")?;
    let sql = |text: &str| setting.context.postgres().psql(&metadata.name, text);
    let (stream, mut prev_hash) = (backup.id.to_string(), None::<String>);
    for mut event in setting.audit_chain(&stream)? {
        if event.seq == 1 {
            event.payload["trigger"] = json!("scheduled");
        }
        let prev = prev_hash.unwrap_or_else(|| event.prev_hash.clone());
        let hash = event_hash(&prev, event.at, &stream, event.kind, &event.payload)?;
        sql(&format!(
            "UPDATE audit_events SET payload = $q${}$q$, prev_hash = '{prev}', hash = '{hash}'
             WHERE stream_id = '{stream}' AND seq = {}",
            event.payload, event.seq
        ))?;
        prev_hash = Some(hash);
    }
    let head = prev_hash.context("events")?;
    sql(&format!("UPDATE audit_streams SET head = '{head}' WHERE stream_id = '{stream}'"))?;
    for table in ["checkpoint_copies", "checkpoints", "checkpoint_roots", "audit_nodes", "audit_leaves"] {
        sql(&format!("DELETE FROM {table}"))?;
    }
    sql("UPDATE audit_logs SET size = 0, frontier = '', checkpoint_due_at = 0, signed_at = NULL")?;
    sql("UPDATE audit_streams SET logged = 0, due_at = 0")?;
    Ok(())
}
