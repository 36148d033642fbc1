//! How far a restore is: for a person on stderr, for programs on stdout.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use walwarden_contract::model::cli::{RestoreLinePayload, RestoreLineState, RestoreStateEvent, StateEvent};
use walwarden_contract::model::{RestoreReportPayload, RestoreState};
use walwarden_contract::{RestoreJobId, Timestamp};
use walwarden_sdk::restore::RestoreEvent;

use super::Live;
use crate::clock;
use crate::output::events::Twentieths;
use crate::output::{Printer, text};

/// What a program that reads stdout is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    Nothing,
    /// The lines of the token's command.
    Lines,
    /// The events of this job.
    Events(RestoreJobId),
}

/// Follows one restore, and remembers the last state that the server has taken.
pub(crate) struct Progress {
    printer: Printer,
    told: Told,
    live: Live,
    state: Mutex<Option<RestoreState>>,
    token_in_doubt: AtomicBool,
    twentieths: Mutex<Twentieths>,
}

impl Progress {
    pub(crate) fn new(printer: Printer, told: Told) -> Self {
        let (state, twentieths) = (Mutex::new(None), Mutex::default());
        Self { printer, told, live: Live::new(printer), state, token_in_doubt: AtomicBool::new(false), twentieths }
    }

    pub(crate) fn see(&self, event: RestoreEvent) {
        match event {
            RestoreEvent::State { state, at, payload } => {
                *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
                self.tell(state, at, payload);
                if RestoreLineState::on_the_way(state).is_some() {
                    self.live.note(&format!("{at} {}", state.as_str()));
                    self.live.step(state.as_str());
                }
            }
            RestoreEvent::TokenInDoubt => self.token_in_doubt.store(true, Ordering::Relaxed),
            RestoreEvent::Downloaded { bytes, total } => {
                self.live.bytes("downloading", bytes, total);
                let mut twentieths = self.twentieths.lock().unwrap_or_else(PoisonError::into_inner);
                if twentieths.reached(bytes, total) {
                    self.printer.progress(clock::now(), bytes, total);
                }
            }
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

    /// Tells a program of a state.
    pub(crate) fn tell(&self, state: RestoreState, at: Timestamp, payload: RestoreReportPayload) {
        match (self.told, RestoreLineState::on_the_way(state)) {
            (Told::Lines, Some(line)) => self.printer.line(line, at, RestoreLinePayload::Reported(payload)),
            (Told::Events(restore_job_id), _) => {
                let event = RestoreStateEvent { at, state: state.into(), restore_job_id, payload };
                self.printer.state(StateEvent::Restore(event));
            }
            _ => {}
        }
    }

    /// Whether the token may be used up although no state was reached.
    pub(crate) fn token_in_doubt(&self) -> bool {
        self.token_in_doubt.load(Ordering::Relaxed)
    }

    /// The last state; none when the token was not used, as far as is known.
    pub(crate) fn state(&self) -> Option<RestoreState> {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves nothing half drawn.
    pub(crate) fn finish(&self) {
        self.live.clear();
    }
}
