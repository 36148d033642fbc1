//! Tasks that have to run for as long as the process does.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Should one end by itself, a process that seems to be well would queue no schedules, or look after no leases. It stops instead, as
/// if it had been asked to, and whoever started it starts another.
pub(super) struct Vital {
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    broken: Arc<AtomicBool>,
}

impl Vital {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), shutdown, broken: Arc::default() }
    }

    pub(super) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (shutdown, broken) = (self.shutdown.clone(), Arc::clone(&self.broken));
        self.tasks.spawn(async move {
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            if panicked || !shutdown.is_cancelled() {
                tracing::error!(task = name, "what has to run ended by itself: this process stops");
                broken.store(true, Ordering::SeqCst);
                shutdown.cancel();
            }
        });
    }

    /// Waits until every one has ended.
    pub(super) async fn end(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// Whether one ended by itself.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_stops_when_one_of_them_panics_or_just_ends_and_not_because_it_was_asked_to() {
        let asked = async |task: fn(CancellationToken) -> futures::future::BoxFuture<'static, ()>| {
            let shutdown = CancellationToken::new();
            let mut vital = Vital::new(shutdown.clone());
            vital.spawn("test", task(shutdown.clone()));
            let other = shutdown.clone();
            vital.spawn("another", async move { other.cancelled().await });
            vital.end().await;
            vital.is_broken()
        };
        assert!(asked(|_| async { panic!("on purpose") }.boxed()).await);
        assert!(asked(|_| async {}.boxed()).await);
        assert!(!asked(|shutdown| async move { shutdown.cancel() }.boxed()).await);
    }
}
