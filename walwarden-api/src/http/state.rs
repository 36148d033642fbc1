//! What every handler works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Notify;

use super::rate_limit::{Elapsed, RateLimits};
use crate::config::Settings;
use crate::engine::source_check::SourceChecker;
use crate::secrets::Keyring;
use crate::store::Store;
use crate::system::System;
use crate::telemetry::Board;

/// What every handler works with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The store.
    pub store: Store,
    /// Time and randomness.
    pub system: System,
    /// The keys.
    pub keyring: Arc<Keyring>,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Notified when a backup is queued, so that an idle worker need not wait for its next look.
    pub wake: Arc<Notify>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// The series of single databases.
    pub board: Board,
    /// Whether `/readyz` says so; false while the process drains.
    pub ready: Arc<AtomicBool>,
    /// Looks at sources.
    pub checker: SourceChecker,
    /// How many requests each caller may send.
    pub limits: Arc<RateLimits>,
}

impl AppState {
    /// A state that is ready.
    #[must_use]
    pub fn new(
        store: Store,
        system: System,
        keyring: Arc<Keyring>,
        settings: Arc<Settings>,
        metrics: PrometheusHandle,
    ) -> Self {
        let (wake, ready) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(true)));
        let limits = Arc::new(RateLimits::new(&settings, Elapsed::since_now()));
        let checker = SourceChecker::new(&settings);
        let board = Board::default();
        Self { store, system, keyring, settings, wake, metrics, board, ready, checker, limits }
    }

    /// Says on `/readyz` that no new requests should come here.
    pub fn drain(&self) {
        self.ready.store(false, Ordering::SeqCst);
    }
}
