//! The end of the download: a blocking thread that hashes, parses and writes, in order.

use std::fs::File;
use std::io::Write;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Downloaded;
use crate::Error;
use crate::restore::archive::ArchiveParser;
use crate::restore::workspace::unwritable;

/// Starts the sink. It ends when the sender is dropped, or at the first failed write.
pub(super) fn start(file: File) -> (mpsc::Sender<Vec<u8>>, JoinHandle<Result<Downloaded, Error>>) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, tokio::task::spawn_blocking(move || run(file, receiver)))
}

fn run(mut file: File, mut receiver: mpsc::Receiver<Vec<u8>>) -> Result<Downloaded, Error> {
    let mut hash = Sha256::new();
    let mut size_bytes = 0;
    let mut parser = ArchiveParser::new();
    let mut refused = None;
    while let Some(chunk) = receiver.blocking_recv() {
        hash.update(&chunk);
        // A broken archive is read to its end all the same: a wrong hash says more than a wrong structure.
        if refused.is_none() {
            refused = parser.push(&chunk).err();
        }
        file.write_all(&chunk).map_err(|error| unwritable(&error))?;
        size_bytes += chunk.len() as u64;
    }
    file.flush().map_err(|error| unwritable(&error))?;
    let archive = match refused {
        Some(error) => Err(error),
        None => parser.finish(),
    };
    Ok(Downloaded { file, size_bytes, checksum_sha256: hex::encode(hash.finalize()), archive })
}
