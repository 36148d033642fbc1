//! `--events jsonl`: what happens, line by line, for a program. The version comes first, exactly one result last.

use std::sync::atomic::{AtomicBool, Ordering};

use walwarden_contract::envelope::SCHEMA_VERSION;
use walwarden_contract::model::cli::{EventLine, EventsVersion, ProgressEvent, StateEvent};
use walwarden_contract::{Envelope, Timestamp};

use super::{Printer, neutral, to_stdout};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Whether the first line was written. There is one stdout, and a command that panics has lost whatever else knew it.
static BEGUN: AtomicBool = AtomicBool::new(false);

impl Printer {
    /// Whether events are told.
    pub(crate) fn tells_events(self) -> bool {
        self.events
    }

    /// Writes the first line, unless it is there already.
    pub(crate) fn begin(self, kind: &str) {
        if self.events && !BEGUN.swap(true, Ordering::Relaxed) {
            let (schema_version, version) = (SCHEMA_VERSION, VERSION.to_owned());
            write(&EventLine::Version(EventsVersion { schema_version, kind: kind.to_owned(), version }));
        }
    }

    pub(crate) fn state(self, state: StateEvent) {
        if self.events {
            write(&EventLine::State(state));
        }
    }

    pub(crate) fn progress(self, at: Timestamp, bytes: u64, total: u64) {
        if self.events {
            write(&EventLine::Progress(ProgressEvent { at, bytes, total }));
        }
    }

    /// Writes the last line.
    pub(super) fn result(self, envelope: &Envelope) {
        self.begin(&envelope.kind);
        write(&EventLine::Result(Box::new(envelope.clone())));
    }
}

fn write(line: &EventLine) {
    to_stdout(&neutral::json(line));
}

/// Lets one in every twentieth of a download through.
#[derive(Debug, Default)]
pub(crate) struct Twentieths {
    passed: u64,
}

impl Twentieths {
    /// Whether these bytes reach into another twentieth than all before them.
    pub(crate) fn reached(&mut self, bytes: u64, total: u64) -> bool {
        let now = u64::try_from(u128::from(bytes) * 20 / u128::from(total.max(1))).unwrap_or(u64::MAX);
        let reached = now > self.passed;
        self.passed = self.passed.max(now);
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_twentieth_is_told_once() {
        let mut twentieths = Twentieths::default();
        let told: Vec<u64> = (1..=1000).filter(|bytes| twentieths.reached(*bytes, 1000)).collect();
        assert_eq!(told, (1..=20).map(|twentieth| twentieth * 50).collect::<Vec<_>>());
        let mut twentieths = Twentieths::default();
        let told: Vec<u64> = [1, 2, 3].into_iter().filter(|bytes| twentieths.reached(*bytes, 3)).collect();
        assert_eq!(told, [1, 2, 3]);
        assert!(Twentieths::default().reached(u64::MAX, u64::MAX) && !Twentieths::default().reached(0, 0));
    }
}
