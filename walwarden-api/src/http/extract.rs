//! Reading requests: ids in paths, pages, JSON bodies. Whatever does not fit is refused with a code of the catalog.

use std::str::FromStr;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use sha2::{Digest, Sha256};
use walwarden_contract::ErrorCode;

use super::error::{ApiError, Result};
pub(super) use super::page::Page;
use super::state::AppState;

/// The one id in the path. A malformed one names nothing, like an unknown one.
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<AppState> for Id<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let id = text.ok().and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or_else(|| ApiError::not_found("record"))
    }
}

/// A JSON body, and the hash by which an Idempotency-Key is bound to it. An absent body counts as an empty object, and
/// the hash is one of what the body means: members in another order, or left out where that says the same, are no other
/// request. A member that is there twice is refused.
pub(super) struct Body<T> {
    pub(super) value: T,
    pub(super) hash: String,
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn unreadable(rejection: &BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(ErrorCode::PayloadTooLarge, "The body is larger than 64 KiB."),
        _ => ApiError::new(ErrorCode::InvalidRequest, "The body could not be read."),
    }
}

/// Reads an object. What does not fit is named by its member, not by its value, which may be a secret.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let malformed = |what: &dyn std::fmt::Display| {
        ApiError::new(ErrorCode::InvalidRequest, format!("The body is not JSON: {what}."))
    };
    let misfit = |what: &str| ApiError::new(ErrorCode::UnprocessableRequest, format!("The body does not fit: {what}."));
    let text = std::str::from_utf8(bytes).map_err(|_| malformed(&"it is not UTF-8"))?;
    // The parser's message about a syntax names a line and a column, never the content.
    let check = || serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(&error));
    // A list would pass for an object whose members stand in the right order.
    if !text.trim_ascii_start().starts_with('{') {
        check()?;
        return Err(misfit("it is not an object"));
    }
    // Syntax first: what comes after a misfit is not read any more.
    check()?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let member = error.path().to_string();
        let message = without_values(&error.into_inner().to_string());
        // At the root, serde's own message names the member that is missing, unknown or there twice.
        if member == "." { misfit(&message) } else { misfit(&format!("{member}: {message}")) }
    })
}

/// Takes what the caller sent out of serde's message, and leaves what was expected.
fn without_values(message: &str) -> String {
    const EXPECTED: &str = ", expected ";
    // The last one is serde's own: what it expects is never the caller's text.
    let (found, expected) = message.rsplit_once(EXPECTED).unwrap_or((message, ""));
    let kind = |found: &str| found.split([' ', '`', '"']).next().unwrap_or_default().to_owned();
    let found = if let Some(found) = found.strip_prefix("invalid type: ") {
        format!("invalid type: {}", kind(found))
    } else if let Some(found) = found.strip_prefix("invalid value: ") {
        format!("invalid value: {}", kind(found))
    } else if found.starts_with("unknown variant ") {
        "unknown variant".to_owned()
    } else {
        found.to_owned()
    };
    if expected.is_empty() { found } else { format!("{found}{EXPECTED}{expected}") }
}

impl<T: DeserializeOwned + Serialize> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        if !bytes.is_empty() && !json {
            return Err(ApiError::of(ErrorCode::UnsupportedMediaType));
        }
        let value = parse(if bytes.is_empty() { b"{}" } else { &bytes })?;
        let canonical = serde_json_canonicalizer::to_vec(&value).map_err(ApiError::internal)?;
        Ok(Self { value, hash: hex::encode(Sha256::digest(canonical)) })
    }
}

/// The body of an operation that takes none.
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[cfg(test)]
mod tests {
    use walwarden_contract::model::CreateDestinationRequest;

    use super::*;

    #[test]
    fn a_misfit_is_named_by_its_member_and_never_by_its_value() {
        let said = |body: &str| match parse::<CreateDestinationRequest>(body.as_bytes()) {
            Ok(request) => panic!("{body} was taken: {request:?}"),
            Err(error) => error.message().to_owned(),
        };
        let cases = [
            (r#"{"name":"n","provider":"hunter2","bucket":"b"}"#, "provider"),
            (r#"{"name":"n","provider":"aws","bucket":"b","retentionFloorDays":"hunter2"}"#, "retentionFloorDays"),
            (r#"{"name":"n","secretAccessKey":["hunter2"]}"#, "secretAccessKey"),
            (r#"{"name":"n","provider":"aws"}"#, "bucket"),
            (r#"{"nmae":"hunter2"}"#, "nmae"),
        ];
        for (body, member) in cases {
            let said = said(body);
            assert!(said.contains(member) && !said.contains("hunter2"), "{body}: {said}");
        }
    }
}
