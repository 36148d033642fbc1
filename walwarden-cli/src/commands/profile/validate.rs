//! `walwarden profile validate`

use walwarden_contract::Open;
use walwarden_contract::model::Profile;

use super::super::{interruptible, to_value};
use crate::config::Source;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::View;

pub(crate) async fn run(context: &Context) -> Result<Report, Failure> {
    let client = context.client()?;
    let profile = interruptible(context, client.get_profile()).await?;
    let (address, key) = (context.config.connection()?.address, context.config.api_key()?);
    let address = format!("{}, from {}", address.value, address.source);
    let human = human(&profile, &address, &key.source, &context.view());
    Ok(Report { data: to_value(&profile), human, next: vec![command(&["database", "list"])] })
}

pub(in crate::commands) fn human(profile: &Profile, address: &str, key: &Source, view: &View) -> String {
    let scopes = text::list(profile.scopes.iter().map(Open::word));
    let expires = profile.expires_at.map_or_else(|| "never".to_owned(), |at| view.time(at));
    view.fields(&[
        ("organization", format!("{} ({})", profile.org_name, profile.org_id).into()),
        ("API key", format!("{} ({}), from {key}", profile.api_key_name, profile.api_key_id).into()),
        ("client kind", profile.client_kind.word().into()),
        ("scopes", scopes.into()),
        ("expires", expires.into()),
        ("address", address.into()),
        ("server", profile.server_version.as_str().into()),
    ])
}
