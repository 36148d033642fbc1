//! Gives up unfinished uploads that no backup needs any more: they cost their owner storage, and no list of objects shows them.
//!
//! A worker clears its own away. What is found here was left by one that died at the wrong moment, or belongs to a job that the
//! store does not know, because it was restored from an older copy of itself.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::UploadsAborted;
use walwarden_contract::{BackupJobId, OrgId, Timestamp};

use super::Worker;
use super::attempt::{Failure, bucket_of};
use crate::engine::backup::BackupError;
use crate::engine::storage::{ListedUpload, Upload};
use crate::store::StoreError;
use crate::store::destinations::{Destination, take_due_sweep};
use crate::system::after;

/// How many keys the audit event names; their number stands beside them.
const NAMED: usize = 20;
/// How long one bucket may take.
const DEADLINE: Duration = Duration::from_mins(10);

/// When buckets are searched, and what is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepPolicy {
    /// How long after one search the next follows, in milliseconds.
    pub every_millis: i64,
    /// An upload of a job that the store does not know is left alone until it is this old, in milliseconds: another
    /// installation that has the same organization may be filling it.
    pub grace_millis: i64,
}

impl Worker {
    /// Searches one bucket that is due, if there is one, and answers whether there was. What it gave up is on record however the
    /// search ends: with a refusal, at its deadline, or because the process is to stop, which it heeds between two uploads.
    pub async fn sweep(&self, policy: SweepPolicy, shutdown: &CancellationToken) -> bool {
        let destination = match self.take(policy).await {
            Ok(Some(destination)) => destination,
            Ok(None) => return false,
            Err(error) => {
                tracing::error!(%error, "cannot look which bucket is to be searched for unfinished uploads");
                return false;
            }
        };
        let destination_id = destination.id;
        let mut given_up = UploadsAborted { destination_id, uploads: 0, keys: Vec::new() };
        let search = self.search(&destination, policy, shutdown, &mut given_up);
        match tokio::time::timeout(DEADLINE, search).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%destination_id, %error, "cannot search the bucket for unfinished uploads");
            }
            Err(_) => tracing::warn!(%destination_id, "the search for unfinished uploads took too long"),
        }
        let aborted = given_up.uploads;
        if aborted == 0 {
            return true;
        }
        tracing::info!(%destination_id, aborted, "unfinished uploads given up");
        let payload = Payload::DestinationUploadsAborted(given_up);
        let recorded = self.store.record_organization_event(destination.org_id, self.system.now(), &payload).await;
        if let Err(error) = recorded {
            tracing::error!(%destination_id, aborted, %error, "cannot record that unfinished uploads were given up");
        }
        true
    }

    async fn take(&self, policy: SweepPolicy) -> Result<Option<Destination>, StoreError> {
        let now = self.system.now();
        if !self.store.has_due_sweep(now).await? {
            return Ok(None);
        }
        let mut tx = self.store.begin().await?;
        let taken = take_due_sweep(&mut tx, now, after(now, policy.every_millis)).await?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn search(
        &self,
        destination: &Destination,
        policy: SweepPolicy,
        shutdown: &CancellationToken,
        given_up: &mut UploadsAborted,
    ) -> Result<(), Failure> {
        let org_id = destination.org_id;
        let bucket = bucket_of(self, destination)?;
        let old_enough = after(self.system.now(), -policy.grace_millis);
        let mut page_after = None;
        loop {
            let listed = bucket.uploads_page(&format!("org/{org_id}/"), page_after).await;
            let (uploads, next) = listed.map_err(BackupError::from)?;
            for ListedUpload { key, id, initiated_at } in uploads {
                if shutdown.is_cancelled() {
                    return Ok(());
                }
                if self.is_needed(org_id, &key, initiated_at, old_enough).await? {
                    continue;
                }
                let upload = Upload { key, id };
                if bucket.abort_upload(&upload).await.map_err(BackupError::from)? {
                    given_up.uploads += 1;
                    if given_up.keys.len() < NAMED {
                        given_up.keys.push(upload.key);
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            page_after = next;
        }
    }

    /// Whether a backup may yet be made of it. A job that has not ended clears its own uploads away, or seals them.
    async fn is_needed(
        &self,
        org_id: OrgId,
        key: &str,
        begun_at: Option<Timestamp>,
        old_enough: Timestamp,
    ) -> Result<bool, Failure> {
        let known = match job_of(key) {
            None => None,
            Some(id) => match self.store.backup(org_id, id).await {
                Ok(job) => Some(job),
                Err(StoreError::Missing(_)) => None,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(match known {
            Some(job) => !job.state().is_terminal(),
            // Without a date its age cannot be known.
            None => begun_at.is_none_or(|begun_at| begun_at > old_enough),
        })
    }
}

/// The job whose artifact has this key.
fn job_of(key: &str) -> Option<BackupJobId> {
    let (_, name) = key.rsplit_once('/')?;
    name.strip_suffix(".dump")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_of_an_artifact_names_a_job() {
        let id = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";
        assert_eq!(job_of(&format!("org/o/db/d/backup/2026/01/31/{id}.dump")), id.parse().ok());
        for key in ["org/o/preflight/probe", "bkp_x.dump", "org/o/bkp_nonsense.dump", ""] {
            assert_eq!(job_of(key), None, "{key}");
        }
    }
}
