//! `walwarden destination get`

use walwarden_contract::DestinationId;

use super::super::{interruptible, to_value};
use super::lock;
use crate::context::{Context, Report};
use crate::failure::Failure;
use crate::output::text;

pub(crate) async fn run(context: &Context, id: DestinationId) -> Result<Report, Failure> {
    let client = context.client()?;
    let destination = interruptible(context, client.get_destination(id)).await?;
    let human = text::fields(&[
        ("id", destination.id.to_string()),
        ("name", destination.name.clone()),
        ("provider", destination.provider.word()),
        ("endpoint", text::or_dash(destination.endpoint.as_ref())),
        ("region", destination.region.clone()),
        ("bucket", destination.bucket.clone()),
        ("addressing", destination.addressing.word()),
        ("checksums", destination.checksum_mode.word()),
        ("lock", lock(&destination)),
        ("updated", destination.updated_at.to_string()),
    ]);
    Ok(Report { data: to_value(&destination), human, next: Vec::new() })
}
