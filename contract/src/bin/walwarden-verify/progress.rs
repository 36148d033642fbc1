//! How far the reading of a large file is, for whoever watches: on stderr, and only on a terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};

/// Shorter files are read before anybody could look.
const WORTH_SHOWING: u64 = 256 << 20;

/// A file that tells how far it is read.
pub(crate) struct Progress {
    what: &'static str,
    file: File,
    done: u64,
    /// `None` where nothing is shown.
    total: Option<u64>,
    shown: Option<u64>,
}

impl Progress {
    pub(crate) fn new(what: &'static str, file: File) -> Self {
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let total = (length >= WORTH_SHOWING && io::stderr().is_terminal()).then_some(length);
        Self { what, file, done: 0, total, shown: None }
    }
}

fn show(text: &str) {
    // A terminal that takes no more is no reason to stop.
    let _ = write!(io::stderr(), "\r\u{1b}[K{text}");
}

impl Read for Progress {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.done += read as u64;
        if let Some(total) = self.total {
            let percent = self.done.saturating_mul(100) / total.max(1);
            if self.shown != Some(percent) {
                self.shown = Some(percent);
                let mebibytes = total >> 20;
                show(&format!("reading the {}: {percent} % of {mebibytes} MiB", self.what));
            }
        }
        Ok(read)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            show("");
        }
    }
}
