//! How many requests one API key, or one restore job, may send: a token bucket for each, in memory.
//!
//! A bucket costs about 60 bytes. There can be no more of them than keys and restore jobs that really exist, since only
//! who was authenticated has one, and those that are full again are thrown away every minute. Each process counts for
//! itself: behind `n` of them a key may send up to `n` times as much.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use walwarden_contract::{ApiKeyId, RestoreJobId};

use crate::config::Settings;

// The names and the form of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Who has a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Principal {
    Key(ApiKeyId),
    Restore(RestoreJobId),
}

/// The time since some moment. Handed in, so that tests can move it; it must never run backwards.
#[derive(Clone)]
pub struct Elapsed(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Elapsed {
    /// The machine's monotonic clock: setting the time of day neither blocks nor frees anybody.
    #[must_use]
    pub fn since_now() -> Self {
        let started = Instant::now();
        Self::new(move || started.elapsed())
    }

    /// A clock of the caller's choice.
    #[must_use]
    pub fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }
}

impl Clock for Elapsed {
    type Instant = Duration;
    fn now(&self) -> Duration {
        (self.0)()
    }
}

type Buckets = RateLimiter<Principal, DashMapStateStore<Principal>, Elapsed, StateInformationMiddleware>;

struct Limiter {
    buckets: Buckets,
    clock: Elapsed,
    rate: NonZeroU32,
    burst: NonZeroU32,
}

/// The buckets of everybody, or none when the limit is switched off.
pub struct RateLimits(Option<Limiter>);

/// What a bucket holds after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    burst: u32,
    window_seconds: u32,
    remaining: u32,
    reset_seconds: u32,
    /// How long to wait for the next request; `None` when this one may pass.
    pub(super) wait: Option<Duration>,
}

impl RateLimits {
    /// The limits that the settings ask for.
    #[must_use]
    pub fn new(settings: &Settings, clock: Elapsed) -> Self {
        let burst = NonZeroU32::new(settings.request_burst).unwrap_or(NonZeroU32::MIN);
        Self(NonZeroU32::new(settings.requests_per_second).map(|rate| {
            let quota = Quota::per_second(rate).allow_burst(burst);
            let buckets = Buckets::new(quota, DashMapStateStore::default(), clock.clone());
            Limiter { buckets, clock, rate, burst }
        }))
    }

    /// Counts a request. `None` when there is no limit.
    pub(super) fn count(&self, principal: Principal) -> Option<Allowance> {
        let Limiter { buckets, clock, rate, burst } = self.0.as_ref()?;
        let (remaining, wait) = match buckets.check_key(&principal) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(clock.now()))),
        };
        Some(Allowance {
            burst: burst.get(),
            window_seconds: burst.get().div_ceil(rate.get()),
            remaining,
            reset_seconds: (burst.get() - remaining).div_ceil(rate.get()),
            wait,
        })
    }

    /// Throws away what buckets are full again.
    pub fn tidy(&self) {
        if let Some(limiter) = &self.0 {
            limiter.buckets.retain_recent();
            limiter.buckets.shrink_to_fit();
        }
    }

    /// How many buckets there are.
    #[cfg(test)]
    pub(super) fn buckets(&self) -> usize {
        self.0.as_ref().map_or(0, |limiter| limiter.buckets.len())
    }
}

impl Allowance {
    /// Says it in an answer's headers.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Self { burst, window_seconds, remaining, reset_seconds, wait: _ } = self;
        let mut put = |name, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        };
        put(POLICY, format!("\"default\";q={burst};w={window_seconds}"));
        put(STATE, format!("\"default\";r={remaining};t={reset_seconds}"));
    }
}
