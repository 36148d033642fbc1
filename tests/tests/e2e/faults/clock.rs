//! Clocks that jump while a backup runs.

use std::fs;

use anyhow::{Context, Result};
use walwarden_tests::harness::TestContext;
use walwarden_tests::wait::wait_for;
use walwarden_tests::walwarden::{CLOCK_OFFSET_FILE, Store, Walwarden};

use super::cell::{Cell, Flags};
use crate::SOON;
use crate::setting::Setting;

/// The server's clock jumps in the middle of the upload, which goes on once the lease has been extended or given up by it.
pub(super) fn jumps(context: &TestContext, store: Store, flags: Flags, millis: i64) -> Result<Cell<'_>> {
    let file = context.directory().join("clock-offset");
    let mut walwarden = Walwarden::init(context, store)?;
    walwarden.set_env(CLOCK_OFFSET_FILE, file.to_str().context("a path of UTF-8")?);
    let mut setting = Setting::prepare(context, walwarden, Cell::TWO_PARTS.serve(flags))?;
    setting.start()?;
    let (cell, gate) = Cell::held(setting)?;
    let before = cell.setting.stored_job(cell.id)?;
    fs::write(&file, millis.to_string())?;
    wait_for("a lease by the other clock", SOON, || {
        let now = cell.setting.stored_job(cell.id)?;
        let moved = match (before.lease_expires_at, now.lease_expires_at) {
            (Some(before), Some(now)) => (now.as_millis() - before.as_millis()).abs() >= millis.abs() / 2,
            _ => false,
        };
        Ok((moved || now.fence != before.fence).then_some(()))
    })?;
    gate.release();
    Ok(cell)
}
