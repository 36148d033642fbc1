//! What happens to the workers: they are killed and started anew, or stand still for longer than their lease and go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::Signal;

use super::installation::Installation;
use crate::dice::Dice;

/// The worker that is never killed, so that somebody's memory can be watched from beginning to end.
pub(super) const SPARED: usize = 0;

/// What happens next, and what did.
#[derive(Debug)]
pub(super) struct Turmoil {
    dice: Dice,
    next: Instant,
    /// Which worker stands still, and until when.
    still: BTreeMap<usize, Instant>,
    kills: u64,
    pauses: u64,
}

impl Turmoil {
    pub(super) fn new(seed: u64) -> Self {
        let dice = Dice::new(seed ^ 0x736F_616B);
        Self { dice, next: Instant::now(), still: BTreeMap::new(), kills: 0, pauses: 0 }
    }

    /// Kills and restarts, and pauses.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.kills, self.pauses)
    }

    pub(super) fn step(&mut self, installation: &mut Installation<'_>) -> Result<()> {
        let now = Instant::now();
        let rested: Vec<usize> =
            self.still.iter().filter(|(_, until)| **until <= now).map(|(index, _)| *index).collect();
        for index in rested {
            self.still.remove(&index);
            installation.workers[index].signal(Signal::CONT)?;
        }
        if now < self.next {
            return Ok(());
        }
        self.next = now + Duration::from_millis(self.dice.between(1500, 6000));
        let workers = u64::try_from(installation.workers.len())?;
        let index = usize::try_from(self.dice.below(workers))?;
        if self.still.contains_key(&index) {
            return Ok(());
        }
        if index == SPARED || self.dice.below(2) == 0 {
            installation.workers[index].signal(Signal::STOP)?;
            self.still.insert(index, now + Duration::from_millis(self.dice.between(1000, 12_000)));
            self.pauses += 1;
        } else {
            installation.replace(index)?;
            self.kills += 1;
        }
        Ok(())
    }

    /// Lets everybody go on.
    pub(super) fn end(&mut self, installation: &mut Installation<'_>) -> Result<()> {
        for index in std::mem::take(&mut self.still).into_keys() {
            installation.workers[index].signal(Signal::CONT)?;
        }
        Ok(())
    }
}
