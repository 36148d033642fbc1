//! What comes back from a call: a document, an archive, or the reason why there is none.

use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use walwarden_contract::text::{REDACTED, is_deceptive, redact};
use walwarden_contract::{ErrorBody, ErrorCode, Open};

use crate::error::Error;
use crate::http::transport_text;
use crate::retry::Failure;

/// No document of the API is larger: a manifest has at most 10,000 part checksums.
pub(super) const MAX_DOCUMENT_BYTES: usize = 32 << 20;
/// No archive of the API is larger.
pub(super) const MAX_ARCHIVE_BYTES: usize = 64 << 20;
const MAX_MESSAGE_CHARS: usize = 2000;
/// No code and no scope is longer.
const MAX_WORD_CHARS: usize = 64;
const REQUEST_ID: &str = "x-request-id";

/// Reads a body whole, up to a bound.
pub(super) async fn read(mut response: reqwest::Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > max_bytes {
            let message = format!("The API's answer is larger than the {max_bytes} bytes that are taken.");
            return Err(unexpected(message));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The document in a body.
pub(super) fn document<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        // Where JSON does not fit, without repeating any of it.
        let (category, line, column) = (error.classify(), error.line(), error.column());
        let text = format!(
            "The API answered with a body that does not fit: {category:?} error at line {line} column {column}."
        );
        let body = ErrorBody::new(ErrorCode::UnexpectedResponse, text);
        Failure { error: Error::Decode(Box::new(body)), repeat: false }
    })
}

/// What an answer says that is no success.
pub(super) fn failure(secret: &SecretString, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let retry_after_ms = header(RETRY_AFTER.as_str()).and_then(|value| retry_after_ms(value, header(DATE.as_str())));
    let request_id = header(REQUEST_ID).map(|id| clean(secret, id));
    if let Ok(mut body) = serde_json::from_slice::<ErrorBody>(body) {
        body.code = tame(secret, body.code);
        body.required_scope = body.required_scope.map(|scope| tame(secret, scope));
        body.message = clean(secret, &body.message);
        body.next_action = clean(secret, &body.next_action);
        body.docs = clean(secret, &body.docs);
        if let Some(confirmation) = &mut body.confirmation {
            confirmation.summary = clean(secret, &confirmation.summary);
            confirmation.challenge = clean(secret, &confirmation.challenge);
        }
        body.retry_after_ms = body.retry_after_ms.or(retry_after_ms);
        body.request_id = body.request_id.map(|id| clean(secret, &id)).or(request_id);
        return Failure::answered(Error::Api(Box::new(body)));
    }
    let code = match status.as_u16() {
        429 => ErrorCode::RateLimited,
        500..=599 => ErrorCode::ServiceUnavailable,
        _ => ErrorCode::UnexpectedResponse,
    };
    let message = format!("The API's address answered {status}, and not in the way a Walwarden API does.");
    let body = ErrorBody { retry_after_ms, request_id, ..ErrorBody::new(code, message) };
    Failure { error: Error::Unexpected(Box::new(body)), repeat: matches!(status.as_u16(), 429 | 502 | 503 | 504) }
}

/// `Retry-After` in milliseconds: seconds, or a date, which is counted from the answer's own.
fn retry_after_ms(value: &str, date: Option<&str>) -> Option<u64> {
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let instant = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp().as_millisecond());
    let wait = instant(value)?.saturating_sub(instant(date?)?);
    Some(u64::try_from(wait).unwrap_or(0))
}

/// A failure on the way, of which the server may know nothing.
pub(super) fn lost(error: reqwest::Error) -> Failure {
    let timed_out = error.is_timeout();
    Failure::transport(if timed_out {
        Error::new(ErrorCode::Timeout, "The API did not answer in time.")
    } else {
        let text = transport_text(error);
        Error::new(ErrorCode::NetworkError, format!("The Walwarden API cannot be reached: {text}."))
    })
}

fn unexpected(message: String) -> Failure {
    Failure { error: Error::new(ErrorCode::UnexpectedResponse, message), repeat: false }
}

/// A word that this version does not know, when it is one: short, plain, and no secret.
fn tame<T>(secret: &SecretString, word: Open<T>) -> Open<T> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_:.-".contains(character);
    match word {
        Open::Unknown(word)
            if word.len() > MAX_WORD_CHARS || !word.chars().all(plain) || clean(secret, &word) != word =>
        {
            Open::Unknown("unrecognized".to_owned())
        }
        word => word,
    }
}

/// What a server says is shown on terminals: without characters that do more than show, and never with our own secret in
/// it, nor with what looks like anybody's.
fn clean(secret: &SecretString, text: &str) -> String {
    let text: String = text.chars().filter(|character| !is_deceptive(*character)).take(MAX_MESSAGE_CHARS).collect();
    redact(&text.replace(secret.expose_secret(), REDACTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_none_are_not_repeated() {
        let own = SecretString::from("s3cr3t");
        let tamed = |word: &str| tame::<ErrorCode>(&own, Open::Unknown(word.to_owned())).word();
        assert_eq!(tamed("quota_exhausted"), "quota_exhausted");
        let long = "x".repeat(65);
        for word in ["s3cr3t", "a b", "x\u{1b}[2J", &long, "wrt1.e30.x", &format!("wal_{}", "0".repeat(64))] {
            assert_eq!(tamed(word), "unrecognized", "{word}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_not_repeated_whoever_it_belongs_to() {
        let (own, key) = (SecretString::from("s3cr3t"), format!("wal_{}", "0a".repeat(32)));
        let said = format!("s3cr3t, '{key}' ({key}) pass\u{200b}word=x walwarden\u{1b}[2J\u{202e}!");
        let shown = "[redacted], '[redacted]' ([redacted]) password=[redacted] walwarden[2J!";
        assert_eq!(clean(&own, &said), shown);
    }
}
