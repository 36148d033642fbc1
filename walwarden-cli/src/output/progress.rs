//! How far a restore is: a bar on a terminal, lines elsewhere, JSON lines for programs.

use std::sync::Mutex;
use std::sync::PoisonError;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use walwarden_contract::model::RestoreState;
use walwarden_contract::model::cli::{RestoreLinePayload, RestoreLineState};
use walwarden_sdk::restore::RestoreEvent;

use super::Printer;

/// Follows one restore, and remembers the last state that the server has taken.
pub(crate) struct Progress {
    printer: Printer,
    /// Whether states are written to stdout as JSON lines.
    streams: bool,
    bar: ProgressBar,
    state: Mutex<Option<RestoreState>>,
}

impl Progress {
    pub(crate) fn new(printer: Printer, streams: bool) -> Self {
        let target = if printer.draws() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {binary_bytes}/{binary_total_bytes} {eta}") {
            bar.set_style(style);
        }
        Self { printer, streams, bar, state: Mutex::new(None) }
    }

    pub(crate) fn see(&self, event: RestoreEvent) {
        match event {
            RestoreEvent::State { state, at, payload } => {
                *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
                self.bar.set_message(state.as_str());
                let Some(line) = RestoreLineState::on_the_way(state) else { return };
                if self.streams {
                    self.printer.line(line, at, RestoreLinePayload::Reported(payload));
                } else {
                    self.bar.suspend(|| self.printer.note(&format!("{at} {}", state.as_str())));
                }
            }
            RestoreEvent::Downloaded { bytes, total } => {
                self.bar.set_length(total);
                self.bar.set_position(bytes);
                if bytes == total {
                    self.bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }

    /// The last state; none when the token was not used.
    pub(crate) fn state(&self) -> Option<RestoreState> {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
