//! `walwarden profile validate`

use walwarden_contract::Open;

use super::super::{interruptible, to_value};
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context) -> Result<Report, Failure> {
    let client = context.client()?;
    let profile = interruptible(context, client.get_profile()).await?;
    let (address, key) = (context.config.connection()?.address, context.config.api_key()?);
    let scopes: Vec<String> = profile.scopes.iter().map(Open::word).collect();
    let human = text::fields(&[
        ("organization", format!("{} ({})", profile.org_name, profile.org_id)),
        ("API key", format!("{} ({}), from {}", profile.api_key_name, profile.api_key_id, key.source)),
        ("address", format!("{}, from {}", address.value, address.source)),
        ("scopes", scopes.join(", ")),
        ("expires", text::or_dash(profile.expires_at)),
        ("server", profile.server_version.clone()),
    ]);
    Ok(Report { data: to_value(&profile), human, next: vec![command(&["database", "list"])] })
}
