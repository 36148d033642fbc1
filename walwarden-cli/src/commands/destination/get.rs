//! `walwarden destination get`

use walwarden_contract::DestinationId;
use walwarden_contract::model::Destination;

use super::super::{interruptible, to_value};
use super::{encryption, lock};
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;
use crate::output::view::View;

pub(crate) async fn run(context: &Context, id: DestinationId) -> Result<Report, Failure> {
    let client = context.client()?;
    let destination = interruptible(context, client.get_destination(id)).await?;
    let human = human(&destination, &context.view());
    Ok(Report { data: to_value(&destination), human, next: Vec::new() })
}

pub(in crate::commands) fn human(destination: &Destination, view: &View) -> String {
    view.fields(&[
        ("id", destination.id.to_string().into()),
        ("name", destination.name.as_str().into()),
        ("provider", destination.provider.word().into()),
        ("endpoint", text::or_dash(destination.endpoint.as_ref()).into()),
        ("region", destination.region.as_str().into()),
        ("bucket", destination.bucket.as_str().into()),
        ("addressing", destination.addressing.word().into()),
        ("checksums", destination.checksum_mode.word().into()),
        ("lock", lock(destination).into()),
        ("encryption", encryption(destination)),
        ("role", text::or_dash(destination.role_arn.as_ref()).into()),
        ("state", destination.state.word().into()),
        ("verified", view.time_or_dash(destination.verified_at).into()),
        ("failed checks", text::or_dash(failed(destination)).into()),
        ("added", view.time(destination.created_at).into()),
        ("updated", view.time(destination.updated_at).into()),
    ])
}

fn failed(destination: &Destination) -> Option<String> {
    let failed = &destination.preflight.as_ref()?.failed;
    let words: Vec<_> = failed.iter().map(|check| format!("{} ({})", check.id.word(), check.code.word())).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
