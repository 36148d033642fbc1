//! The restore token: `wrt1.` payload `.` HMAC-SHA256, both base64url without padding.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::id::{DatabaseId, OrgId, RestoreJobId};
use crate::model::RestoreMode;
use crate::time::Timestamp;

const PREFIX: &str = "wrt1.";
/// Longer than any token that was ever issued.
const MAX_LENGTH: usize = 2048;

/// What a token grants: one restore of one artifact in one mode, until it expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPayload {
    /// The organization that owns the database.
    pub org_id: OrgId,
    /// The protected database.
    pub database_id: DatabaseId,
    /// The manifest that the artifact must match.
    pub manifest_hash: String,
    /// How the restore treats the target.
    pub mode: RestoreMode,
    /// The restore job, which makes the token single-use.
    pub job_intent_id: RestoreJobId,
    /// When the token expires: one hour after it was issued.
    pub exp: Timestamp,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It does not have the shape of a token.
    #[error("the restore token is malformed")]
    Malformed,
    /// Its HMAC is not ours.
    #[error("the restore token was not issued here")]
    Forged,
    /// It is too old.
    #[error("the restore token has expired")]
    Expired,
}

fn tag(secret: &[u8; 32], payload: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(PREFIX.as_bytes());
    mac.update(payload.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Makes a token.
#[must_use]
pub fn issue(payload: &TokenPayload, secret: &[u8; 32]) -> String {
    let json = serde_json::to_vec(payload).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.encode(json);
    let tag = URL_SAFE_NO_PAD.encode(tag(secret, &payload));
    format!("{PREFIX}{payload}.{tag}")
}

fn split(token: &str) -> Result<(&str, &str), TokenError> {
    let rest = token.strip_prefix(PREFIX).filter(|_| token.len() <= MAX_LENGTH).ok_or(TokenError::Malformed)?;
    rest.split_once('.').ok_or(TokenError::Malformed)
}

/// Reads what a token says, without any proof that it is true. For the restore machine, which holds no secret.
///
/// # Errors
/// [`TokenError::Malformed`].
pub fn read_unverified(token: &str) -> Result<TokenPayload, TokenError> {
    let (payload, _) = split(token)?;
    let json = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

/// Checks a token's HMAC in constant time, whatever its age, and reads it.
///
/// # Errors
/// [`TokenError::Malformed`] or [`TokenError::Forged`].
pub fn authenticate(token: &str, secret: &[u8; 32]) -> Result<TokenPayload, TokenError> {
    let (payload, presented) = split(token)?;
    let presented = URL_SAFE_NO_PAD.decode(presented).map_err(|_| TokenError::Malformed)?;
    if bool::from(presented.ct_eq(&tag(secret, payload))) { read_unverified(token) } else { Err(TokenError::Forged) }
}

impl TokenPayload {
    /// Refuses a token at or after its expiry.
    ///
    /// # Errors
    /// [`TokenError::Expired`].
    pub fn check_fresh(&self, now: Timestamp) -> Result<(), TokenError> {
        if now < self.exp { Ok(()) } else { Err(TokenError::Expired) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SECRET: [u8; 32] = [3; 32];

    fn payload() -> TokenPayload {
        TokenPayload {
            org_id: OrgId::from_uuid(Uuid::from_u128(1)),
            database_id: DatabaseId::from_uuid(Uuid::from_u128(2)),
            manifest_hash: "ab".repeat(32),
            mode: RestoreMode::NewDatabase,
            job_intent_id: RestoreJobId::from_uuid(Uuid::from_u128(3)),
            exp: Timestamp::from_millis(1_769_824_800_000).expect("in range"),
        }
    }

    #[test]
    fn an_issued_token_authenticates_until_it_expires() {
        let token = issue(&payload(), &SECRET);
        let read = authenticate(&token, &SECRET).expect("authentic");
        assert_eq!(read, payload());
        let before = Timestamp::from_millis(1_769_824_799_999).expect("in range");
        assert_eq!(read.check_fresh(before), Ok(()));
        assert_eq!(read.check_fresh(read.exp), Err(TokenError::Expired));
    }

    #[test]
    fn another_secret_is_refused() {
        assert_eq!(authenticate(&issue(&payload(), &[4; 32]), &SECRET), Err(TokenError::Forged));
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(position in 0_usize..4096, replacement in "[A-Za-z0-9_.-]") {
            let token = issue(&payload(), &SECRET);
            let position = position % token.len();
            let mut changed = token.clone();
            changed.replace_range(position..=position, &replacement);
            prop_assert!(changed == token || authenticate(&changed, &SECRET).is_err());
        }

        #[test]
        fn arbitrary_text_never_panics(text in ".*") {
            prop_assert!(authenticate(&text, &SECRET).is_err());
            let _ = read_unverified(&format!("wrt1.{text}"));
        }
    }
}
