//! Bearer API keys. Whatever is wrong with one, the answer is the same.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use walwarden_contract::{ErrorCode, OrgId};

use super::error::{ApiError, Result};
use super::state::AppState;
use crate::secrets::fingerprint;
use crate::store::api_keys::ApiKey;

/// The API key that a request came with.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) key: ApiKey,
}

impl Caller {
    pub(super) const fn org_id(&self) -> OrgId {
        self.key.org_id
    }
}

/// The text after `Bearer`, if there is exactly one such header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(text)
}

/// Finds the key. What is looked up is a hash, so the time it takes tells nothing about any key; and it is looked up
/// whatever was presented, so the time does not tell a malformed key from an unknown one either.
pub(super) async fn authenticate(state: &AppState, headers: &HeaderMap) -> Result<Caller> {
    let presented = fingerprint(bearer(headers).unwrap_or_default());
    let now = state.system.now();
    let found = state.store.api_key_by_fingerprint(&presented).await?;
    let valid =
        found.filter(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|expires_at| now < expires_at));
    valid.map(|key| Caller { key }).ok_or_else(|| ApiError::of(ErrorCode::Unauthorized))
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::internal("a handler asks for an API key where the contract names none"))
    }
}
