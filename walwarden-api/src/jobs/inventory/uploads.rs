//! Uploads that nobody will complete.

use walwarden_contract::Timestamp;
use walwarden_contract::model::InventoryFindingCode as Code;

use super::Stop;
use super::findings::Findings;
use super::merging::Comparison;
use super::place;
use crate::engine::storage::ListedUpload;
use crate::store::StoreError;
use crate::system::after;

/// An upload that is this young may be somebody's who looks at the bucket right now.
const YOUNG_MILLIS: i64 = 3_600_000;

pub(super) async fn compare(of: &Comparison<'_>, prefix: &str, findings: &mut Findings) -> Result<(), Stop> {
    let mut marker = None;
    loop {
        let (page, next) = of.bucket.uploads_page(prefix, marker).await?;
        for upload in page {
            if is_left(of, &upload).await? && is_there(of, &upload).await? {
                let begun = upload.initiated_at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
                let evidence = format!("Begun at {begun}; no backup that runs owns it.");
                let about = match place::read(of.org_id, &upload.key) {
                    Some(place) => of.about(place.database_id, place.job_id, &upload.key),
                    None => of.about_key(&upload.key),
                };
                findings.add(Code::LeftoverUpload, about, evidence);
            }
        }
        if next.is_none() {
            return Ok(());
        }
        marker = next;
    }
}

async fn is_left(of: &Comparison<'_>, upload: &ListedUpload) -> Result<bool, Stop> {
    let Some(place) = place::read(of.org_id, &upload.key) else {
        let young = after(of.keeper.system.now(), -YOUNG_MILLIS);
        return Ok(upload.initiated_at.is_none_or(|at: Timestamp| at < young));
    };
    match of.keeper.store.backup(of.org_id, place.job_id).await {
        // Whoever called a job off, or took it from a dead worker, aborts its uploads a moment later.
        Ok(job) => Ok(job.state().is_terminal() && job.lease_expires_at.is_none()),
        Err(StoreError::Missing(_)) => Ok(true),
        // Whether it was needed is not known: that the record cannot be read is a finding of its own.
        Err(StoreError::Corrupt(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether it is unfinished still: it may have been completed, or given up, since it was listed.
async fn is_there(of: &Comparison<'_>, upload: &ListedUpload) -> Result<bool, Stop> {
    let mut marker = None;
    loop {
        let (page, next) = of.bucket.uploads_page(&upload.key, marker).await?;
        if page.iter().any(|it| it.id == upload.id) {
            return Ok(true);
        }
        if next.is_none() {
            return Ok(false);
        }
        marker = next;
    }
}
