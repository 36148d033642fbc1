//! Workers that die or stop at each boundary of a backup, while another is there to take over.

use anyhow::{Result, bail, ensure};
use rustix::process::Signal;
use walwarden_api::failpoint::Failpoint;
use walwarden_contract::BackupJobId;
use walwarden_contract::model::BackupState;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{FAILPOINT, Role, Server, Store};

use super::cell::{Cell, PATIENT, QUICK};
use crate::SOON;
use crate::setting::{Options, Setting};

/// How often a worker is stopped anew that happened to stand still in the middle of a write.
const TRIES: usize = 12;

/// An API process, and nothing that works.
fn without_worker(context: &TestContext, store: Store, point: Failpoint) -> Result<Setting<'_>> {
    let parts = if point == Failpoint::MidDump { Options::multipart() } else { Options::proxied() };
    Setting::new(context, store, Options { role: Role::Api, ..parts.serve(PATIENT) })
}

/// A worker process that meets a failpoint.
fn worker(setting: &mut Setting<'_>, point: Failpoint, what: &str) -> Result<Server> {
    setting.walwarden.set_env(FAILPOINT, &format!("{}={what}", point.as_str()));
    let worker = setting.walwarden.serve_with(Role::Worker, QUICK)?;
    setting.walwarden.unset_env(FAILPOINT);
    Ok(worker)
}

/// The worker is killed there, and another started.
pub(super) fn killed(context: &TestContext, store: Store, point: Failpoint) -> Result<Cell<'_>> {
    let mut setting = without_worker(context, store, point)?;
    let first = worker(&mut setting, point, "kill")?;
    let id = setting.trigger()?;
    first.wait_killed(SOON)?;
    let other = setting.walwarden.serve_with(Role::Worker, PATIENT)?;
    let completed = setting.wait_ended(id, BackupState::Completed)?;
    ensure!((completed.attempt == 1) == (point == Failpoint::AfterCompleted), "{completed:?}");
    let mut knowing = Failpoint::BACKUP.iter().skip_while(|at| **at != Failpoint::AfterFinalizeRecorded);
    let dumps = setting.proxy()?.count(&Matcher::create_multipart());
    ensure!(dumps == 1 || knowing.all(|at| *at != point), "a dump that was whole was made {dumps} times");
    Ok(Cell { workers: vec![other], ..Cell::new(setting, id) })
}

/// The worker stands still there for longer than its lease, another finishes the backup, and then the first goes on.
pub(super) fn paused(context: &TestContext, store: Store, point: Failpoint) -> Result<Cell<'_>> {
    let mut setting = without_worker(context, store, point)?;
    for _ in 0..TRIES {
        let mut first = worker(&mut setting, point, "pause")?;
        let id = setting.trigger()?;
        first.wait_paused(SOON)?;
        if store == Store::Postgres || setting.can_write() {
            return taken_over(setting, first, id);
        }
        // Another of its tasks was in the middle of a write: the embedded store is then locked for as long as it stands still.
        first.signal(Signal::CONT)?;
        setting.wait_ended(id, BackupState::Completed)?;
        first.stop()?;
    }
    bail!("{TRIES} times in a row the worker stood still in the middle of a write");
}

fn taken_over(setting: Setting<'_>, mut first: Server, id: BackupJobId) -> Result<Cell<'_>> {
    let other = setting.walwarden.serve_with(Role::Worker, PATIENT)?;
    let completed = setting.wait_ended(id, BackupState::Completed)?;
    let chain = setting.audit_chain(&id.to_string())?;
    first.signal(Signal::CONT)?;
    wait_for("the first worker to notice", SOON, || {
        Ok(first.log_text()?.contains("the lease was lost").then_some(()))
    })?;
    ensure!(setting.backup(id)? == completed, "what was completed has changed");
    ensure!(setting.audit_chain(&id.to_string())? == chain, "the late worker wrote into the chain");
    Ok(Cell { workers: vec![first, other], ..Cell::new(setting, id) })
}

/// The server dies in the last attempt that there is: the next one ends the job, and clears away what it left.
pub(super) fn killed_in_last_attempt(context: &TestContext, store: Store) -> Result<Cell<'_>> {
    let flags = &["--lease-seconds", "2", "--backup-attempts", "1", "--part-memory-mib", "32"];
    let mut setting = Setting::new(context, store, Cell::TWO_PARTS.serve(flags))?;
    let gate = setting.proxy()?.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold).nth(1));
    let id = setting.trigger()?;
    gate.wait_hit(SOON)?;
    setting.kill9()?;
    setting.start_with(PATIENT)?;
    Ok(Cell::new(setting, id))
}
