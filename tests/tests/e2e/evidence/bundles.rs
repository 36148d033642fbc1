//! Bundles of one backup and of a period, with and without the dump, from the API and from the command line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::Store;

use super::{Judged, checkpoint, download, judge, public_key};
use crate::restore::stage::Stage;
use crate::setting::{Options, field};

fn verified_as(judged: &Judged, anchored: bool, state: &str) -> Result<()> {
    let report = &judged.report;
    ensure!(judged.status == 0 && report["verdict"] == "verified", "{report:#}");
    ensure!(report["anchored"] == anchored && report["state"] == state, "{report:#}");
    Ok(())
}

fn found(judged: &Judged, code: &str, status: i32) -> Result<()> {
    ensure!(judged.status == status && judged.report["code"] == code, "{:#}", judged.report);
    Ok(())
}

pub(super) fn verified(context: &TestContext, store: Store) -> Result<()> {
    let stage = Stage::with(context, store, Options { rows: 200, ..Options::proxied() })?;
    let (setting, directory, id) = (&stage.setting, context.directory(), stage.backup.id);
    let key = public_key(setting, directory)?;
    let write = |name: &str, bytes: &[u8]| -> Result<_> {
        let path = directory.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    };

    // Completed and read back; not restored yet.
    let first = download(setting, id, "")?;
    let first_path = write("first.tgz", &first)?;
    verified_as(&judge(context, &[&first_path, &key])?, false, "verified")?;
    let size: u64 = field(&judge(context, &[&first_path, &key])?.report, "/checkpointSize")?;
    let kept_path = write("kept.txt", &checkpoint(setting, size)?)?;
    verified_as(&judge(context, &[&first_path, &key, &kept_path])?, true, "verified")?;
    ensure!(
        download(setting, id, &format!("?checkpoint={size}"))?
            == download(setting, id, &format!("?checkpoint={size}"))?
    );

    // A restore later: the older checkpoint ties the two bundles to one history.
    let session = stage.session()?;
    stage.succeeds(&session, &stage.maintenance())?;
    let restored = stage.job(session.id)?;
    ensure!(restored.finished_at.is_some());
    let drilled = walwarden_tests::wait::wait_for("the restore in the log", crate::SOON, || {
        let bundle = download(setting, id, &format!("?remembered={size}"))?;
        let path = write("drilled.tgz", &bundle)?;
        let judged = judge(context, &[&path, &key, &kept_path])?;
        Ok((judged.report["state"] == "drilled").then_some((path, judged)))
    })?;
    let (drilled_path, judged) = drilled;
    // What was logged after the checkpoint that was kept, it does not vouch for; the bundle's own does.
    verified_as(&judged, false, "drilled")?;
    let newest: u64 = field(&judged.report, "/checkpointSize")?;
    let newest_path = write("newest.txt", &checkpoint(setting, newest)?)?;
    let judged = judge(context, &[&drilled_path, &key, &newest_path])?;
    verified_as(&judged, true, "drilled")?;
    let last = judged.report["lines"].as_array().and_then(|lines| lines.last()).context("lines")?;
    ensure!(field::<String>(last, "/text")?.ends_with("audit events chain-intact (exit 0)"), "{last}");

    // The dump beside it: the real one, and another.
    let dump = write("artifact.dump", &setting.bucket.get(stage.key()?, None)?)?;
    verified_as(&judge(context, &[&drilled_path, &key, &newest_path, &dump])?, true, "drilled")?;
    found(&judge(context, &[&drilled_path, &key, &newest_path, &key])?, "artifact_altered", 3)?;

    // What is older than what was kept proves nothing; what another installation signed neither.
    found(&judge(context, &[&first_path, &key, &newest_path])?, "rolled_back", 1)?;
    let stranger = write("stranger.pem", STRANGER.as_bytes())?;
    found(&judge(context, &[&drilled_path, &stranger])?, "key_not_trusted", 1)?;

    // The operator's exports: with the dump, of a database, of the organization.
    let year = stage.backup.created_at.to_string()[..4].to_owned();
    let (one, of_database, whole) = (directory.join("one.tgz"), directory.join("db.tgz"), directory.join("org.tgz"));
    let id = id.to_string();
    let export = |words: &[&str], out: &Path| -> Result<Value> {
        let out = out.to_str().context("text")?;
        let words: Vec<&str> = ["evidence", "export"].iter().chain(words).copied().chain(["--out", out]).collect();
        setting.walwarden.admin(&words, &[])
    };
    export(&["--backup", &id, "--with-artifact"], &one)?;
    verified_as(&judge(context, &[&one, &key])?, false, "drilled")?;
    let database = setting.database_id.to_string();
    let written = export(&["--period", &year, "--database", &database], &of_database)?;
    ensure!(written["backups"] == 1, "{written}");
    let written = export(&["--period", &year], &whole)?;
    ensure!(written["backups"] == 1, "{written}");
    for bundle in [&one, &of_database, &whole] {
        let own: u64 = field(&judge(context, &[bundle, &key])?.report, "/checkpointSize")?;
        let own = write("own.txt", &checkpoint(setting, own)?)?;
        let judged = judge(context, &[bundle, &key, &own, &dump])?;
        ensure!(judged.status == 0 && judged.report["anchored"] == true, "{:#}", judged.report);
    }
    // Nothing is overwritten.
    ensure!(export(&["--period", &year], &whole).is_err());
    Ok(())
}

/// The public half of a key that signs nothing here.
const STRANGER: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=\n-----END PUBLIC KEY-----\n";

pub(super) fn bad_input(context: &TestContext) -> Result<()> {
    let directory = context.directory();
    let (key, empty, missing) = (directory.join("key.pem"), directory.join("empty.tgz"), directory.join("missing"));
    fs::write(&key, STRANGER)?;
    fs::write(&empty, "")?;
    found(&judge(context, &[&missing, &key])?, "unreadable_file", 2)?;
    found(&judge(context, &[&empty, &key])?, "not_an_archive", 2)?;
    found(&judge(context, &[&key, &key])?, "not_an_archive", 2)?;
    found(&judge(context, &[&empty, &empty])?, "malformed_public_key", 2)?;
    found(&judge(context, &[&empty, &key, &key])?, "malformed_checkpoint", 2)
}
