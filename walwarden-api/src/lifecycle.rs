//! A server process from start to end: what runs in it, and how it stops without losing anything.

mod keeping;
mod vital;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::vital::Vital;
use crate::config::Settings;
use crate::engine::backup::Limits;
use crate::http;
use crate::jobs::backups::RetryPolicy;
use crate::jobs::retention::Keeper;
use crate::jobs::rewinding::{self, Brought};
use crate::jobs::scheduler::{self, SchedulePolicy};
use crate::jobs::verifier::Verifier;
use crate::jobs::watchdog;
use crate::jobs::worker::{Presence, SweepPolicy, Worker};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::system::System;

/// How often schedules, leases and restores are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long a bucket has to take back what an ended job left there.
const CLEARING: Duration = Duration::from_mins(1);
/// How often a look is taken at what a clock that was ahead left waiting; it reads every schedule.
const REWIND: Duration = Duration::from_hours(1);
/// How often old stored responses are forgotten, and metrics tidied.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// A server whose parts are ready to run.
pub struct Server {
    settings: Arc<Settings>,
    store: Store,
    system: System,
    keyring: Arc<Keyring>,
    metrics: PrometheusHandle,
    listener: TcpListener,
}

impl Server {
    /// Binds the address; nothing is answered yet.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        settings: Settings,
        store: Store,
        system: System,
        keyring: Keyring,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot listen on {}; choose another address with --listen", settings.listen))?;
        Ok(Self { settings: Arc::new(settings), store, system, keyring: Arc::new(keyring), metrics, listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Runs until `shutdown`, then drains: requests under way are answered, backups under way handed back.
    ///
    /// # Errors
    /// When the HTTP server fails, or something that has to run ended by itself.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let state = http::AppState::new(
            self.store.clone(),
            self.system.clone(),
            Arc::clone(&self.keyring),
            Arc::clone(&self.settings),
            self.metrics.clone(),
        );
        let router =
            if self.settings.role.serves() { http::router(state.clone()) } else { http::status_router(state.clone()) };

        let mut vital = Vital::new(shutdown.clone());
        if self.settings.role.works() {
            let worker = self.worker(Arc::clone(&state.wake));
            let (sweeper, policy) = (worker.clone(), sweep_policy(&self.settings));
            let stop = shutdown.clone();
            let sweep = move || {
                let (worker, stop) = (sweeper.clone(), stop.clone());
                async move {
                    while !stop.is_cancelled() && worker.sweep(policy, &stop).await {}
                    Ok(())
                }
            };
            vital.spawn("sweep", keeping::again_and_again(shutdown.clone(), "unfinished uploads", sweep));
            vital.spawn("look_after", look_after(worker.clone(), Arc::clone(&self.settings), shutdown.clone()));
            vital.spawn("verifier", self.verifier().run(shutdown.clone()));
            vital.spawn("worker", worker.run(shutdown.clone()));
            let (store, system) = (self.store.clone(), self.system.clone());
            let keeper = Keeper { store, system, keyring: Arc::clone(&self.keyring) };
            keeping::start(&mut vital, &keeper, &self.settings, &shutdown);
        }
        vital.spawn("keep_house", keep_house(state.clone(), shutdown.clone()));

        let grace = Duration::from_secs(self.settings.shutdown_seconds.into());
        let mut serving = tokio::spawn(http::serve(self.listener, router, shutdown.clone()));
        tokio::select! {
            served = &mut serving => served?,
            () = async { shutdown.cancelled().await; state.drain(); tokio::time::sleep(grace).await } => {
                serving.abort();
                tracing::warn!("some requests were still open when the time to drain ran out");
            }
        }
        if tokio::time::timeout(grace.max(Duration::from_secs(1)), vital.end()).await.is_err() {
            tracing::warn!("a backup could not be handed back in time; its lease will run out instead");
        }
        self.store.close().await;
        anyhow::ensure!(!vital.is_broken(), "a part of the server ended by itself; its log says which: start it again");
        Ok(())
    }

    fn verifier(&self) -> Verifier {
        Verifier { store: self.store.clone(), system: self.system.clone(), keyring: Arc::clone(&self.keyring) }
    }

    fn worker(&self, wake: Arc<Notify>) -> Worker {
        let settings = &self.settings;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Worker {
            store: self.store.clone(),
            system: self.system.clone(),
            keyring: Arc::clone(&self.keyring),
            tools: settings.tools(),
            wake,
            name: format!("{host}:{}", std::process::id()),
            concurrency: settings.workers as usize,
            limits: Limits {
                part_memory_bytes: settings.part_memory_bytes(),
                lock_wait: Duration::from_secs(settings.lock_wait_seconds.into()),
            },
            lease: Duration::from_secs(settings.lease_seconds.into()),
            retry: retry(settings),
        }
    }
}

fn retry(settings: &Settings) -> RetryPolicy {
    RetryPolicy { delay_millis: i64::from(settings.retry_delay_seconds) * 1000 }
}

fn sweep_policy(settings: &Settings) -> SweepPolicy {
    SweepPolicy {
        every_millis: i64::from(settings.upload_sweep_seconds) * 1000,
        grace_millis: i64::from(settings.upload_grace_seconds) * 1000,
    }
}

/// Queues what schedules ask for, and looks after dead workers' jobs and silent restores.
async fn look_after(worker: Worker, settings: Arc<Settings>, shutdown: CancellationToken) {
    let schedules = SchedulePolicy {
        max_attempts: settings.backup_attempts,
        spread_millis: i64::from(settings.schedule_spread_seconds) * 1000,
    };
    let silence = i64::from(settings.restore_timeout_seconds) * 1000;
    let mut presence = Presence::new(&worker.name, &worker.system);
    let mut clearing = JoinSet::new();
    let mut rewound: Option<Instant> = None;
    loop {
        if rewound.is_none_or(|at| at.elapsed() >= REWIND) {
            rewound = Some(Instant::now());
            match rewinding::bring_forward(&worker.store, &worker.system, schedules).await {
                Ok(brought) if brought == Brought::default() => {}
                Ok(Brought { schedules, jobs, leases }) => tracing::warn!(
                    "a clock was ahead: brought forward what waited for its time: {schedules} schedules, {jobs} jobs, {leases} leases"
                ),
                Err(error) => tracing::error!(%error, "cannot look for what a clock that was ahead left waiting"),
            }
        }
        if let Err(error) = presence.show(&worker.store, &worker.system).await {
            tracing::error!(%error, "cannot write down that this process works");
        }
        match scheduler::tick(&worker.store, &worker.system, schedules).await {
            Ok(0) => {}
            Ok(queued) => {
                tracing::info!(queued, "scheduled backups queued");
                worker.wake.notify_one();
            }
            Err(error) => tracing::error!(%error, "cannot look at the schedules"),
        }
        match watchdog::look(&worker.store, &worker.system, worker.retry, silence).await {
            Ok(found) => {
                // Beside this loop: a bucket that does not answer must not keep schedules and leases waiting.
                for job in found.ended {
                    let worker = worker.clone();
                    clearing.spawn(tokio::time::timeout(CLEARING, async move { worker.clear_away(&job).await }));
                }
                while clearing.try_join_next().is_some() {}
            }
            Err(error) => tracing::error!(%error, "cannot look for dead workers and silent restores"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn keep_house(state: http::AppState, shutdown: CancellationToken) {
    loop {
        if let Err(error) = watchdog::forget(&state.store, &state.system).await {
            tracing::warn!(%error, "cannot forget old stored responses");
        }
        state.limits.tidy();
        state.metrics.run_upkeep();
        if state.settings.role.works()
            && let Err(error) = state.board.refresh(&state.store, &state.system).await
        {
            tracing::warn!(%error, "cannot read the gauges of the store");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
    }
}

/// Cancelled by the first SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be watched.
pub fn shutdown_on_signal() -> anyhow::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down: draining requests, handing backups back");
        token.cancel();
    });
    Ok(shutdown)
}
