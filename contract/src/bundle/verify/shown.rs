//! What a bundle shows, whichever of its two forms it has: backups with their restores, the organization's events, the head of
//! the log, and the index that claims something about all of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::held::{Document, Held};
use super::{Code, Failure, checkpoint};
use crate::audit::{AuditEvent, EventKind};
use crate::bundle::Recoverability;
use crate::bundle::layout::{
    ARTIFACT, AUDIT_EVENTS, BundleFile, BundleIndex, CHECKPOINT, EXPORT_SCHEMA, ExportIndex, ExportScope,
    ExportedBackup, INDEX, InclusionProof, KEY_EVENTS, LogHead, MANIFEST, ORGANIZATION_EVENTS, PROOF, Proof,
    RESTORE_EVENTS, SCHEMA, StreamEnd, backup_events_name, backup_manifest_name, restore_name,
};
use crate::bundle::read::Entry;
use crate::id::{BackupJobId, OrgId};
use crate::log::SignedCheckpoint;
use crate::manifest::{Manifest, ManifestArtifact};
use crate::time::Timestamp;

/// One backup.
pub(super) struct Backup {
    pub(super) id: BackupJobId,
    /// What the index says about it.
    pub(super) claimed: ExportedBackup,
    /// What it says of the recoverability, as received.
    pub(super) claim: Value,
    /// The manifest as received.
    pub(super) manifest: Value,
    /// What the manifest says of the dump. Not to be believed before its signature is checked.
    pub(super) artifact: ManifestArtifact,
    pub(super) key_id: String,
    pub(super) events: Vec<AuditEvent>,
    pub(super) restores: Vec<Vec<AuditEvent>>,
}

/// All that a bundle shows.
pub(super) struct Shown {
    /// The index as received.
    pub(super) index: Value,
    pub(super) org_id: OrgId,
    /// The key that the index says it is signed by.
    pub(super) key_id: String,
    /// `None` in the bundle of one backup.
    pub(super) scope: Option<ExportScope>,
    pub(super) head: LogHead,
    pub(super) streams: Vec<StreamEnd>,
    /// What the index says about the files.
    pub(super) described: Vec<BundleFile>,
    /// The files up to the index, as they are.
    pub(super) files: Vec<BundleFile>,
    pub(super) backups: Vec<Backup>,
    /// The organization's events: its whole chain in an export, else those that speak of signing keys.
    pub(super) organization: Vec<AuditEvent>,
    pub(super) checkpoint: SignedCheckpoint,
    pub(super) proof: Proof,
    /// Where the proofs say that each event stands in the log.
    places: BTreeMap<(String, u64), u64>,
    /// The file behind the index.
    pub(super) streamed: Option<Entry>,
}

fn strange(name: &str) -> Failure {
    Code::UnknownSchema.because(format!("{name} is not in the form that its place asks for"))
}

fn schema_of(document: &Value) -> &str {
    document.get("schema").and_then(Value::as_str).unwrap_or_default()
}

fn json(held: &mut Held, name: &str) -> Result<Value, Failure> {
    match held.take(name)? {
        Document::Json(value) => Ok(value),
        _ => Err(strange(name)),
    }
}

fn events(held: &mut Held, name: &str) -> Result<Vec<AuditEvent>, Failure> {
    match held.take(name)? {
        Document::Events(events) => Ok(events),
        _ => Err(strange(name)),
    }
}

impl Backup {
    fn read(
        claimed: ExportedBackup,
        claim: Value,
        manifest: Value,
        events: Vec<AuditEvent>,
        restores: Vec<Vec<AuditEvent>>,
    ) -> Result<Self, Failure> {
        let unknown = |problem: String| Code::UnknownSchema.because(format!("the manifest {problem}"));
        if schema_of(&manifest) != crate::manifest::SCHEMA {
            return Err(unknown(format!("does not follow {}", crate::manifest::SCHEMA)));
        }
        let Manifest { artifact, key_id, .. } = serde_json::from_value(manifest.clone())
            .map_err(|error| unknown(format!("is not in a form that this version knows: {error}")))?;
        let id = claimed.backup_job_id;
        Ok(Self { id, claimed, claim, manifest, artifact, key_id, events, restores })
    }
}

impl Shown {
    pub(super) fn read(mut held: Held) -> Result<Self, Failure> {
        let files: Vec<BundleFile> = held.files.iter().map(|(file, _)| file.clone()).collect();
        let index = json(&mut held, INDEX)?;
        let Document::Note(note) = held.take(CHECKPOINT)? else { return Err(strange(CHECKPOINT)) };
        let checkpoint = checkpoint(CHECKPOINT, &note)?;
        let Document::Proof(proof) = held.take(PROOF)? else { return Err(strange(PROOF)) };
        let places = places(&proof)?;
        let unknown =
            |error| Code::UnknownSchema.because(format!("{INDEX} is not in a form that this version knows: {error}"));
        let (org_id, key_id, scope, log_head, streams, described, backups, organization);
        match schema_of(&index) {
            SCHEMA => {
                let read: BundleIndex = serde_json::from_value(index.clone()).map_err(unknown)?;
                backups = vec![one(&mut held, &read, index["recoverability"].clone())?];
                organization = events(&mut held, KEY_EVENTS)?;
                (org_id, key_id, scope, log_head) = (read.org_id, read.key_id, None, read.checkpoint);
                (streams, described) = (read.streams, read.files);
            }
            EXPORT_SCHEMA => {
                let read: ExportIndex = serde_json::from_value(index.clone()).map_err(unknown)?;
                backups = all(&mut held, &read, &index["backups"], &files)?;
                organization = events(&mut held, ORGANIZATION_EVENTS)?;
                (org_id, key_id, scope, log_head) = (read.org_id, read.key_id, Some(read.scope), read.checkpoint);
                (streams, described) = (read.streams, read.files);
            }
            other => return Err(Code::UnknownSchema.because(format!("{INDEX} follows {other:?}, which is not known"))),
        }
        let streamed = held.streamed;
        Ok(Self {
            index,
            org_id,
            key_id,
            scope,
            head: log_head,
            streams,
            described,
            files,
            backups,
            organization,
            checkpoint,
            proof,
            places,
            streamed,
        })
    }

    /// The place of an event in the log, as its proof says.
    pub(super) fn place(&self, stream: &str, seq: u64) -> Result<u64, Failure> {
        let found = self.places.get(&(stream.to_owned(), seq)).copied();
        found.ok_or_else(|| {
            Code::ProofMissing.because(format!("event {seq} of {stream} has no proof that it is in the log"))
        })
    }

    /// How many of the events that are shown stand in a log of this size.
    pub(super) fn within(&self, size: u64) -> usize {
        self.places.values().filter(|place| **place < size).count()
    }

    /// When the dump of a single backup was deleted from the bucket, as its chain tells.
    pub(super) fn deleted_at(&self) -> Option<Timestamp> {
        let events = &self.backups.first().filter(|_| !self.is_export())?.events;
        events.iter().find(|event| event.kind == EventKind::RetentionDeleted).map(|event| event.at)
    }

    /// Every event, in the order in which the proofs stand.
    pub(super) fn events(&self) -> impl Iterator<Item = &AuditEvent> {
        let of_backups =
            self.backups.iter().flat_map(|backup| backup.events.iter().chain(backup.restores.iter().flatten()));
        of_backups.chain(&self.organization)
    }

    /// The chains that are shown from their first event, in the order of the index.
    pub(super) fn chains(&self) -> impl Iterator<Item = &[AuditEvent]> {
        let whole = self.scope.is_some().then_some(self.organization.as_slice());
        self.backups
            .iter()
            .flat_map(|backup| {
                std::iter::once(backup.events.as_slice()).chain(backup.restores.iter().map(Vec::as_slice))
            })
            .chain(whole)
    }

    pub(super) const fn is_export(&self) -> bool {
        self.scope.is_some()
    }

    /// What the index says about a file.
    pub(super) fn described(&self, name: &str) -> Result<&BundleFile, Failure> {
        let found = self.described.iter().find(|file| file.name == name);
        found.ok_or_else(|| Code::UnexpectedFile.because(format!("the index does not name {name}")))
    }

    pub(super) fn has_artifact(&self) -> bool {
        self.described.iter().any(|file| file.name == ARTIFACT)
    }

    pub(super) fn recoverability(&self) -> Option<Recoverability> {
        if self.is_export() { None } else { self.backups.first().map(|backup| backup.claimed.recoverability.clone()) }
    }

    pub(super) fn state_text(&self) -> String {
        use crate::bundle::RecoverabilityState as S;
        let count = |state| self.backups.iter().filter(|backup| backup.claimed.recoverability.state == state).count();
        match self.recoverability().map(|found| found.state) {
            Some(S::Completed) => "the backup was completed; the events do not say what was checked".to_owned(),
            Some(S::Verified) => "the backup was completed and read back; no completed restore is recorded".to_owned(),
            Some(S::Drilled) => "the backup was completed, read back, and restored at least once".to_owned(),
            None => format!(
                "{} backups completed, {} of them verified and not restored, {} restored at least once",
                self.backups.len(),
                count(S::Verified),
                count(S::Drilled)
            ),
        }
    }

    pub(super) fn manifest_keys(&self) -> String {
        let keys: BTreeSet<&str> = self.backups.iter().map(|backup| backup.key_id.as_str()).collect();
        if keys.is_empty() { "nobody".to_owned() } else { keys.into_iter().collect::<Vec<_>>().join(", ") }
    }

    pub(super) fn size_text(&self) -> String {
        format!("{} events", self.head.size)
    }

    pub(super) fn at_text(&self) -> String {
        self.checkpoint.checkpoint.at.to_string()
    }
}

fn places(proof: &Proof) -> Result<BTreeMap<(String, u64), u64>, Failure> {
    let mut places = BTreeMap::new();
    for InclusionProof { stream, seq, leaf, .. } in &proof.inclusion {
        if places.insert((stream.clone(), *seq), *leaf).is_some() {
            return Err(Code::ProofMissing.because(format!("event {seq} of {stream} has two proofs")));
        }
    }
    Ok(places)
}

fn one(held: &mut Held, index: &BundleIndex, claim: Value) -> Result<Backup, Failure> {
    let manifest = json(held, MANIFEST)?;
    let chain = events(held, AUDIT_EVENTS)?;
    let Document::Chains(restores) = held.take(RESTORE_EVENTS)? else { return Err(strange(RESTORE_EVENTS)) };
    let claimed = ExportedBackup {
        backup_job_id: index.backup_job_id,
        database_id: index.database_id,
        manifest_hash: index.manifest_hash.clone(),
        recoverability: index.recoverability.clone(),
    };
    Backup::read(claimed, claim, manifest, chain, restores)
}

/// The backups of an export: the index lists them, and each has its files; restores follow the backup that they restore.
fn all(held: &mut Held, index: &ExportIndex, received: &Value, files: &[BundleFile]) -> Result<Vec<Backup>, Failure> {
    let mut backups: Vec<Backup> = Vec::new();
    let mut names = files.iter().map(|file| file.name.as_str()).peekable();
    for (number, claimed) in index.backups.iter().cloned().enumerate() {
        let claim = received[number]["recoverability"].clone();
        let id = claimed.backup_job_id;
        for expected in [backup_manifest_name(id), backup_events_name(id)] {
            if names.next() != Some(expected.as_str()) {
                return Err(Code::MissingFile.because(format!("{expected} does not stand where the index names it")));
            }
        }
        let manifest = json(held, &backup_manifest_name(id))?;
        let chain = events(held, &backup_events_name(id))?;
        let mut restores = Vec::new();
        while let Some(name) = names.next_if(|name| name.starts_with("restores/")) {
            let restore = events(held, name)?;
            let own = restore.first().is_some_and(|event| restore_name(&event.job_id) == name);
            if !own {
                return Err(Code::EventOfAnotherChain.because(format!("{name} holds the events of something else")));
            }
            restores.push(restore);
        }
        backups.push(Backup::read(claimed, claim, manifest, chain, restores)?);
    }
    let rest: Vec<&str> = names.collect();
    if rest == [ORGANIZATION_EVENTS, CHECKPOINT, PROOF, INDEX] {
        Ok(backups)
    } else {
        Err(Code::UnexpectedFile.because("the bundle holds files that the index's backups do not explain"))
    }
}
