//! Follows one direction of an HTTP/1.1 connection without touching it: what each message says, and where it ends.

use std::mem;

/// A head is never longer than this; what is longer is no HTTP.
const MAX_HEAD: usize = 256 * 1024;

/// A request's or response's start line, headers and, where it is JSON, body.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) start: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    fn parse(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Self { start, headers: headers.collect(), body: Vec::new() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The method of a request.
    pub(super) fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The target of a request.
    pub(super) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of a response; 0 when it is none.
    pub(super) fn status(&self) -> u16 {
        let status = self.start.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        status.unwrap_or(0)
    }

    /// The media type without parameters.
    pub(super) fn media_type(&self) -> Option<&str> {
        self.header("content-type").map(|value| value.split(';').next().unwrap_or_default().trim())
    }
}

/// What a head says about the body, for the side that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// As its headers say; without any it is empty.
    Request,
    /// As its headers say; without any it ends with the connection.
    Response,
    /// There is none, whatever the headers say.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length(u64),
    ChunkSize,
    Chunk(u64),
    Trailers,
    UntilClose,
    Lost,
}

/// Follows one direction.
#[derive(Debug)]
pub(super) struct Follower {
    state: State,
    line: Vec<u8>,
    message: Message,
}

impl Follower {
    pub(super) fn new() -> Self {
        Self { state: State::Head, line: Vec::new(), message: Message::default() }
    }

    /// Takes what came next. `body` sees each head that ends in it and says what follows; `done` gets each whole message.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut body: impl FnMut(&Message) -> Body,
        mut done: impl FnMut(Message),
    ) {
        while !bytes.is_empty() {
            match self.state {
                State::Head => {
                    self.line.push(bytes[0]);
                    bytes = &bytes[1..];
                    if self.line.ends_with(b"\r\n\r\n") {
                        self.message = Message::parse(&mem::take(&mut self.line));
                        self.state = state_after(&self.message, body(&self.message));
                    } else if self.line.len() > MAX_HEAD {
                        self.state = State::Lost;
                    }
                }
                State::Length(left) => {
                    let taken = self.take(&mut bytes, left);
                    self.state = State::Length(left - taken);
                }
                State::ChunkSize => {
                    if let Some(line) = self.take_line(&mut bytes) {
                        let size = line.split(';').next().unwrap_or_default().trim();
                        self.state = match u64::from_str_radix(size, 16) {
                            Ok(0) => State::Trailers,
                            // The line break behind the chunk is taken with it.
                            Ok(size) => State::Chunk(size + 2),
                            Err(_) => State::Lost,
                        };
                    }
                }
                State::Chunk(left) => {
                    let taken = self.take(&mut bytes, left);
                    let left = left - taken;
                    self.state = State::Chunk(left);
                    if left == 0 {
                        self.message.body.truncate(self.message.body.len().saturating_sub(2));
                        self.state = State::ChunkSize;
                    }
                }
                State::Trailers => {
                    if self.take_line(&mut bytes).is_some_and(|line| line.is_empty()) {
                        self.state = State::Length(0);
                    }
                }
                State::UntilClose => {
                    self.take(&mut bytes, u64::MAX);
                }
                State::Lost => return,
            }
            if self.state == State::Length(0) {
                self.state = State::Head;
                done(mem::take(&mut self.message));
            }
        }
    }

    /// The connection has ended: the message that ended with it, if one did.
    pub(super) fn end(self) -> Option<Message> {
        (self.state == State::UntilClose).then_some(self.message)
    }

    fn take(&mut self, bytes: &mut &[u8], at_most: u64) -> u64 {
        let length = usize::try_from(at_most).unwrap_or(usize::MAX).min(bytes.len());
        let (taken, rest) = bytes.split_at(length);
        *bytes = rest;
        if self.message.media_type().is_some_and(|kind| kind.ends_with("json")) {
            self.message.body.extend_from_slice(taken);
        }
        length as u64
    }

    fn take_line(&mut self, bytes: &mut &[u8]) -> Option<String> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (taken, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.line.extend_from_slice(taken);
        *bytes = rest;
        end.map(|_| String::from_utf8_lossy(&mem::take(&mut self.line)).trim().to_owned())
    }
}

fn state_after(message: &Message, body: Body) -> State {
    if body == Body::None {
        return State::Length(0);
    }
    if message.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        return State::ChunkSize;
    }
    match (message.header("content-length"), body) {
        (Some(length), _) => length.parse().map_or(State::Lost, State::Length),
        (None, Body::Response) => State::UntilClose,
        (None, _) => State::Length(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}\
        HTTP/1.1 204 No Content\r\n\r\n\
        HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\ntransfer-encoding: chunked\r\n\r\n\
        3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nx: y\r\n\r\n\
        HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[1]";

    fn kind(message: &Message) -> Body {
        if message.status() == 204 { Body::None } else { Body::Response }
    }

    #[test]
    fn messages_end_where_http_says_however_they_arrive() {
        for size in [1, 2, 3, 7, ANSWERS.len()] {
            let mut follower = Follower::new();
            let mut seen = Vec::new();
            for bytes in ANSWERS.chunks(size) {
                follower.feed(bytes, kind, |message| seen.push((message.status(), message.body)));
            }
            let last = follower.end().expect("one ends with the connection");
            seen.push((last.status(), last.body));
            let body = |text: &str| text.as_bytes().to_vec();
            let expected = [(200, body("{}")), (204, body("")), (404, body("{\"a\":1}")), (200, body("[1]"))];
            assert_eq!(seen, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn requests_without_a_length_have_no_body() {
        let mut follower = Follower::new();
        let mut seen = Vec::new();
        let requests = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\nPOST /b HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET /c HTTP/1.1\r\n\r\n";
        follower.feed(
            requests,
            |_| Body::Request,
            |message| {
                seen.push((message.method().to_owned(), message.target().to_owned()));
            },
        );
        let expected = [("GET", "/a"), ("POST", "/b"), ("GET", "/c")];
        assert_eq!(seen, expected.map(|(method, target)| (method.to_owned(), target.to_owned())));
    }
}
