//! `walwarden-api serve`: the API, the worker and the scheduler, until a signal asks it to stop.

use std::time::Duration;

use walwarden_contract::ErrorCode;

use super::init::{open_store, store_exists};
use super::output::Failure;
use crate::config::{CommonArguments, Environment, ServeArguments, Settings};
use crate::lifecycle::{Server, shutdown_on_signal};
use crate::registry::signing_keys::take_up;
use crate::system::System;
use crate::telemetry::{self, Traces};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the settings, the keys, the store or the address cannot be used.
pub(super) async fn run(
    common: &CommonArguments,
    arguments: &ServeArguments,
    system: System,
    env: &Environment<'_>,
) -> anyhow::Result<()> {
    let settings = Settings::load(common, Some(arguments), env).map_err(Failure::from)?;
    telemetry::init_logs(&settings)?;
    let metrics = telemetry::init_metrics()?;
    let traces =
        Traces::from_environment(env).map_err(|error| Failure::new(ErrorCode::ConfigInvalid, error.to_string()))?;
    if !store_exists(&settings) {
        let message = format!("there is no store in {}; run `walwarden-api init` first", settings.data_dir.display());
        return Err(Failure::new(ErrorCode::ConfigInvalid, message).into());
    }
    let store = open_store(&settings).await.map_err(Failure::from)?;
    let keyring = take_up(&settings.keys, &store, &system).await.map_err(Failure::from)?;
    let shutdown = shutdown_on_signal()?;
    let (role, key_id) = (settings.role, keyring.key_id());
    let grace = Duration::from_secs(settings.shutdown_seconds.into());
    let server = Server::bind(settings, store, system, keyring, metrics)
        .await
        .map_err(|error| Failure::new(ErrorCode::ConfigInvalid, format!("{error:#}")))?;
    tracing::info!(address = %server.address()?, %role, key_id, version = env!("CARGO_PKG_VERSION"), "listening");
    let ran = server.run(shutdown).await;
    traces.flush(grace).await;
    ran?;
    tracing::info!("stopped");
    Ok(())
}
