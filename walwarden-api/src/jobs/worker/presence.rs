//! Shows that this process works, to whoever asks whether the service is ready.

use walwarden_contract::Timestamp;

use crate::store::{Result, Store};
use crate::system::{System, after};

/// How often a process shows itself: several times within the minute after which it counts as absent.
const EVERY_MILLIS: i64 = 10_000;
/// How long a process that is gone is remembered.
const REMEMBER_MILLIS: i64 = 24 * 3_600_000;

/// A working process, as it shows itself.
#[derive(Debug)]
pub struct Presence {
    name: String,
    started_at: Timestamp,
    shown_at: Option<Timestamp>,
}

impl Presence {
    /// A process that begins to work now.
    #[must_use]
    pub fn new(name: &str, system: &System) -> Self {
        Self { name: name.to_owned(), started_at: system.now(), shown_at: None }
    }

    /// Shows the process, unless it did so in the last ten seconds. Answers whether it was shown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn show(&mut self, store: &Store, system: &System) -> Result<bool> {
        let now = system.now();
        if self.shown_at.is_some_and(|shown_at| (shown_at..after(shown_at, EVERY_MILLIS)).contains(&now)) {
            return Ok(false);
        }
        store.see_worker(&self.name, self.started_at, now, after(now, -REMEMBER_MILLIS)).await?;
        self.shown_at = Some(now);
        Ok(true)
    }
}
