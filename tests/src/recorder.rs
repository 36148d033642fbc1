//! Everything a client says to a server, byte for byte, with the server's answers passed on unchanged.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::{JoinHandle, JoinSet};

use crate::runtime::{block_on, lock, spawn};

#[derive(Debug, Default)]
struct Heard {
    sent: Mutex<Vec<u8>>,
    answered: AtomicU64,
}

/// A running recorder. Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    heard: Arc<Heard>,
    listener: JoinHandle<()>,
}

impl Recorder {
    /// Starts a recorder in front of `upstream` on a free port of 127.0.0.1.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).context("cannot listen")?;
        let address = listener.local_addr()?;
        let heard = Arc::new(Heard::default());
        let listener = spawn({
            let heard = Arc::clone(&heard);
            async move {
                // Owned by this task, so that aborting it aborts the connections as well.
                let mut connections = JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let heard = Arc::clone(&heard);
                    connections.spawn(async move {
                        let Ok(server) = TcpStream::connect(upstream).await else {
                            return;
                        };
                        let ((from_client, to_client), (from_server, to_server)) =
                            (client.into_split(), server.into_split());
                        let sent = pass(from_client, to_server, |bytes| lock(&heard.sent).extend_from_slice(bytes));
                        let answered = pass(from_server, to_client, |bytes| {
                            heard.answered.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        });
                        tokio::join!(sent, answered);
                    });
                }
            }
        });
        Ok(Self { address, heard, listener })
    }

    /// The URL to use instead of the server's.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that clients sent, up to now.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        lock(&self.heard.sent).clone()
    }

    /// How many bytes the server answered, up to now.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.heard.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Copies until either side closes, which the other side then sees. What came is heard before it is passed on: when a
/// client has an answer, what was heard of it is known.
pub(crate) async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut hear: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        hear(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    // The peer may be gone already.
    let _ = to.shutdown().await;
}
