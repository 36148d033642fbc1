//! The primitive values of the format, collected across pushes of any size.

use super::ArchiveError;

/// A value the parser asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Exactly this many bytes, at most [`FIXED_LIMIT`].
    Bytes(usize),
    /// A sign byte and an integer.
    Integer,
    /// A string which is kept, of at most this length.
    Text { limit: u64 },
    /// A string which is skipped, of at most this length.
    SkippedText { limit: u64 },
    /// A state byte and a file offset.
    Offset,
    /// This many bytes, unread.
    Skip(u64),
}

/// A value which is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bytes([u8; FIXED_LIMIT]),
    Integer(i64),
    /// `None` is the format's null string.
    Text(Option<String>),
    /// The null string, where strings are skipped.
    Null,
    Offset {
        state: u8,
        offset: u64,
    },
    Skipped,
}

pub(super) const FIXED_LIMIT: usize = 9;

/// Collects one value at a time. Holds nine bytes, or one short string.
#[derive(Debug)]
pub(super) struct FieldReader {
    integer_size: usize,
    offset_size: usize,
    fixed: [u8; FIXED_LIMIT],
    filled: usize,
    /// The string or the bytes to skip, once their length is known.
    body: Option<Body>,
}

#[derive(Debug)]
enum Body {
    Keep { text: Vec<u8>, remaining: u64 },
    Skip { remaining: u64 },
}

impl FieldReader {
    pub(super) fn new() -> Self {
        Self { integer_size: 4, offset_size: 8, fixed: [0; FIXED_LIMIT], filled: 0, body: None }
    }

    pub(super) fn set_sizes(&mut self, integer_size: u8, offset_size: u8) {
        self.integer_size = usize::from(integer_size);
        self.offset_size = usize::from(offset_size);
    }

    /// Whether a value was begun and is not complete.
    pub(super) fn is_within_value(&self) -> bool {
        self.filled > 0 || self.body.is_some()
    }

    /// Takes what it needs off the front of `input`; `None` when more is needed.
    ///
    /// `position` is where `input` starts, for errors.
    pub(super) fn read(&mut self, want: Want, input: &mut &[u8], position: u64) -> Result<Option<Value>, ArchiveError> {
        if self.body.is_none() {
            let Some(body) = self.read_fixed(want, input, position)? else {
                return Ok(None);
            };
            match body {
                Begun::Done(value) => return Ok(Some(value)),
                Begun::Body(body) => self.body = Some(body),
            }
        }
        Ok(self.read_body(input))
    }

    fn read_fixed(&mut self, want: Want, input: &mut &[u8], position: u64) -> Result<Option<Begun>, ArchiveError> {
        let needed = match want {
            Want::Bytes(count) => count.min(FIXED_LIMIT),
            Want::Integer | Want::Text { .. } | Want::SkippedText { .. } => 1 + self.integer_size,
            Want::Offset => 1 + self.offset_size,
            Want::Skip(remaining) => return Ok(Some(Begun::Body(Body::Skip { remaining }))),
        };
        let count = (needed - self.filled).min(input.len());
        let (taken, rest) = input.split_at(count);
        self.fixed[self.filled..self.filled + count].copy_from_slice(taken);
        self.filled += count;
        *input = rest;
        if self.filled < needed {
            return Ok(None);
        }
        self.filled = 0;
        let malformed = |reason| ArchiveError::Malformed { position, reason };
        let begun = match want {
            Want::Bytes(_) | Want::Skip(_) => Begun::Done(Value::Bytes(self.fixed)),
            Want::Integer => Begun::Done(Value::Integer(self.integer().ok_or_else(|| malformed("integer"))?)),
            Want::Offset => {
                let offset = little_endian(&self.fixed[1..needed]);
                Begun::Done(Value::Offset { state: self.fixed[0], offset })
            }
            Want::Text { limit } | Want::SkippedText { limit } => {
                let keep = matches!(want, Want::Text { .. });
                let length = self.integer().ok_or_else(|| malformed("string length"))?;
                match u64::try_from(length) {
                    // The format writes -1 for null; pg_restore takes any negative length for it.
                    Err(_) if keep => Begun::Done(Value::Text(None)),
                    Err(_) => Begun::Done(Value::Null),
                    Ok(length) if length > limit => {
                        return Err(ArchiveError::LimitExceeded { position, limit: "length of a string" });
                    }
                    Ok(remaining) if keep => Begun::Body(Body::Keep { text: Vec::new(), remaining }),
                    Ok(remaining) => Begun::Body(Body::Skip { remaining }),
                }
            }
        };
        Ok(Some(begun))
    }

    fn read_body(&mut self, input: &mut &[u8]) -> Option<Value> {
        let body = self.body.as_mut()?;
        let (Body::Keep { remaining, .. } | Body::Skip { remaining }) = body;
        let count = usize::try_from(*remaining).unwrap_or(usize::MAX).min(input.len());
        let (taken, rest) = input.split_at(count);
        *remaining -= count as u64;
        *input = rest;
        let done = *remaining == 0;
        if let Body::Keep { text, .. } = body {
            text.extend_from_slice(taken);
        }
        if !done {
            return None;
        }
        Some(match self.body.take()? {
            Body::Keep { text, .. } => Value::Text(Some(String::from_utf8_lossy(&text).into_owned())),
            Body::Skip { .. } => Value::Skipped,
        })
    }

    fn integer(&self) -> Option<i64> {
        let magnitude = i64::try_from(little_endian(&self.fixed[1..=self.integer_size])).ok()?;
        match self.fixed[0] {
            0 => Some(magnitude),
            1 => Some(-magnitude),
            _ => None,
        }
    }
}

enum Begun {
    Done(Value),
    Body(Body),
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}
