//! The export of a period: every backup of a database, or of the organization, that was completed in it.

use walwarden_contract::audit::{AuditEvent, EventKind};
use walwarden_contract::bundle::{ExportScope, Files, PeriodBackup, PeriodEvidence, pack_period};
use walwarden_contract::{OrgId, StreamId};

use super::as_of::{AsOf, Chain, sign};
use super::{Asked, BundleError, Leaves, MAX_BACKUPS};
use crate::secrets::Keyring;
use crate::store::Store;

/// An export, ready to be written.
pub struct PeriodBundle {
    /// Its files; the leaves, where there are any, are to follow.
    pub files: Files,
    /// The whole log, for the export of an organization.
    pub leaves: Option<Leaves>,
    /// The size of the checkpoint that it is as of.
    pub checkpoint: u64,
    /// How many backups are in it.
    pub backups: usize,
}

/// What an event takes at least, with its proof.
const EVENT_BYTES: usize = 600;

struct Found {
    manifest: String,
    chain: Chain,
    restores: Vec<Chain>,
}

/// Makes the export of a period.
///
/// # Errors
/// A [`BundleError`].
pub async fn period(
    store: &Store,
    keyring: &Keyring,
    org_id: OrgId,
    scope: ExportScope,
    asked: Asked,
) -> Result<PeriodBundle, BundleError> {
    let as_of = AsOf::new(store, keyring, org_id, asked).await?;
    let found = find(store, &as_of, org_id, &scope).await?;
    let organization = as_of.chain(StreamId::Organization(org_id)).await?;
    let mut chains: Vec<&Chain> = Vec::new();
    for backup in &found {
        chains.push(&backup.chain);
        chains.extend(&backup.restores);
    }
    chains.push(&organization);
    let proof = as_of.proof(&chains).await?;
    let size = as_of.checkpoint.size;
    let leaves = match scope.database_id {
        None => Some(Leaves::measure(store, org_id, size).await?),
        Some(_) => None,
    };
    let restores: Vec<Vec<Vec<AuditEvent>>> = found.iter().map(|backup| events(&backup.restores)).collect();
    let backups = found.iter().zip(&restores).map(|(backup, restores)| PeriodBackup {
        manifest: &backup.manifest,
        events: &backup.chain.events,
        restores,
    });
    let backups: Vec<PeriodBackup<'_>> = backups.collect();
    let evidence = PeriodEvidence {
        org_id,
        scope,
        backups: &backups,
        organization: &organization.events,
        checkpoint: &as_of.checkpoint.note,
        proof: &proof,
        leaves: leaves.as_ref().map(Leaves::described),
        key_id: keyring.key_id(),
    };
    let index =
        pack_period(&evidence).map_err(|error| BundleError::Broken("a backup".to_owned(), error.to_string()))?;
    Ok(PeriodBundle { files: sign(index, keyring).await?, leaves, checkpoint: size, backups: backups.len() })
}

fn events(chains: &[Chain]) -> Vec<Vec<AuditEvent>> {
    chains.iter().map(|chain| chain.events.clone()).collect()
}

/// The backups whose completion stands in the log and in the period, oldest first.
async fn find(store: &Store, as_of: &AsOf<'_>, org_id: OrgId, scope: &ExportScope) -> Result<Vec<Found>, BundleError> {
    const PAGE: u32 = 200;
    let (mut found, mut bytes, mut behind) = (Vec::new(), 0_u64, None);
    loop {
        let page = store.backups_completed_between(org_id, scope, behind, PAGE).await?;
        let last = page.len() < PAGE as usize;
        for job in page {
            behind = job.finished_at.map(|at| (at, job.id));
            let id = job.id;
            let without = || BundleError::Broken(id.to_string(), "it has no manifest".to_owned());
            let manifest = job.manifest.ok_or_else(without)?;
            let chain = as_of.chain(StreamId::Backup(job.id)).await?;
            let completed = chain.events.iter().find(|event| event.kind == EventKind::BackupCompleted);
            // What the log did not hold yet, this export cannot show.
            if !completed.is_some_and(|event| event.at >= scope.from && event.at < scope.to) {
                continue;
            }
            let restores = as_of.restores(job.id).await?;
            let events = restores.iter().map(|chain| chain.events.len()).sum::<usize>() + chain.events.len();
            bytes += (manifest.len() + events * EVENT_BYTES) as u64;
            found.push(Found { manifest, chain, restores });
            if found.len() > MAX_BACKUPS {
                return Err(BundleError::TooLarge(format!("more than {MAX_BACKUPS} backups")));
            }
            if let Some(error) = BundleError::too_large(bytes) {
                return Err(error);
            }
        }
        if last {
            return Ok(found);
        }
    }
}
