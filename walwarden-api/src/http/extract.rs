//! Reading requests: ids in paths, pages, JSON bodies. Whatever does not fit is refused with a code of the catalog.

use std::str::FromStr;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use walwarden_contract::ErrorCode;
use walwarden_contract::page::{DEFAULT_LIMIT, MAX_LIMIT, PageQuery};

use super::error::{ApiError, Result};
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

/// Which page of a list: how many items, after which one.
pub(super) struct Page<T> {
    pub(super) limit: u32,
    pub(super) after: Option<T>,
}

impl<T> Page<T> {
    /// Cuts what was read (one more than asked for) to the page, and says where the next one begins.
    pub(super) fn cut<I>(&self, mut items: Vec<I>, id: impl Fn(&I) -> String) -> (Vec<I>, Option<String>) {
        let limit = self.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(id);
        (items, next)
    }
}

impl<T: FromStr> FromRequestParts<AppState> for Page<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
        let query = Query::<PageQuery>::from_request_parts(parts, state).await;
        let Query(PageQuery { limit, cursor }) =
            query.map_err(|_| invalid("The query parameters are limit (1 to 200) and cursor, each at most once."))?;
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(invalid("limit is a whole number from 1 to 200."));
        }
        let after = cursor.map(|cursor| cursor.parse());
        let after = after.transpose().map_err(|_| invalid("cursor is not a nextCursor of this list."))?;
        Ok(Self { limit, after })
    }
}

/// A JSON body, and the hash by which an Idempotency-Key is bound to it. An absent body counts as an empty object.
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

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &AppState) -> Result<Self> {
        let json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unreadable(&rejection))?;
        let value = if bytes.is_empty() {
            Value::Object(serde_json::Map::new())
        } else if json {
            // The parser's message names a line and a column, never the content.
            serde_json::from_slice(&bytes)
                .map_err(|error| ApiError::new(ErrorCode::InvalidRequest, format!("The body is not JSON: {error}.")))?
        } else {
            return Err(ApiError::of(ErrorCode::UnsupportedMediaType));
        };
        // A list would pass for an object whose members stand in the right order.
        if !value.is_object() {
            return Err(ApiError::new(ErrorCode::UnprocessableRequest, "The body is not a JSON object."));
        }
        let malformed = |_| ApiError::new(ErrorCode::InvalidRequest, "The body has no canonical form.");
        let hash = hex::encode(Sha256::digest(serde_json_canonicalizer::to_vec(&value).map_err(malformed)?));
        let value = serde_json::from_value(value).map_err(|error| {
            ApiError::new(ErrorCode::UnprocessableRequest, format!("The body does not fit: {error}."))
        })?;
        Ok(Self { value, hash })
    }
}

/// The body of an operation that takes none.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}
