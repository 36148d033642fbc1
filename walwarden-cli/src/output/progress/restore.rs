//! How far a restore is: for a person on stderr, for programs on stdout.

use std::sync::{Mutex, PoisonError};

use walwarden_contract::model::RestoreState;
use walwarden_contract::model::cli::{RestoreLinePayload, RestoreLineState};
use walwarden_sdk::restore::RestoreEvent;

use super::Live;
use crate::output::{Printer, text};

/// Follows one restore, and remembers the last state that the server has taken.
pub(crate) struct Progress {
    printer: Printer,
    /// Whether states are written to stdout as JSON lines.
    lines: bool,
    live: Live,
    state: Mutex<Option<RestoreState>>,
}

impl Progress {
    pub(crate) fn new(printer: Printer, lines: bool) -> Self {
        Self { printer, lines, live: Live::new(printer), state: Mutex::new(None) }
    }

    pub(crate) fn see(&self, event: RestoreEvent) {
        match event {
            RestoreEvent::State { state, at, payload } => {
                *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
                let Some(line) = RestoreLineState::on_the_way(state) else { return };
                if self.lines {
                    self.printer.line(line, at, RestoreLinePayload::Reported(payload));
                }
                self.live.note(&format!("{at} {}", state.as_str()));
                self.live.step(state.as_str());
            }
            RestoreEvent::Downloaded { bytes, total } => self.live.bytes("downloading", bytes, total),
            RestoreEvent::Verifying { bytes } => self.live.step(&format!("verifying {}", text::size(bytes))),
            RestoreEvent::Restoring { database, bytes, entries, jobs } => {
                let entries = entries.map(|entries| format!(", {entries} tables and large objects with data"));
                let (entries, size) = (entries.unwrap_or_default(), text::size(bytes));
                self.live.step(&format!("pg_restore into {database:?}: {size}{entries}, {jobs} jobs"));
            }
            RestoreEvent::Analyzing { database } => self.live.step(&format!("analyzing {database:?}")),
            _ => {}
        }
    }

    /// The last state; none when the token was not used.
    pub(crate) fn state(&self) -> Option<RestoreState> {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves nothing half drawn.
    pub(crate) fn finish(&self) {
        self.live.clear();
    }
}
