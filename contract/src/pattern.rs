//! The forms of texts that schemas share, as regular expressions of JSON Schema.

/// SHA-256, in lowercase hex.
pub(crate) const SHA256: &str = "^[0-9a-f]{64}$";
/// The identifier of a signing key.
pub(crate) const KEY_ID: &str = "^wk_[0-9a-f]{16}$";
/// The version of a Postgres tool.
pub(crate) const VERSION: &str = "^[0-9A-Za-z.]{1,32}$";
/// An Ed25519 signature, in base64.
pub(crate) const SIGNATURE: &str = "^[A-Za-z0-9+/]{86}==$";
/// Whose audit chain: an organization's, or one job's.
pub(crate) const STREAM_ID: &str = "^(org|bkp|rst)_[0-9a-f]{32}$";
/// A restore token.
pub(crate) const RESTORE_TOKEN: &str = r"^wrt1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$";
/// A challenge for a person to consent to.
pub(crate) const CHALLENGE: &str = r"^wcc1\.[0-9]+\.[A-Za-z0-9_-]{43}$";
/// What a time looks like when it is written. Read are all forms of RFC 3339.
pub(crate) const TIMESTAMP: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$";
/// A compression that can be asked for.
pub(crate) const CODEC: &str = "^(auto|none|zstd:([1-9]|1[0-9]|2[0-2])|gzip:[1-9])$";
/// A place in a list.
pub(crate) const CURSOR: &str = "^[A-Za-z0-9_-]{1,200}$";
/// A public key, SPKI PEM.
pub(crate) const PUBLIC_KEY: &str = "^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn what_is_written_has_the_form_that_the_schema_names() {
        let fits = |pattern: &str, text: &str| {
            let schema = serde_json::json!({"type": "string", "pattern": pattern});
            jsonschema::draft202012::is_valid(&schema, &serde_json::json!(text))
        };
        for millis in [0, 1_769_824_800_000, 253_402_199_999_999] {
            let at = Timestamp::from_millis(millis).expect("in range");
            assert!(fits(TIMESTAMP, &at.to_string()), "{at}");
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(fits(KEY_ID, &crate::manifest::key_id(&key)));
        assert!(fits(SHA256, crate::audit::FIRST_PREV_HASH));
        let payload = crate::token::TokenPayload {
            org_id: crate::OrgId::from_uuid(uuid::Uuid::nil()),
            database_id: crate::DatabaseId::from_uuid(uuid::Uuid::nil()),
            manifest_hash: crate::audit::FIRST_PREV_HASH.to_owned(),
            mode: crate::model::RestoreMode::NewDatabase,
            job_intent_id: crate::RestoreJobId::from_uuid(uuid::Uuid::nil()),
            exp: Timestamp::from_millis(0).expect("in range"),
        };
        assert!(fits(RESTORE_TOKEN, &crate::token::issue(&payload, &[1; 32])));
        for codec in ["auto", "none", "zstd:1", "zstd:22", "gzip:9"] {
            assert!(fits(CODEC, codec), "{codec}");
        }
        for codec in ["", "zstd:0", "zstd:23", "gzip:10", "zstd", "auto:1"] {
            assert!(!fits(CODEC, codec), "{codec}");
        }
    }
}
