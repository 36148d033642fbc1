//! The clock and the randomness of the machine, handed to everything that needs them.

use std::sync::Arc;

use uuid::Uuid;
use walwarden_contract::Timestamp;

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// Where time and randomness come from.
#[derive(Clone)]
pub struct System {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    fill: Arc<Fill>,
}

impl System {
    /// The real clock, and the operating system's random generator.
    ///
    /// # Panics
    /// When random bytes are asked for and the operating system has none: nothing could go on safely.
    #[must_use]
    pub fn real() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one home of the clock")]
        let now = || Timestamp::from(jiff::Timestamp::now());
        Self {
            now: Arc::new(now),
            fill: Arc::new(|bytes| getrandom::fill(bytes).expect("the operating system provides randomness")),
        }
    }

    /// A clock and a generator of the caller's choice.
    #[must_use]
    pub fn new(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        fill: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), fill: Arc::new(fill) }
    }

    /// The same randomness, and a clock that is ahead by what `offset` says at each look, in milliseconds.
    #[cfg(debug_assertions)]
    pub(crate) fn shifted(self, offset: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let Self { now, fill } = self;
        Self { now: Arc::new(move || after(now(), offset())), fill }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Random bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes);
        bytes
    }

    /// A `UUIDv7` of now.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().as_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.random()).into_uuid()
    }
}

/// `millis` milliseconds after `at`, or the end of time.
#[must_use]
pub fn after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis)).unwrap_or(at)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    /// A clock that stands still until it is moved, and a generator that counts.
    pub(crate) fn manual() -> (System, Arc<AtomicI64>) {
        let clock = Arc::new(AtomicI64::new(1_769_824_800_000));
        let counter = AtomicU64::new(1);
        let reading = Arc::clone(&clock);
        let system = System::new(
            move || Timestamp::from_millis(reading.load(Ordering::SeqCst)).expect("in range"),
            move |bytes| {
                let value = counter.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                for (byte, digit) in bytes.iter_mut().rev().zip(value.iter().rev()) {
                    *byte = *digit;
                }
            },
        );
        (system, clock)
    }
}
