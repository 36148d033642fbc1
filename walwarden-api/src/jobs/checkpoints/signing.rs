//! Signs the size and root of a log, and queues the copies for the organization's buckets.

use walwarden_contract::OrgId;
use walwarden_contract::log::Checkpoint;
use walwarden_contract::manifest::key_id;

use super::AGAIN_MILLIS;
use crate::jobs::integrity::settle;
use crate::jobs::retention::Keeper;
use crate::secrets::{Keyring, SignError};
use crate::store::anomalies::Subject;
use crate::store::log::{Inserted, Log, StoredCheckpoint, insert_checkpoint, lock, queue_copies};
use crate::store::{Result, StoreError};
use crate::system::after;
use crate::telemetry;

/// How long after one checkpoint the next is signed at the latest, although nothing has changed.
const EVERY_MILLIS: i64 = 86_400_000;

/// How long after the signer has failed it is asked again.
const SIGNER_MILLIS: i64 = 10_000;

/// Signs a checkpoint of the organization's log, if one is due.
///
/// # Errors
/// When the store fails.
pub async fn sign(keeper: &Keeper, org_id: OrgId) -> Result<Option<StoredCheckpoint>> {
    let now = keeper.system.now();
    let log = keeper.store.log(org_id).await?;
    if log.edge.size() == 0 || log.checkpoint_due_at > now {
        return Ok(None);
    }
    if let Some(failure) = disagreement(keeper, &log).await? {
        return refuse(keeper, org_id, failure).await;
    }
    // A checkpoint by a key that another took over from would be taken for a forgery: it covers the statement that says so.
    let current = *keeper.keyring.history(&keeper.store).await?.current();
    if current != *keeper.keyring.verifying_key() {
        telemetry::checkpoint("failed");
        let (own, current) = (keeper.keyring.key_id(), key_id(&current));
        tracing::error!(%org_id, %own, %current, "the signing key was rotated: restart this process, so that checkpoints are signed");
        keeper.store.postpone_checkpoint(org_id, after(now, SIGNER_MILLIS)).await?;
        return Ok(None);
    }
    let checkpoint = Checkpoint { org_id, size: log.edge.size(), root: log.edge.root(), at: now };
    let new = match signed(&keeper.keyring, &checkpoint).await {
        Ok(new) => new,
        Err(error) => {
            telemetry::checkpoint("failed");
            tracing::error!(%org_id, %error, "cannot sign a checkpoint");
            keeper.store.postpone_checkpoint(org_id, after(now, SIGNER_MILLIS)).await?;
            return Ok(None);
        }
    };
    let mut tx = keeper.store.begin().await?;
    // The log may have grown since: then this is a checkpoint of its beginning, and the next one is due.
    let log = lock(&mut tx, org_id).await?;
    match insert_checkpoint(&mut tx, &log, &new, after(now, EVERY_MILLIS)).await? {
        Inserted::Forked => {
            drop(tx);
            refuse(keeper, org_id, format!("A checkpoint of {} leaves was signed before, with another root.", new.size))
                .await
        }
        Inserted::NotNeeded => {
            tx.commit().await?;
            Ok(None)
        }
        Inserted::Now => {
            queue_copies(&mut tx, org_id, &new).await?;
            tx.commit().await?;
            telemetry::checkpoint("signed");
            tracing::info!(%org_id, leaves = new.size, "checkpoint signed");
            Ok(Some(new))
        }
    }
}

/// Why the log is not what was signed before; `None` when it goes on from there.
async fn disagreement(keeper: &Keeper, log: &Log) -> Result<Option<String>> {
    let root_at = async |size| match keeper.store.root_at(log.org_id, size).await {
        Err(StoreError::Corrupt(_)) => Ok(None),
        read => read.map(Some),
    };
    let size = log.edge.size();
    if root_at(size).await? != Some(log.edge.root()) {
        return Ok(Some("The edge of the log does not follow from its nodes.".to_owned()));
    }
    let Some(newest) = keeper.store.newest_checkpoint(log.org_id).await? else { return Ok(None) };
    if newest.size > size {
        return Ok(Some(format!("The log has {size} leaves, and a checkpoint of {} was signed before.", newest.size)));
    }
    let holds = root_at(newest.size).await? == Some(newest.root);
    Ok((!holds)
        .then(|| format!("The log is not the one whose checkpoint of {} leaves was signed before.", newest.size)))
}

/// Signs nothing, and says so.
async fn refuse(keeper: &Keeper, org_id: OrgId, failure: String) -> Result<Option<StoredCheckpoint>> {
    telemetry::checkpoint("failed");
    telemetry::integrity_failed("log");
    keeper.store.postpone_checkpoint(org_id, after(keeper.system.now(), AGAIN_MILLIS)).await?;
    settle(keeper, org_id, Subject::Log(org_id), Some(failure)).await?;
    Ok(None)
}

/// The checkpoint with its signed note.
async fn signed(keyring: &Keyring, checkpoint: &Checkpoint) -> Result<StoredCheckpoint, SignError> {
    let signature = keyring.sign(checkpoint.text().into_bytes()).await?;
    let note = checkpoint.note(&[(*keyring.verifying_key(), signature)]);
    Ok(StoredCheckpoint::new(checkpoint, vec![keyring.key_id()], note))
}
