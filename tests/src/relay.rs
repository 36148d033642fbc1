//! Passes TCP connections on unchanged, until it is told to break them: for protocols that the fault proxy does not speak.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, JoinSet};

use crate::runtime::{block_on, spawn};

/// A running relay. Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    breaks: broadcast::Sender<()>,
    refuses: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    listener: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay in front of `upstream` on a free port of 127.0.0.1.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = block_on(TcpListener::bind(("127.0.0.1", 0))).context("cannot listen for the relay")?;
        let address = listener.local_addr()?;
        let (breaks, _) = broadcast::channel(1);
        let (refuses, open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let listener = spawn({
            let (breaks, refuses, open) = (breaks.clone(), Arc::clone(&refuses), Arc::clone(&open));
            async move {
                // Owned by this task, so that aborting it aborts the connections as well.
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    while connections.try_join_next().is_some() {}
                    if refuses.load(Ordering::SeqCst) {
                        reset(&client);
                        continue;
                    }
                    connections.spawn(pass(client, upstream, breaks.subscribe(), Arc::clone(&open)));
                }
            }
        });
        Ok(Self { address, breaks, refuses, open, listener })
    }

    /// The port to use instead of the server's.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Resets every connection there is, and answers how many there were. New ones pass.
    #[must_use]
    pub fn reset_all(&self) -> usize {
        let open = self.open.load(Ordering::SeqCst);
        // Nobody listens where no connection is open.
        let _ = self.breaks.send(());
        open
    }

    /// From now on, whether new connections are reset at once.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn pass(
    mut client: TcpStream,
    upstream: SocketAddr,
    mut breaks: broadcast::Receiver<()>,
    open: Arc<AtomicUsize>,
) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    open.fetch_add(1, Ordering::SeqCst);
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = breaks.recv() => {
            reset(&client);
            reset(&server);
        }
    }
    open.fetch_sub(1, Ordering::SeqCst);
}

/// When it is closed now, the other side sees a reset instead of an end.
fn reset(stream: &TcpStream) {
    // A connection that is broken already needs no more.
    let _ = stream.set_zero_linger();
}
