//! As much of HTTP/1.1 as a proxy needs: heads as raw bytes, and where a body ends.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::SeenRequest;

const MAX_HEAD: usize = 64 * 1024;

/// A request's or response's start line and headers, as received.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) raw: Vec<u8>,
    start: String,
    headers: Vec<(String, String)>,
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Head {
    /// Reads one; none at a clean end of the connection.
    pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let mut raw = Vec::new();
        loop {
            let before = raw.len();
            let read = reader.read_until(b'\n', &mut raw).await?;
            if read == 0 {
                return if before == 0 { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            if raw.len() > MAX_HEAD {
                return Err(Error::new(ErrorKind::InvalidData, "the head is too long"));
            }
            if matches!(&raw[before..], b"\r\n" | b"\n") {
                break;
            }
        }
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Ok(Some(Self { raw, start, headers }))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Takes a header out, as if the server had not sent it.
    pub(super) fn remove(&mut self, name: &str) {
        let names = |line: &[u8]| line.split(|byte| *byte == b':').next().map(<[u8]>::to_ascii_lowercase);
        let lines = self.raw.split_inclusive(|byte| *byte == b'\n');
        self.raw = lines.filter(|line| names(line).as_deref() != Some(name.as_bytes())).flatten().copied().collect();
    }

    fn says(&self, header: &str, token: &str) -> bool {
        self.header(header).is_some_and(|value| value.to_ascii_lowercase().contains(token))
    }

    /// What a rule can look at.
    pub(super) fn request(&self) -> SeenRequest {
        let mut words = self.start.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let range = self.header("range").map(str::to_owned);
        SeenRequest { method, path: path.to_owned(), query, range, head: self.raw.clone() }
    }

    pub(super) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(super) fn expects_continue(&self) -> bool {
        self.says("expect", "100-continue")
    }

    pub(super) fn closes(&self) -> bool {
        self.says("connection", "close")
    }

    pub(super) fn request_framing(&self) -> Framing {
        self.framing().unwrap_or(Framing::Length(0))
    }

    /// Of the answer to a request with this method.
    pub(super) fn response_framing(&self, method: &str) -> Framing {
        if method == "HEAD" || matches!(self.status(), 100..=199 | 204 | 304) {
            return Framing::Length(0);
        }
        self.framing().unwrap_or(Framing::UntilClose)
    }

    fn framing(&self) -> Option<Framing> {
        if self.says("transfer-encoding", "chunked") {
            return Some(Framing::Chunked);
        }
        self.header("content-length").and_then(|length| length.parse().ok()).map(Framing::Length)
    }
}

/// What to do to a body on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tamper {
    /// Flip a bit of this byte.
    pub(super) flip: Option<u64>,
    /// End with an error after so many bytes.
    pub(super) cut: Option<u64>,
}

/// Copies one body, chunk framing included; positions count bytes of content.
pub(super) async fn copy_body(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    framing: Framing,
    tamper: Tamper,
) -> Result<()> {
    let mut position = 0;
    match framing {
        Framing::Length(length) => copy(reader, writer, Some(length), &mut position, tamper).await?,
        Framing::UntilClose => copy(reader, writer, None, &mut position, tamper).await?,
        Framing::Chunked => loop {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line).await?;
            writer.write_all(&line).await?;
            let text = String::from_utf8_lossy(&line);
            let size = u64::from_str_radix(text.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
            if size == 0 {
                copy_trailers(reader, writer).await?;
                break;
            }
            copy(reader, writer, Some(size), &mut position, tamper).await?;
            let mut end = [0; 2];
            reader.read_exact(&mut end).await?;
            writer.write_all(&end).await?;
        },
    }
    writer.flush().await
}

async fn copy(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    length: Option<u64>,
    position: &mut u64,
    tamper: Tamper,
) -> Result<()> {
    let mut left = length.unwrap_or(u64::MAX);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = reader.read(&mut buffer[..want]).await?;
        if read == 0 {
            return if length.is_none() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        let bytes = &mut buffer[..read];
        let count = read as u64;
        if let Some(at) = tamper.flip.and_then(|at| at.checked_sub(*position)).filter(|at| *at < count) {
            bytes[usize::try_from(at).unwrap_or(0)] ^= 1;
        }
        if let Some(keep) = tamper.cut.map(|cut| cut.saturating_sub(*position)).filter(|keep| *keep <= count) {
            writer.write_all(&bytes[..usize::try_from(keep).unwrap_or(read)]).await?;
            writer.flush().await?;
            return Err(Error::new(ErrorKind::ConnectionAborted, "cut off by a rule"));
        }
        writer.write_all(bytes).await?;
        *position += count;
        left -= count;
    }
    Ok(())
}

async fn copy_trailers(reader: &mut (impl AsyncBufRead + Unpin), writer: &mut (impl AsyncWrite + Unpin)) -> Result<()> {
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        writer.write_all(&line).await?;
        if matches!(line.as_slice(), b"\r\n" | b"\n") {
            return Ok(());
        }
    }
}
