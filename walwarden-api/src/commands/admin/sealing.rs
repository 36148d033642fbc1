//! `walwarden-api admin secret`: how stored secrets are sealed.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use crate::commands::output::{Column, CommandResult, Failure, Outcome, table};
use crate::registry::resealing::{ResealError, reseal_all};
use walwarden_contract::ErrorCode;

const COLUMNS: [Column; 3] =
    [("ORGANIZATION", "organizationId"), ("DESTINATIONS", "destinations"), ("DATABASES", "databases")];

/// What can be done with stored secrets.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Seal every stored secret again with the newest sealing key, so that the keys before it can go
    #[command(after_help = "Example:\n  walwarden-api admin secret rotate --json")]
    Rotate,
}

impl Verb {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
        }
    }
}

impl From<ResealError> for Failure {
    fn from(error: ResealError) -> Self {
        match error {
            ResealError::Sealed { .. } => Self::new(ErrorCode::ConfigInvalid, error.to_string()),
            ResealError::Store(error) => error.into(),
        }
    }
}

pub(super) async fn run(verb: &Verb, context: &Context<'_>) -> CommandResult {
    let Verb::Rotate = verb;
    let keyring = context.keyring()?;
    let mut records: Vec<Value> = Vec::new();
    // The keys are the installation's, so all of its organizations are done.
    for organization in context.store.organizations().await? {
        let done = reseal_all(&context.store, context.system, keyring.sealer(), organization.id).await?;
        records.push(json!({
            "organizationId": organization.id,
            "destinations": done.destinations,
            "databases": done.databases,
        }));
    }
    let key_id = keyring.sealer().key_id();
    let text = format!(
        "{}\n\nEvery stored secret is sealed with the key {key_id}.",
        table(&records, &COLUMNS, "There are no organizations yet.")
    );
    Ok(Outcome::new(json!({ "keyId": key_id, "organizations": records }), text))
}
