//! The bundle of one backup.

use walwarden_contract::audit::EventKind;
use walwarden_contract::bundle::{BackupEvidence, Files, pack};
use walwarden_contract::{BackupJobId, OrgId, StreamId};

use super::as_of::{AsOf, sign};
use super::{Asked, BundleError};
use crate::secrets::Keyring;
use crate::store::Store;

/// A bundle, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupBundle {
    /// Its files; the dump, when it was asked for, is to follow.
    pub files: Files,
    /// The size of the checkpoint that it is as of.
    pub checkpoint: u64,
}

/// Makes the bundle of a completed backup. With `with_artifact`, its index names the dump, which the caller lets follow.
///
/// # Errors
/// A [`BundleError`].
pub async fn backup(
    store: &Store,
    keyring: &Keyring,
    org_id: OrgId,
    id: BackupJobId,
    asked: Asked,
    with_artifact: bool,
) -> Result<BackupBundle, BundleError> {
    let job = store.backup(org_id, id).await?;
    let manifest = job.manifest.ok_or(BundleError::NotCompleted)?;
    let as_of = AsOf::new(store, keyring, org_id, asked).await?;
    let chain = as_of.chain(StreamId::Backup(id)).await?;
    if !chain.events.iter().any(|event| event.kind == EventKind::BackupCompleted) {
        return Err(match asked.checkpoint {
            Some(size) => BundleError::TooEarly(size, id),
            None => BundleError::NotLogged(id.to_string()),
        });
    }
    let (restores, key_events) = (as_of.restores(id).await?, as_of.key_events().await?);
    let mut chains = vec![&chain];
    chains.extend(&restores);
    chains.push(&key_events);
    let proof = as_of.proof(&chains).await?;
    let restores: Vec<_> = restores.into_iter().map(|chain| chain.events).collect();
    let evidence = BackupEvidence {
        manifest: &manifest,
        events: &chain.events,
        restores: &restores,
        key_events: &key_events.events,
        checkpoint: &as_of.checkpoint.note,
        proof: &proof,
        with_artifact,
        key_id: keyring.key_id(),
    };
    let index = pack(&evidence).map_err(|error| BundleError::packing(&id, error))?;
    Ok(BackupBundle { files: sign(index, keyring).await?, checkpoint: as_of.checkpoint.size })
}
