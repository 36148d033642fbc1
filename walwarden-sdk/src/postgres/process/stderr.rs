//! What a tool said on stderr, within bounds: its first and its last lines.

use std::collections::VecDeque;
use std::fmt::Write as _;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::redact;

/// The cause tends to be in the first lines, the consequence in the last.
const HEAD_BYTES: usize = 16 << 10;
const TAIL_BYTES: usize = 48 << 10;
const LINE_BYTES: usize = 8 << 10;

/// Called with each line, already redacted.
pub(super) type LineObserver = Box<dyn FnMut(&str) + Send>;

/// Collects redacted lines, forgetting those in the middle.
pub(super) struct Stderr {
    secrets: Vec<SecretString>,
    observer: Option<LineObserver>,
    line: Vec<u8>,
    head: String,
    tail: VecDeque<String>,
    tail_bytes: usize,
    omitted: u64,
}

impl Stderr {
    pub(super) fn new(secrets: Vec<SecretString>, observer: Option<LineObserver>) -> Self {
        Self {
            secrets,
            observer,
            line: Vec::new(),
            head: String::new(),
            tail: VecDeque::new(),
            tail_bytes: 0,
            omitted: 0,
        }
    }

    /// Reads to the end; a read error ends the text like an end of file.
    pub(super) async fn collect(mut self, mut pipe: impl AsyncRead + Unpin) -> String {
        let mut buffer = vec![0; 8 << 10];
        while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
            self.push(&buffer[..count]);
        }
        self.finish()
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            let room = LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_line();
            }
        }
    }

    pub(super) fn finish(mut self) -> String {
        if !self.line.is_empty() {
            self.end_line();
        }
        let mut text = self.head;
        if self.omitted > 0 {
            let _ = writeln!(text, "[{} lines left out]", self.omitted);
        }
        self.tail.iter().for_each(|line| {
            text.push_str(line);
            text.push('\n');
        });
        text
    }

    fn end_line(&mut self) {
        let line = redact(&String::from_utf8_lossy(&self.line), &self.secrets);
        self.line.clear();
        if let Some(observer) = &mut self.observer {
            observer(&line);
        }
        if self.tail.is_empty() && self.omitted == 0 && self.head.len() + line.len() < HEAD_BYTES {
            self.head.push_str(&line);
            self.head.push('\n');
            return;
        }
        self.tail_bytes += line.len() + 1;
        self.tail.push_back(line);
        while self.tail_bytes > TAIL_BYTES {
            let Some(oldest) = self.tail.pop_front() else { break };
            self.tail_bytes -= oldest.len() + 1;
            self.omitted += 1;
        }
    }
}
