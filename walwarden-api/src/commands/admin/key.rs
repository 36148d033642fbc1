//! `walwarden-api admin key`: API keys. A key is shown once, when it is issued.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use walwarden_contract::model::ClientKind;
use walwarden_contract::{ApiKeyId, Scope, Timestamp};

use super::context::Context;
use crate::commands::output::{Column, CommandResult, Outcome, details, table};
use crate::registry::check_name;
use crate::secrets::{fingerprint, new_api_key};
use crate::store::api_keys::ApiKey;
use crate::system::after;

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Issue a key, and show it once
    #[command(
        after_help = "Example:\n  walwarden-api admin key issue --name ci --scope databases:read --scope backups:trigger --expires-in-days 90"
    )]
    Issue(IssueArguments),
    /// List keys, revoked ones included
    #[command(after_help = "Example:\n  walwarden-api admin key list --json")]
    List,
    /// Revoke a key, at once and for good
    #[command(after_help = "Example:\n  walwarden-api admin key revoke key_01928c3e5f7a7c3e8d2b4a6f90c1e2d3")]
    Revoke(RevokeArguments),
}

/// The arguments of `key issue`.
#[derive(Debug, Args)]
pub(super) struct IssueArguments {
    /// Name of the key
    #[arg(long)]
    name: String,
    /// What the key may do; give it once per scope
    #[arg(long = "scope", value_name = "SCOPE", required = true, num_args = 1.., value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// Days until the key expires; never when absent
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_in_days: Option<u32>,
    /// What uses the key; an agent from outside is asked for a person's consent where an operation is gated
    #[arg(long, value_name = "KIND", default_value = ClientKind::Service.as_str(), value_parser = client_kinds())]
    client_kind: ClientKind,
}

fn client_kinds() -> impl TypedValueParser<Value = ClientKind> {
    let kind = |text: String| ClientKind::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or_default();
    PossibleValuesParser::new(ClientKind::ALL.map(ClientKind::as_str)).map(kind)
}

/// The arguments of `key revoke`.
#[derive(Debug, Args)]
pub(super) struct RevokeArguments {
    /// The key
    #[arg(value_name = "KEY_ID")]
    id: ApiKeyId,
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue",
            Self::List => "list",
            Self::Revoke(_) => "revoke",
        }
    }
}

const COLUMNS: [Column; 7] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("CLIENT", "clientKind"),
    ("STATE", "state"),
    ("SCOPES", "scopes"),
    ("CREATED", "createdAt"),
    ("EXPIRES", "expiresAt"),
];

fn record(key: &ApiKey, now: Timestamp) -> Value {
    let state = match key {
        ApiKey { revoked_at: Some(_), .. } => "revoked",
        ApiKey { expires_at: Some(expires_at), .. } if *expires_at <= now => "expired",
        _ => "active",
    };
    json!({
        "id": key.id,
        "orgId": key.org_id,
        "name": key.name,
        "clientKind": key.client_kind,
        "scopes": key.scopes,
        "state": state,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
    })
}

pub(super) async fn run(verb: Verb, context: &Context<'_>) -> CommandResult {
    let now = context.system.now();
    match verb {
        Verb::Issue(arguments) => issue(arguments, context, now).await,
        Verb::List => {
            let keys = context.store.api_keys(context.org_id).await?;
            let records: Vec<Value> = keys.iter().map(|key| record(key, now)).collect();
            let text = table(&records, &COLUMNS, "There are no API keys yet.");
            Ok(Outcome::new(json!({ "keys": records }), text))
        }
        Verb::Revoke(RevokeArguments { id }) => {
            let key = context.store.revoke_api_key(context.org_id, id, now).await?;
            Ok(Outcome::new(record(&key, now), format!("Revoked {} ({id}).", key.name)))
        }
    }
}

async fn issue(arguments: IssueArguments, context: &Context<'_>, now: Timestamp) -> CommandResult {
    const DAY_MILLIS: i64 = 86_400_000;
    let IssueArguments { name, mut scopes, expires_in_days, client_kind } = arguments;
    check_name(&name)?;
    scopes.sort_unstable();
    scopes.dedup();
    let text = new_api_key(context.system);
    let key = ApiKey {
        id: ApiKeyId::from_uuid(context.system.uuid()),
        org_id: context.org_id,
        name,
        fingerprint: fingerprint(&text),
        client_kind,
        scopes,
        created_at: now,
        expires_at: expires_in_days.map(|days| after(now, i64::from(days) * DAY_MILLIS)),
        revoked_at: None,
    };
    context.store.create_api_key(&key).await?;
    let mut data = record(&key, now);
    data["key"] = json!(*text);
    let shown = details(
        &data,
        &[
            ("Id", "id"),
            ("Name", "name"),
            ("Client", "clientKind"),
            ("Scopes", "scopes"),
            ("Expires", "expiresAt"),
            ("Key", "key"),
        ],
    );
    let outcome = Outcome::new(data, shown);
    Ok(outcome.warn("the key is shown this once: keep it where only its user can read it"))
}
