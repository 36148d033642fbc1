//! The log as of one of its checkpoints: chains up to there, and what proves that their events stand in it.

use std::collections::BTreeSet;

use walwarden_contract::audit::{AuditEvent, EventKind, verify_chain};
use walwarden_contract::bundle::{ConsistencyProof, Files, InclusionProof, PROOF_SCHEMA, Proof, Unsigned};
use walwarden_contract::log::checkpoint::origin;
use walwarden_contract::log::{Hash, Leaf};
use walwarden_contract::manifest::key_id;
use walwarden_contract::{BackupJobId, OrgId, StreamId};

use super::{Asked, BundleError, MAX_RESTORES};
use crate::secrets::Keyring;
use crate::store::Store;
use crate::store::log::StoredCheckpoint;

/// How many earlier checkpoints a bundle is tied to without being asked.
const EARLIER: u32 = 16;
/// How many leaves are read at a time.
const PAGE: u32 = 500;

/// A log as of a checkpoint.
pub(super) struct AsOf<'a> {
    store: &'a Store,
    org_id: OrgId,
    pub(super) checkpoint: StoredCheckpoint,
    remembered: Option<u64>,
}

/// A chain up to the checkpoint, and the place of each event in the log.
pub(super) struct Chain {
    pub(super) events: Vec<AuditEvent>,
    pub(super) leaves: Vec<u64>,
}

fn hex_path(path: &[Hash]) -> Vec<String> {
    path.iter().map(hex::encode).collect()
}

impl<'a> AsOf<'a> {
    /// The log as of the checkpoint that was asked for, or else the newest.
    pub(super) async fn new(
        store: &'a Store,
        keyring: &Keyring,
        org_id: OrgId,
        asked: Asked,
    ) -> Result<Self, BundleError> {
        let checkpoint = match asked.checkpoint {
            Some(size) => store.checkpoint_at(org_id, size).await?.ok_or(BundleError::NoCheckpoint(size))?,
            None => store.newest_checkpoint(org_id).await?.ok_or_else(|| BundleError::NotLogged(org_id.to_string()))?,
        };
        let size = checkpoint.size;
        if let Some(remembered) = asked.remembered.filter(|remembered| *remembered > size) {
            return Err(BundleError::Shorter(size, remembered));
        }
        let own = keyring.key_id();
        let current = key_id(keyring.history(store).await?.current());
        if current != own {
            return Err(BundleError::FormerKey { own, current });
        }
        // A log that does not grow is signed again every day, and after a rotation by another key.
        let Some(checkpoint) = store.checkpoint_signed_by(org_id, size, &own).await? else {
            return Err(BundleError::OtherKey { size, signed: checkpoint.key_ids.join(", "), own });
        };
        Ok(Self { store, org_id, checkpoint, remembered: asked.remembered.filter(|remembered| *remembered > 0) })
    }

    /// A chain up to the checkpoint. One that does not hold is not handed to anybody.
    pub(super) async fn chain(&self, stream: StreamId) -> Result<Chain, BundleError> {
        let mut leaves: Vec<(u64, Leaf)> = Vec::new();
        loop {
            let after = leaves.last().map_or(0, |(_, leaf)| leaf.seq);
            let page = self.store.leaves_of(self.org_id, stream, after, PAGE).await?;
            let whole = page.len() == PAGE as usize;
            let before = leaves.len() + page.len();
            leaves.extend(page.into_iter().take_while(|(place, _)| *place < self.checkpoint.size));
            if !whole || leaves.len() < before {
                break;
            }
        }
        let mut events = self.store.audit_chain(self.org_id, &stream.to_string()).await?;
        events.truncate(leaves.len());
        let broken = |what: String| BundleError::Broken(stream.to_string(), what);
        verify_chain(&events).map_err(|error| broken(error.to_string()))?;
        let logged = leaves.iter().map(|(_, leaf)| leaf).eq(events.iter().map(Leaf::from).collect::<Vec<_>>().iter());
        if !logged {
            return Err(broken("its events are not those that the log holds".to_owned()));
        }
        Ok(Chain { events, leaves: leaves.into_iter().map(|(place, _)| place).collect() })
    }

    /// The chains of the newest restores of a backup that the log knew of, and of the one that was completed last; oldest first.
    pub(super) async fn restores(&self, id: BackupJobId) -> Result<Vec<Chain>, BundleError> {
        let mut chains = Vec::new();
        for restore in self.store.restores_as_of(self.org_id, id, self.checkpoint.size, MAX_RESTORES).await? {
            chains.push(self.chain(StreamId::Restore(restore)).await?);
        }
        Ok(chains)
    }

    /// The organization's events about signing keys.
    pub(super) async fn key_events(&self) -> Result<Chain, BundleError> {
        let whole = self.chain(StreamId::Organization(self.org_id)).await?;
        let about_keys =
            |event: &AuditEvent| matches!(event.kind, EventKind::SigningKeyRotated | EventKind::SigningKeyRevoked);
        let kept = whole.events.into_iter().zip(whole.leaves).filter(|(event, _)| about_keys(event));
        let (events, leaves) = kept.unzip();
        Ok(Chain { events, leaves })
    }

    /// What proves that the events of these chains stand in the log, in their order, and that the log begins with earlier ones.
    pub(super) async fn proof(&self, chains: &[&Chain]) -> Result<Proof, BundleError> {
        let size = self.checkpoint.size;
        let mut inclusion = Vec::new();
        for chain in chains {
            for (events, leaves) in chain.events.chunks(PAGE as usize).zip(chain.leaves.chunks(PAGE as usize)) {
                let paths = self.store.inclusion_paths(self.org_id, leaves, size).await?;
                for ((event, leaf), path) in events.iter().zip(leaves).zip(&paths) {
                    let (stream, seq) = (event.job_id.clone(), event.seq);
                    inclusion.push(InclusionProof { stream, seq, leaf: *leaf, path: hex_path(path) });
                }
            }
        }
        let earlier = self.store.checkpoints_before(self.org_id, size, EARLIER).await?;
        let sizes: BTreeSet<u64> = earlier.iter().map(|checkpoint| checkpoint.size).chain(self.remembered).collect();
        let mut consistency = Vec::new();
        for from in sizes.into_iter().filter(|from| *from > 0 && *from < size) {
            let path = self.store.consistency_path(self.org_id, from, size).await?;
            consistency.push(ConsistencyProof { from, path: hex_path(&path) });
        }
        Ok(Proof { schema: PROOF_SCHEMA.to_owned(), origin: origin(self.org_id), size, inclusion, consistency })
    }
}

/// The files with their signed index.
pub(super) async fn sign(index: Unsigned, keyring: &Keyring) -> Result<Files, BundleError> {
    let signature = keyring.sign(index.signed_bytes()?).await?;
    let files = index.signed(&signature)?;
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    BundleError::too_large(bytes).map_or(Ok(files), Err)
}
