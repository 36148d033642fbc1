//! Looks at destinations that are due, a few at a time, so that drift is found before a backup meets it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use walwarden_contract::model::DestinationState;

use super::preflights;
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::destinations::Destination;
use crate::system::System;

/// How many destinations a process looks at at once.
const AT_ONCE: usize = 4;
/// How long an idle verifier waits before it asks what is due.
const IDLE: Duration = Duration::from_secs(1);

/// What looks need.
#[derive(Clone)]
pub struct Verifier {
    /// The store.
    pub store: Store,
    /// Clock and randomness.
    pub system: System,
    /// Opens credentials.
    pub keyring: Arc<Keyring>,
}

impl Verifier {
    /// Looks until `shutdown`, and finishes what it began: a run that is cut off leaves its probes behind.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut running = JoinSet::new();
        while !shutdown.is_cancelled() {
            while running.try_join_next().is_some() {}
            if running.len() < AT_ONCE {
                match preflights::claim(&self.store, &self.system).await {
                    Ok(Some(destination)) => {
                        let verifier = self.clone();
                        running.spawn(async move { verifier.look(destination).await });
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!(%error, "cannot ask which destinations are due"),
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = running.join_next(), if running.len() >= AT_ONCE => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn look(&self, before: Destination) {
        let id = before.id;
        match preflights::look(&self.store, &self.system, &self.keyring, &before, None).await {
            Ok(looked) => {
                let state = looked.destination.verification.state;
                if state == DestinationState::Verified {
                    tracing::debug!(destination_id = %id, "the destination takes backups");
                } else {
                    let refusal = preflights::refusal(&looked.destination).unwrap_or_default();
                    tracing::warn!(destination_id = %id, state = state.as_str(), "{refusal}");
                }
            }
            Err(error) => tracing::error!(destination_id = %id, %error, "cannot look at the destination"),
        }
    }
}
