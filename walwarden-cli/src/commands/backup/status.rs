//! `walwarden backup status`

use walwarden_contract::BackupJobId;

use super::super::{interruptible, to_value};
use super::{describe, next_of};
use crate::context::{Context, Report};
use crate::failure::Failure;

pub(crate) async fn run(context: &Context, id: BackupJobId) -> Result<Report, Failure> {
    let client = context.client()?;
    let backup = interruptible(context, client.get_backup(id)).await?;
    let (human, next) = (describe(&backup, &context.view()), next_of(&backup));
    Ok(Report { data: to_value(&backup), human, next })
}
