//! The consent of a person to what an agent's key asks for.
//!
//! A challenge is bound to the very request that it was given for, and is good for ten minutes. Nothing is stored: the
//! challenge is an HMAC, which proves by itself that it was issued here. Within its time it passes the same request
//! again, which what is gated bears: a POST is bound to its Idempotency-Key besides, so that one consent opens one
//! restore, and the rest is harmless to repeat.

use axum::RequestExt;
use axum::body::{Body, to_bytes};
use axum::extract::{RawPathParams, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::LengthLimitError;
use sha2::{Digest, Sha256};
use walwarden_contract::capabilities::HumanGate;
use walwarden_contract::error::{CONFIRMATION_HEADER, ConfirmationChallenge};
use walwarden_contract::model::{ClientKind, CreateRestoreRequest};
use walwarden_contract::operations::Operation;
use walwarden_contract::{ApiKeyId, ErrorCode, Timestamp};

use super::auth::Caller;
use super::bounds::BODY_LIMIT;
use super::error::{ApiError, Result};
use super::idempotency::IdempotencyKey;
use super::state::AppState;
use crate::system::after;

/// How long a person has to decide.
const LIFE_MILLIS: i64 = 10 * 60 * 1000;
const PREFIX: &str = "wcc1.";
/// What sets challenges apart from restore tokens, which are made with the same installation key.
const DOMAIN: &[u8] = b"walwarden confirmation challenge v1";

/// What a challenge is bound to.
struct Asked<'a> {
    key: ApiKeyId,
    operation: &'static str,
    /// Path and query, as they were sent.
    target: &'a str,
    /// The `Idempotency-Key`; empty where none is needed.
    idempotency_key: &'a str,
    body: [u8; 32],
}

impl Asked<'_> {
    fn mac(&self, secret: &[u8; 32], expires_at: Timestamp) -> Hmac<Sha256> {
        let new = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        let mut derive = new(secret);
        derive.update(DOMAIN);
        let mut mac = new(&derive.finalize().into_bytes());
        // None of these has a line break in it, so that no two requests make the same text.
        let Self { key, operation, target, idempotency_key, body } = self;
        let text = format!("{key}\n{operation}\n{target}\n{idempotency_key}\n{}\n", expires_at.as_millis());
        mac.update(text.as_bytes());
        mac.update(body);
        mac
    }

    fn challenge(&self, secret: &[u8; 32], expires_at: Timestamp) -> String {
        let tag = URL_SAFE_NO_PAD.encode(self.mac(secret, expires_at).finalize().into_bytes());
        format!("{PREFIX}{}.{tag}", expires_at.as_millis())
    }

    /// Whether the challenge was issued here, for this request, and is still good. Compares in constant time.
    fn is_answered_by(&self, challenge: &str, secret: &[u8; 32], now: Timestamp) -> bool {
        let parts = challenge.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
        let read = parts.and_then(|(millis, tag)| {
            let expires_at = Timestamp::from_millis(millis.parse().ok()?)?;
            Some((expires_at, URL_SAFE_NO_PAD.decode(tag).ok()?))
        });
        let Some((expires_at, tag)) = read else { return false };
        self.mac(secret, expires_at).verify_slice(&tag).is_ok() && now < expires_at
    }
}

/// Refuses what an agent's key asks for until a person has consented to exactly that.
pub(super) async fn require(
    state: &AppState,
    operation: &'static Operation,
    caller: &Caller,
    request: &mut Request,
) -> Result<()> {
    if caller.key.client_kind != ClientKind::McpExternal || operation.gate() != HumanGate::ConfirmationRequired {
        return Ok(());
    }
    let sent = read_body(request).await?;
    let body = Sha256::digest(&sent).into();
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let idempotency_key = request.extensions().get::<IdempotencyKey>().map_or_else(String::new, IdempotencyKey::text);
    let asked =
        Asked { key: caller.key.id, operation: operation.id, target: &target, idempotency_key: &idempotency_key, body };
    let (now, secret) = (state.system.now(), state.keyring.token_key());
    let mut values = request.headers().get_all(CONFIRMATION_HEADER).iter();
    if let (Some(value), None) = (values.next(), values.next())
        && value.to_str().is_ok_and(|challenge| asked.is_answered_by(challenge, secret, now))
    {
        return Ok(());
    }
    let expires_at = after(now, LIFE_MILLIS);
    let challenge = asked.challenge(secret, expires_at);
    let summary = summary(operation, request, &sent).await;
    Err(ApiError::confirmation(ConfirmationChallenge { summary, challenge, expires_at }))
}

/// Reads the body, and leaves it to the handler.
async fn read_body(request: &mut Request) -> Result<Bytes> {
    let body = std::mem::replace(request.body_mut(), Body::empty());
    let bytes = to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            ApiError::of(ErrorCode::PayloadTooLarge)
        } else {
            ApiError::new(ErrorCode::InvalidRequest, "The body could not be read.")
        }
    })?;
    *request.body_mut() = Body::from(bytes.clone());
    Ok(bytes)
}

/// What the request would do, from the contract's words, the ids that it names and the mode of a restore: nothing else
/// that the caller sent, be it a secret or a sentence that asks the person for consent.
async fn summary(operation: &Operation, request: &mut Request, body: &[u8]) -> String {
    let is_id = |text: &str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let parameters = request.extract_parts::<RawPathParams>().await;
    let ids = parameters.iter().flat_map(RawPathParams::iter);
    let shown =
        ids.map(|(name, value)| if is_id(value) { format!("{name} {value}") } else { format!("{name} malformed") });
    let mut shown: Vec<_> = shown.collect();
    if operation.id == "createRestore"
        && let Ok(asked) = serde_json::from_slice::<CreateRestoreRequest>(body)
    {
        shown.push(format!("backupJobId {}, mode {}", asked.backup_job_id, asked.mode.as_str()));
    }
    if shown.is_empty() { operation.summary.to_owned() } else { format!("{}: {}", operation.summary, shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SECRET: [u8; 32] = [3; 32];

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    fn asked(target: &str) -> Asked<'_> {
        let key = ApiKeyId::from_uuid(Uuid::from_u128(1));
        Asked { key, operation: "deleteDatabase", target, idempotency_key: "", body: [7; 32] }
    }

    #[test]
    fn a_challenge_passes_its_own_request_until_it_expires() {
        let challenge = asked("/a?b").challenge(&SECRET, at(1000));
        assert!(asked("/a?b").is_answered_by(&challenge, &SECRET, at(999)));
        assert!(!asked("/a?b").is_answered_by(&challenge, &SECRET, at(1000)), "expired");
        assert!(!asked("/a?b").is_answered_by(&challenge, &[4; 32], at(999)), "issued elsewhere");
        assert!(!asked("/a?c").is_answered_by(&challenge, &SECRET, at(999)), "another path");
        let other_key = Asked { key: ApiKeyId::from_uuid(Uuid::from_u128(2)), ..asked("/a?b") };
        assert!(!other_key.is_answered_by(&challenge, &SECRET, at(999)));
        let other_operation = Asked { operation: "deleteDestination", ..asked("/a?b") };
        assert!(!other_operation.is_answered_by(&challenge, &SECRET, at(999)));
        let other_repetition = Asked { idempotency_key: "another", ..asked("/a?b") };
        assert!(!other_repetition.is_answered_by(&challenge, &SECRET, at(999)));
        let other_body = Asked { body: [8; 32], ..asked("/a?b") };
        assert!(!other_body.is_answered_by(&challenge, &SECRET, at(999)));
        let prolonged = challenge.replace("wcc1.1000.", "wcc1.9000.");
        assert!(!asked("/a?b").is_answered_by(&prolonged, &SECRET, at(999)));
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(position in 0_usize..4096, replacement in "[A-Za-z0-9_.-]") {
            let challenge = asked("/a").challenge(&SECRET, at(1_769_824_800_000));
            let position = position % challenge.len();
            let mut changed = challenge.clone();
            changed.replace_range(position..=position, &replacement);
            prop_assert!(changed == challenge || !asked("/a").is_answered_by(&changed, &SECRET, at(0)));
        }

        #[test]
        fn arbitrary_text_never_passes(text in ".*") {
            prop_assert!(!asked("/a").is_answered_by(&text, &SECRET, at(0)));
            let with_prefix = format!("wcc1.{text}");
            prop_assert!(!asked("/a").is_answered_by(&with_prefix, &SECRET, at(0)));
        }
    }
}
