//! The soak: one Postgres store, many worker processes, many databases, and faults without end. What must hold afterwards is in
//! `soak/verify.rs`.

mod drive;
mod installation;
mod memory;
mod options;
mod report;
mod turmoil;
mod verify;

use std::time::{Duration, Instant};

use anyhow::Result;

use self::drive::Drive;
use self::installation::Installation;
use self::memory::Memory;
pub use self::options::Options;
pub use self::report::Report;
use self::turmoil::Turmoil;
use crate::harness::TestContext;

/// How many of a thousand requests to the bucket meet a fault.
const FAULTS_PER_MILLE: u64 = 60;
/// How long what is under way in the end may take to come to its own.
const DRAIN: Duration = Duration::from_mins(10);
/// Between two looks at everything.
const TICK: Duration = Duration::from_millis(100);

/// Runs it all and reports.
pub fn run(context: &TestContext, options: &Options) -> Result<Report> {
    let mut installation = Installation::new(context, options)?;
    let mut turmoil = Turmoil::new(options.seed);
    let mut memory = Memory::default();
    let mut drive = Drive::default();

    installation.proxy.storm(options.seed, FAULTS_PER_MILLE);
    let began = Instant::now();
    let end = began + options.length();
    while Instant::now() < end {
        drive.step(&installation, options.rest(), true)?;
        turmoil.step(&mut installation)?;
        memory.look(&installation);
        std::thread::sleep(TICK);
    }
    let faults = installation.proxy.calm();
    turmoil.end(&mut installation)?;
    let drained = Instant::now() + DRAIN;
    while drive.is_busy() && Instant::now() < drained {
        drive.step(&installation, options.rest(), false)?;
        memory.look(&installation);
        std::thread::sleep(TICK);
    }
    let ran = began.elapsed();
    let mut report = Report::new(options, ran, faults, turmoil.counts());
    verify::verify(&installation, &drive, options, &mut report)?;
    memory.judge(&mut report);
    installation.stop(&mut report)?;
    Ok(report)
}
