//! `walwarden-api admin signing-key`: which key signs, how another takes over, how one is revoked.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use walwarden_contract::{ErrorCode, Timestamp};

use super::context::Context;
use crate::commands::output::{Column, CommandResult, Failure, Outcome, details, table};
use crate::registry::signing_keys::{NewKey, Rotated, SigningKeyError, revoke, rotate};
use crate::secrets::KeyHistory;

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Let a new key sign; the old one says so, and what it signed stays valid
    #[command(
        after_help = "Examples:\n  walwarden-api admin signing-key rotate\n  walwarden-api admin signing-key rotate --to-key-file /run/keys/signing-2.pem\n  walwarden-api admin signing-key rotate --to-key-label walwarden-2 --json"
    )]
    Rotate(RotateArguments),
    /// Declare an earlier key untrusted: only what was completed before counts
    #[command(
        after_help = "Example:\n  walwarden-api admin signing-key revoke wk_0011223344556677 --reason \"laptop stolen\" --at 2026-01-31T02:00:00Z"
    )]
    Revoke(RevokeArguments),
    /// List the keys that sign and signed, oldest first
    #[command(after_help = "Example:\n  walwarden-api admin signing-key list --json")]
    List,
}

/// The arguments of `signing-key rotate`.
#[derive(Debug, Args)]
pub(super) struct RotateArguments {
    /// Write the new key to this file, or take it from there if it never signed; the old file stays as it is
    #[arg(long, value_name = "PATH", conflicts_with = "to_key_label")]
    to_key_file: Option<PathBuf>,
    /// Make the new key in the PKCS#11 token under this label, or take it from there if it never signed
    #[arg(long, value_name = "LABEL")]
    to_key_label: Option<String>,
}

/// The arguments of `signing-key revoke`.
#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// The key
    #[arg(value_name = "KEY_ID")]
    key_id: String,
    /// Why; everybody who holds evidence can read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Since when it is not to be trusted; now when absent
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Rotate(_) => "rotate",
            Self::Revoke(_) => "revoke",
            Self::List => "list",
        }
    }
}

impl From<SigningKeyError> for Failure {
    fn from(error: SigningKeyError) -> Self {
        let code = match error {
            SigningKeyError::Store(error) => return error.into(),
            SigningKeyError::Sign(_) => ErrorCode::SigningFailed,
            SigningKeyError::Busy => ErrorCode::ServiceUnavailable,
            SigningKeyError::Overtaken => ErrorCode::ResourceInUse,
            SigningKeyError::Refused(_) => ErrorCode::UsageError,
            SigningKeyError::Missing(_) => ErrorCode::NotFound,
            SigningKeyError::Keyring(_)
            | SigningKeyError::Unknown { .. }
            | SigningKeyError::Retired { .. }
            | SigningKeyError::File { .. } => ErrorCode::ConfigInvalid,
        };
        Self::new(code, error.to_string())
    }
}

const COLUMNS: [Column; 6] = [
    ("KEY", "keyId"),
    ("STATE", "state"),
    ("KEPT IN", "keptIn"),
    ("SINCE", "createdAt"),
    ("RETIRED", "retiredAt"),
    ("REVOKED", "revokedAt"),
];

/// Where the server publishes a key.
fn published_at(keys: &KeyHistory, key_id: &str) -> Option<String> {
    let key = keys.key(key_id)?;
    let earlier = || keys.published().into_iter().find(|(_, other)| *other == key).map(|(name, _)| name);
    let name = if keys.current() == key { Some("walwarden-pubkey.pem".to_owned()) } else { earlier() };
    name.map(|name| format!("/.well-known/{name}"))
}

fn records(keys: &KeyHistory) -> Vec<Value> {
    let record = |(key, trusted): (&crate::store::signing_keys::KnownKey, bool)| {
        json!({
            "keyId": key.key_id,
            "state": key.state,
            "trusted": trusted,
            "keptIn": key.kept_in,
            "createdAt": key.created_at,
            "retiredAt": key.retired_at,
            "revokedAt": key.revoked_at,
            "reason": key.revocation.as_ref().map(|statement| statement["reason"].clone()),
            "publicKeyPem": key.public_key,
            "publishedAt": published_at(keys, &key.key_id),
        })
    };
    keys.all().map(record).collect()
}

pub(super) async fn run(verb: Verb, context: &Context<'_>) -> CommandResult {
    // Every one of them begins as a server does: with the current key, and with an interrupted rotation finished.
    let keyring = context.signing_keyring().await?;
    match verb {
        Verb::List => {
            let records = records(&*keyring.history(&context.store).await?);
            let text = table(&records, &COLUMNS, "There are no signing keys yet.");
            Ok(Outcome::new(json!({ "signingKeys": records }), text))
        }
        Verb::Rotate(RotateArguments { to_key_file, to_key_label }) => {
            let to = match (to_key_file, to_key_label) {
                (Some(path), _) => NewKey::File(path),
                (None, Some(label)) => NewKey::Token(label),
                (None, None) => NewKey::InPlace,
            };
            let sources = &context.settings().keys;
            let rotated = rotate(sources, keyring.signer(), &context.store, context.system, &to).await?;
            Ok(shown(&rotated, &to, &*keyring.history(&context.store).await?))
        }
        Verb::Revoke(RevokeArguments { key_id, reason, at }) => {
            let done = revoke(&keyring, &context.store, context.system, &key_id, &reason, at).await?;
            let statement = &done.statement;
            let data = json!({
                "keyId": statement.key_id,
                "reason": statement.reason,
                "revokedAt": statement.revoked_at,
                "signedBy": statement.signed_by,
                "organizations": done.organizations,
            });
            let text = format!(
                "Revoked {key_id}. What it signed counts if it was completed before {}; backups of later are shown as not verifiable.",
                statement.revoked_at
            );
            Ok(Outcome::new(data, text)
                .warn("a server that still signs with this key makes no more backups until it is started again")
                .then(&["walwarden-api", "admin", "reconcile"]))
        }
    }
}

fn shown(rotated: &Rotated, to: &NewKey, keys: &KeyHistory) -> Outcome {
    let Rotated { statement, kept_in, previous_file, organizations } = rotated;
    let data = json!({
        "keyId": statement.key_id,
        "previousKeyId": statement.previous_key_id,
        "rotatedAt": statement.rotated_at,
        "keptIn": kept_in,
        "previousKeyFile": previous_file.as_ref().map(|path| path.display().to_string()),
        "publicKeyPem": statement.public_key,
        "previousPublishedAt": published_at(keys, &statement.previous_key_id),
        "organizations": organizations,
    });
    let columns = [
        ("Signing key", "keyId"),
        ("Kept in", "keptIn"),
        ("Key before", "previousKeyId"),
        ("Published at", "previousPublishedAt"),
        ("Its private half", "previousKeyFile"),
    ];
    let mut text = details(&data, &columns);
    text.push_str(match to {
        NewKey::InPlace => {
            "\n\nBring the new key to every machine that runs a server before that server is started again. When all of them have been, the \
             private half of the key before serves no purpose: delete it, or keep it offline."
        }
        NewKey::File(_) => "\n\nName the new file with --signing-key-file (WALWARDEN_SIGNING_KEY_FILE) before a server is started again.",
        NewKey::Token(_) => {
            "\n\nName the new key with --pkcs11-key-label (WALWARDEN_PKCS11_KEY_LABEL) before a server is started again."
        }
    });
    Outcome::new(data, text)
        .warn("servers that run go on with the key before until they are started again; what they sign stays valid")
}
