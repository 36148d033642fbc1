//! Signals that ask this process to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels `cancel` at the first SIGINT, SIGTERM or SIGHUP. Later ones are swallowed: what stops has deadlines, and
/// dying halfway would leave children and temporary files behind.
///
/// Must be called within a runtime.
pub(crate) fn cancel_on_signal(cancel: &CancellationToken) -> io::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut signals = signal(kind)?;
        let cancel = cancel.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                cancel.cancel();
            }
        });
    }
    Ok(())
}
