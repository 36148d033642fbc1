//! An organization with a history, made up: chains, their log, its keys, and bundles of it.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::audit::{AuditEvent, EventKind, FIRST_PREV_HASH, event_hash};
use crate::bundle::{
    BackupEvidence, BundleFile, ConsistencyProof, ExportScope, Files, InclusionProof, LEAVES, PROOF_SCHEMA,
    PeriodBackup, PeriodEvidence, Proof, Unsigned, described, pack, pack_period,
};
use crate::id::{BackupJobId, OrgId, RestoreJobId};
use crate::key::Rotation;
use crate::log::merkle::{consistency, inclusion, join, subtrees};
use crate::log::{Checkpoint, Frontier, Hash, Leaf, Node, checkpoint};
use crate::manifest::{self, key_id};
use crate::time::Timestamp;

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_769_824_800_000 + second * 1000).expect("in range")
}

pub(super) struct Backup {
    pub(super) id: BackupJobId,
    pub(super) manifest: String,
    pub(super) hash: String,
    pub(super) restores: Vec<String>,
}

/// What happened.
pub(super) struct World {
    pub(super) org_id: OrgId,
    pub(super) key: SigningKey,
    pub(super) chains: BTreeMap<String, Vec<AuditEvent>>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) backups: Vec<Backup>,
    frontier: Frontier,
    nodes: BTreeMap<Node, Hash>,
    seconds: i64,
}

impl World {
    pub(super) fn new() -> Self {
        let org_id = OrgId::from_uuid(Uuid::from_u128(2));
        let mut world = Self {
            org_id,
            key: key(7),
            chains: BTreeMap::new(),
            leaves: Vec::new(),
            backups: Vec::new(),
            frontier: Frontier::default(),
            nodes: BTreeMap::new(),
            seconds: 0,
        };
        world.add(&org_id.to_string(), EventKind::OrganizationCreated, json!({ "name": "x" }));
        world
    }

    pub(super) fn add(&mut self, stream: &str, kind: EventKind, payload: Value) {
        self.seconds += 1;
        let chain = self.chains.entry(stream.to_owned()).or_default();
        let prev_hash = chain.last().map_or(FIRST_PREV_HASH, |event| &event.hash).to_owned();
        let (seq, at) = (chain.len() as u64 + 1, at(self.seconds));
        let hash = event_hash(&prev_hash, at, stream, kind, &payload).expect("canonical");
        let event = AuditEvent { kind, seq, at, job_id: stream.to_owned(), payload, prev_hash, hash };
        let leaf = Leaf::from(&event);
        self.nodes.extend(self.frontier.push(leaf.leaf_hash()));
        self.leaves.push(leaf);
        chain.push(event);
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn backup(&mut self, number: u128) {
        let id = BackupJobId::from_uuid(Uuid::from_u128(number));
        let mut document = manifest::tests::example();
        (document.backup_job_id, document.org_id, document.key_id) =
            (id, self.org_id, key_id(&self.key.verifying_key()));
        (document.artifact.size_bytes, document.artifact.checksum_sha256) = {
            let file = described("", &dump(number));
            (file.size_bytes, file.sha256)
        };
        let signed = manifest::sign(&document, &self.key).expect("signs");
        let stream = id.to_string();
        for kind in
            [EventKind::BackupQueued, EventKind::BackupClaimed, EventKind::BackupRunning, EventKind::BackupFinalizing]
        {
            self.add(&stream, kind, json!({ "attempt": 1 }));
        }
        let checks = ["the artifact was read back"];
        let payload = json!({ "manifestHash": signed.hash, "checks": checks, "verifiedBy": "walwarden-api 0.1.0" });
        self.add(&stream, EventKind::BackupCompleted, payload);
        let manifest = String::from_utf8(signed.bytes).expect("text");
        self.backups.push(Backup { id, manifest, hash: signed.hash, restores: Vec::new() });
    }

    pub(super) fn restore(&mut self, number: u128, backup: usize) {
        use EventKind as K;
        let stream = RestoreJobId::from_uuid(Uuid::from_u128(number)).to_string();
        let Backup { id, hash, .. } = &self.backups[backup];
        let payload = json!({ "backupJobId": id, "manifestHash": hash });
        self.add(&stream, K::RestoreTokenIssued, payload);
        for kind in [
            K::RestoreTriggered,
            K::RestoreClaimed,
            K::RestoreDownloading,
            K::RestoreVerifying,
            K::RestoreManifestVerified,
            K::RestoreRestoring,
            K::RestoreFinalizing,
            K::RestoreCompleted,
        ] {
            self.add(&stream, kind, json!({}));
        }
        self.backups[backup].restores.push(stream);
    }

    pub(super) fn rotate(&mut self, next: u8) {
        let next = key(next);
        let statement = Rotation::new(&self.key.verifying_key(), &next.verifying_key(), at(self.seconds));
        let bytes = statement.signed_bytes();
        let payload = json!(statement.signed(&self.key.sign(&bytes), &next.sign(&bytes)));
        self.add(&self.org_id.to_string(), EventKind::SigningKeyRotated, payload);
        self.key = next;
    }

    pub(super) fn root(&self, size: u64) -> Hash {
        join(&subtrees(0..size).iter().map(|node| self.nodes[node]).collect::<Vec<_>>())
    }

    fn path(&self, ranges: Vec<std::ops::Range<u64>>) -> Vec<String> {
        let hash = |range| join(&subtrees(range).iter().map(|node| self.nodes[node]).collect::<Vec<_>>());
        ranges.into_iter().map(|range| hex::encode(hash(range))).collect()
    }

    pub(super) fn note(&self, size: u64) -> String {
        let checkpoint = Checkpoint { org_id: self.org_id, size, root: self.root(size), at: at(self.seconds) };
        checkpoint.note(&[(self.key.verifying_key(), self.key.sign(checkpoint.text().as_bytes()))])
    }

    fn proof<'a>(&self, events: impl Iterator<Item = &'a AuditEvent>) -> Proof {
        let size = self.size();
        let inclusion = events.map(|event| {
            let leaf = self.leaves.iter().position(|leaf| *leaf == Leaf::from(event)).expect("in the log") as u64;
            let path = self.path(inclusion(leaf, size).expect("in the log"));
            InclusionProof { stream: event.job_id.clone(), seq: event.seq, leaf, path }
        });
        Proof {
            schema: PROOF_SCHEMA.to_owned(),
            origin: checkpoint::origin(self.org_id),
            size,
            inclusion: inclusion.collect(),
            consistency: (1..size)
                .map(|from| ConsistencyProof { from, path: self.path(consistency(from, size).expect("smaller")) })
                .collect(),
        }
    }

    fn signed(&self, index: Unsigned) -> Files {
        let signature = self.key.sign(&index.signed_bytes().expect("canonical"));
        index.signed(&signature).expect("canonical")
    }

    pub(super) fn restores(&self, backup: usize) -> Vec<Vec<AuditEvent>> {
        self.backups[backup].restores.iter().map(|stream| self.chains[stream].clone()).collect()
    }

    pub(super) fn bundle(&self, backup: usize, with_artifact: bool) -> Files {
        let (chosen, restores) = (&self.backups[backup], self.restores(backup));
        let events = &self.chains[&chosen.id.to_string()];
        let mut key_events = self.chains[&self.org_id.to_string()].clone();
        key_events.retain(|event| matches!(event.kind, EventKind::SigningKeyRotated | EventKind::SigningKeyRevoked));
        let checkpoint = self.note(self.size());
        let proof = self.proof(events.iter().chain(restores.iter().flatten()).chain(&key_events));
        let evidence = BackupEvidence {
            manifest: &chosen.manifest,
            events,
            restores: &restores,
            key_events: &key_events,
            checkpoint: &checkpoint,
            proof: &proof,
            with_artifact,
            key_id: key_id(&self.key.verifying_key()),
        };
        self.signed(pack(&evidence).expect("packs"))
    }

    pub(super) fn leaves(&self) -> Vec<u8> {
        self.leaves.iter().flat_map(|leaf| [leaf.bytes(), b"\n".to_vec()].concat()).collect()
    }

    pub(super) fn export(&self, whole: bool) -> Files {
        let restores: Vec<_> = (0..self.backups.len()).map(|index| self.restores(index)).collect();
        let backups = self.backups.iter().zip(&restores).map(|(backup, restores)| PeriodBackup {
            manifest: &backup.manifest,
            events: &self.chains[&backup.id.to_string()],
            restores,
        });
        let backups: Vec<PeriodBackup<'_>> = backups.collect();
        let organization = &self.chains[&self.org_id.to_string()];
        let of_backups = backups.iter().flat_map(|backup| backup.events.iter().chain(backup.restores.iter().flatten()));
        let proof = self.proof(of_backups.chain(organization));
        let leaves: Option<BundleFile> = whole.then(|| described(LEAVES, &self.leaves()));
        let database_id = (!whole).then(|| manifest::tests::example().database_id);
        let evidence = PeriodEvidence {
            org_id: self.org_id,
            scope: ExportScope { database_id, from: at(0), to: at(10_000) },
            backups: &backups,
            organization,
            checkpoint: &self.note(self.size()),
            proof: &proof,
            leaves,
            key_id: key_id(&self.key.verifying_key()),
        };
        let mut files = self.signed(pack_period(&evidence).expect("packs"));
        if whole {
            files.push((LEAVES.to_owned(), self.leaves()));
        }
        files
    }
}

pub(super) fn dump(number: u128) -> Vec<u8> {
    format!("PGDMP {number}").repeat(50_000).into_bytes()
}
