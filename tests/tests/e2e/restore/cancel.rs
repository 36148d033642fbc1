//! Restores that are interrupted: by a signal that can be handled, and by one that cannot.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use walwarden_contract::ErrorCode;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::{RestoreMode, RestoreState};
use walwarden_tests::fault_proxy::{Action, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::descendants;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::Store;

use super::download::presigned_get;
use super::stage::Stage;
use crate::SOON;
use crate::setting::Options;

pub(super) fn during_download(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    for signal in [Signal::INT, Signal::TERM] {
        let gate = stage.setting.proxy()?.add(Rule::new(presigned_get(), Action::Hold));
        let session = stage.session()?;
        let mut restore = stage.restore(&session, &stage.maintenance())?.spawn()?;
        gate.wait_hit(SOON)?;
        restore.signal(signal)?;
        let output = restore.wait(SOON)?;
        let code = ErrorCode::Cancelled;
        stage.assert_failed(&session, &output, code, RestoreState::Cancelled, K::RestoreDownloading)?;
        stage.assert_untouched(&session)?;
        stage.setting.proxy()?.clear();
    }
    Ok(())
}

pub(super) fn during_pg_restore(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let (postgres, target) = (context.postgres(), stage.copy_of_source()?);
    // pg_restore has to drop the table, and waits for whoever holds it.
    let lock = postgres.lock_table(&target.name, "shop.customers")?;
    let session = stage.open(RestoreMode::InPlace, None)?;
    let mut restore = stage.restore(&session, &target)?.spawn()?;
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'", target.name);
    wait_for("pg_restore to wait at the lock", SOON, || {
        Ok((postgres.psql("postgres", &waiting)? != "0").then_some(()))
    })?;
    let children = descendants(restore.pid());
    ensure!(children.iter().any(|(_, name, _)| name == "pg_restore"), "{children:?}");
    restore.signal(Signal::INT)?;
    let output = restore.wait(SOON)?;
    for (pid, name, _) in children {
        let now = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        ensure!(now.trim() != name, "{name} outlived the restore");
    }
    lock.release()?;
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name LIKE '%restore%'",
        target.name
    );
    wait_for("pg_restore's connections to be gone", SOON, || {
        Ok((postgres.psql("postgres", &sessions)? == "0").then_some(()))
    })?;
    let code = ErrorCode::Cancelled;
    stage.assert_failed(&session, &output, code, RestoreState::Cancelled, K::RestoreRestoring)?;
    // Interrupted and repeated, it ends where an undisturbed one would.
    stage.succeeds(&stage.open(RestoreMode::InPlace, None)?, &target)?;
    stage.assert_restored(&target.name)
}

pub(super) fn killed(context: &TestContext) -> Result<()> {
    let options = Options {
        object_lock: false,
        lock_mode: "none",
        serve: &["--restore-timeout-seconds", "2"],
        ..Options::proxied()
    };
    let stage = Stage::with(context, Store::Postgres, options)?;
    let gate = stage.setting.proxy()?.add(Rule::new(presigned_get(), Action::Hold));
    let session = stage.session()?;
    let mut restore = stage.restore(&session, &stage.maintenance())?.spawn()?;
    gate.wait_hit(SOON)?;
    stage.wait_job(session.id, RestoreState::Downloading)?;
    restore.kill9()?;
    let job = stage.wait_job(session.id, RestoreState::TimedOut)?;
    ensure!(job.error.as_ref().is_some_and(|error| error.code == ErrorCode::RestoreTimedOut), "{job:?}");
    let chain = stage.setting.audit_chain(&session.id.to_string())?;
    let last = chain.last().context("an event")?;
    ensure!(last.kind == K::RestoreTimedOut && last.payload["lastState"] == "downloading", "{last:?}");
    // A machine that comes back from the dead changes nothing any more.
    for (path, body) in [("states", json!({"state": "verifying"})), ("artifact-url", json!({})), ("claim", json!({}))] {
        let path = format!("/api/v1/restores/{}/{path}", session.id);
        let answer = stage.post(&path, &format!("Bearer {}", session.token), &body)?;
        ensure!(answer.status == 409, "{path}: {} {}", answer.status, answer.json()?);
    }
    ensure!(stage.setting.audit_kinds(session.id)?.len() == chain.len(), "events after the end");
    let created = session.created.as_deref().context("a name")?;
    ensure!(!context.postgres().database_exists(created)?, "{created} was created");
    stage.setting.proxy()?.clear();
    // A killed process cleans nothing up: only its own private directory is left, and the next session is not in its way.
    std::fs::remove_dir_all(&stage.work)?;
    std::fs::create_dir(&stage.work)?;
    stage.succeeds(&stage.session()?, &stage.maintenance()).map(drop)
}
