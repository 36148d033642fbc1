//! What happened in an organization: its keys, its chains, its log and its checkpoints.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use walwarden_contract::Timestamp;
use walwarden_contract::audit::FIRST_PREV_HASH;
use walwarden_contract::key::{Revocation, Rotation};
use walwarden_contract::log::merkle::{Hash, leaf_hash};
use walwarden_contract::log::{Checkpoint, leaf_bytes};
use walwarden_contract::manifest::key_id;

use crate::log;

/// The RFC 8785 form of a value.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("what is invented here has a canonical form")
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// An object without one of its members.
#[must_use]
pub fn without(document: &Value, member: &str) -> Value {
    let mut document = document.clone();
    document.as_object_mut().expect("an object").remove(member);
    document
}

/// Puts a signature over all other members into a document.
pub fn sign(document: &mut Value, key: &SigningKey) {
    let signature = key.sign(&canonical(&without(document, "signature")));
    document["signature"] = json!(STANDARD.encode(signature.to_bytes()));
}

/// The hash that an event has to have after the one before it.
#[must_use]
pub fn event_hash(event: &Value) -> String {
    let content =
        json!({ "at": event["at"], "jobId": event["jobId"], "kind": event["kind"], "payload": event["payload"] });
    let prev_hash = event["prevHash"].as_str().expect("a hash").as_bytes();
    sha256(&[prev_hash, canonical(&content).as_slice()].concat())
}

/// Links events anew, whatever they were linked to before.
pub fn chain_again(events: &mut [Value]) {
    let mut prev_hash = FIRST_PREV_HASH.to_owned();
    for (seq, event) in (1..).zip(events) {
        event["seq"] = json!(seq);
        event["prevHash"] = json!(prev_hash);
        prev_hash = event_hash(event);
        event["hash"] = json!(prev_hash);
    }
}

/// A completed backup.
#[derive(Debug, Clone)]
pub struct Backup {
    /// Its id.
    pub id: String,
    /// Its manifest as it stands in the bucket.
    pub manifest: Vec<u8>,
    /// What was backed up.
    pub artifact: Vec<u8>,
    /// The restores of it, oldest first.
    pub restores: Vec<String>,
}

impl Backup {
    /// The manifest as a document.
    #[must_use]
    pub fn document(&self) -> Value {
        serde_json::from_slice(&self.manifest).expect("a manifest is JSON")
    }

    /// The hash that names it.
    #[must_use]
    pub fn manifest_hash(&self) -> String {
        sha256(&canonical(&without(&self.document(), "signature")))
    }
}

/// One leaf of the log.
#[derive(Debug, Clone)]
pub struct LeafOf {
    /// The chain.
    pub stream: String,
    /// The event's number in it.
    pub seq: u64,
}

/// All that an organization has on record.
#[derive(Debug, Clone)]
pub struct History {
    /// The organization.
    pub org_id: String,
    /// The protected database.
    pub database_id: String,
    /// Every key that the installation ever signed with, oldest first. The last one is the current one.
    pub keys: Vec<SigningKey>,
    /// The chains.
    pub streams: BTreeMap<String, Vec<Value>>,
    /// The log.
    pub leaves: Vec<LeafOf>,
    /// Checkpoints as they stand in the bucket: sizes and notes.
    pub checkpoints: Vec<(usize, String)>,
    /// The completed backups.
    pub backups: Vec<Backup>,
    number: u32,
    now: i64,
}

impl History {
    /// A new organization. `number` tells it from others.
    #[must_use]
    pub fn begin(number: u32, first_key: SigningKey) -> Self {
        let mut history = Self {
            org_id: format!("org_{number:032x}"),
            database_id: format!("db_{number:032x}"),
            keys: vec![first_key],
            streams: BTreeMap::new(),
            leaves: Vec::new(),
            checkpoints: Vec::new(),
            backups: Vec::new(),
            number: number << 16,
            now: 1_769_824_800_000,
        };
        history.organization("organization.created", json!({ "name": "Invented" }));
        history.organization("database.created", json!({ "databaseId": history.database_id, "name": "shop" }));
        history
    }

    fn id(&mut self, prefix: &str) -> String {
        self.number += 1;
        format!("{prefix}_{:032x}", self.number)
    }

    /// The time, which passes with every look at it.
    pub fn now(&mut self) -> Timestamp {
        self.now += 61_234;
        Timestamp::from_millis(self.now).expect("in range")
    }

    /// The key that signs now.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        self.keys.last().expect("there is always one")
    }

    /// Appends an event to a chain, and to the log.
    #[expect(clippy::needless_pass_by_value, reason = "payloads are made where they are handed over")]
    pub fn append(&mut self, stream: &str, kind: &str, payload: Value) {
        let at = self.now().to_string();
        let events = self.streams.entry(stream.to_owned()).or_default();
        let prev_hash = events.last().map_or(FIRST_PREV_HASH.into(), |event: &Value| event["hash"].clone());
        let seq = events.len() as u64 + 1;
        let mut event = json!({
            "kind": kind, "seq": seq, "at": at, "jobId": stream, "payload": payload, "prevHash": prev_hash,
        });
        event["hash"] = json!(event_hash(&event));
        events.push(event);
        self.leaves.push(LeafOf { stream: stream.to_owned(), seq });
    }

    /// Appends an event of the organization.
    pub fn organization(&mut self, kind: &str, payload: Value) {
        let stream = self.org_id.clone();
        self.append(&stream, kind, payload);
    }

    /// The event of a leaf.
    #[must_use]
    pub fn event(&self, leaf: &LeafOf) -> &Value {
        let place = usize::try_from(leaf.seq - 1).expect("small");
        &self.streams[&leaf.stream][place]
    }

    /// The hashes of the first `size` leaves.
    #[must_use]
    pub fn leaf_hashes(&self, size: usize) -> Vec<Hash> {
        let bytes =
            |leaf: &LeafOf| leaf_bytes(&leaf.stream, leaf.seq, self.event(leaf)["hash"].as_str().expect("a hash"));
        self.leaves[..size].iter().map(|leaf| leaf_hash(&bytes(leaf))).collect()
    }

    /// A signed head of the log as of a size, which is kept nowhere.
    #[must_use]
    pub fn note(&self, size: usize, at: Timestamp, keys: &[&SigningKey]) -> String {
        let org_id = self.org_id.parse().expect("an id");
        let checkpoint = Checkpoint { org_id, size: size as u64, root: log::root(&self.leaf_hashes(size)), at };
        let text = checkpoint.text();
        let signatures: Vec<_> = keys.iter().map(|key| (key.verifying_key(), key.sign(text.as_bytes()))).collect();
        checkpoint.note(&signatures)
    }

    /// Signs the head of the log, and puts it into the bucket.
    pub fn checkpoint(&mut self) {
        let (size, at) = (self.leaves.len(), self.now());
        let note = self.note(size, at, &[self.key()]);
        self.checkpoints.push((size, note));
    }

    /// Hands over to another key.
    pub fn rotate(&mut self, next: SigningKey) {
        let statement = Rotation::new(&self.key().verifying_key(), &next.verifying_key(), self.now());
        let bytes = statement.signed_bytes();
        let statement = statement.signed(&self.key().sign(&bytes), &next.sign(&bytes));
        self.organization("signing_key.rotated", json!(statement));
        self.keys.push(next);
    }

    /// Revokes a key, in the current one's name.
    pub fn revoke(&mut self, revoked: usize) {
        let id = key_id(&self.keys[revoked].verifying_key());
        let signed_by = key_id(&self.key().verifying_key());
        let statement = Revocation::new(id, "It was on a lost disk.".to_owned(), self.now(), signed_by);
        let signature = self.key().sign(&statement.signed_bytes());
        self.organization("signing_key.revoked", json!(statement.signed(&signature)));
    }

    /// A backup that goes well, signed with the key of this number. `checked`: whether the record says what was read back.
    pub fn backup(&mut self, key: usize, checked: bool) -> usize {
        let id = self.id("bkp");
        let artifact: Vec<u8> = format!("PGDMP what {id} holds").into_bytes();
        self.append(&id, "backup.queued", json!({ "attempt": 1, "trigger": "scheduled" }));
        self.append(&id, "backup.claimed", json!({ "attempt": 1, "worker": "worker-1" }));
        self.append(&id, "backup.running", json!({ "attempt": 1, "compression": "zstd:3" }));
        self.organization("api_key.issued", json!({ "name": "in between" }));
        let checksum = sha256(&artifact);
        self.append(&id, "backup.finalizing", json!({ "attempt": 1, "checksumSha256": checksum, "parts": 1 }));
        let key = self.keys[key].clone();
        let (started_at, finished_at) = (self.now().to_string(), self.now().to_string());
        let mut manifest = json!({
            "schema": "walwarden.manifest.v1",
            "backupJobId": id,
            "orgId": self.org_id,
            "databaseId": self.database_id,
            "destinationId": format!("dst_{:032x}", 7),
            "artifact": {
                "key": format!("org/{}/db/{}/backup/2026/01/31/{id}.dump", self.org_id, self.database_id),
                "sizeBytes": artifact.len(),
                "checksumSha256": checksum,
                "format": "custom",
                "compression": "zstd:3",
                "partSizeBytes": 16 << 20,
                "partChecksums": [checksum],
            },
            "source": { "databaseName": "zürich", "postgresVersion": "17.2", "pgDumpVersion": "17.2" },
            "startedAt": started_at,
            "finishedAt": finished_at,
            "retention": { "mode": "compliance", "retainUntil": "2027-01-31T02:00:00.000Z" },
            "encryption": null,
            "keyId": key_id(&key.verifying_key()),
        });
        sign(&mut manifest, &key);
        let backup = Backup { id: id.clone(), manifest: canonical(&manifest), artifact, restores: Vec::new() };
        let mut payload = json!({
            "attempt": 1,
            "databaseId": self.database_id,
            "manifestHash": backup.manifest_hash(),
            "checksumSha256": checksum,
            "sizeBytes": backup.artifact.len(),
            "keyId": manifest["keyId"],
        });
        if checked {
            payload["checks"] = json!(["artifact_read_back", "manifest_read_back"]);
            payload["verifiedBy"] = json!("walwarden-api 0.1.0");
        }
        self.append(&id, "backup.completed", payload);
        self.backups.push(backup);
        self.backups.len() - 1
    }

    /// A restore of a backup, up to a step of its life.
    pub fn restore(&mut self, backup: usize, until: &str) {
        let id = self.id("rst");
        let of = &self.backups[backup];
        let issued = json!({
            "backupJobId": of.id,
            "databaseId": self.database_id,
            "manifestHash": of.manifest_hash(),
            "mode": "new_database",
            "targetRedactedDsn": "postgres://restore@db.example/shop",
            "expiresAt": "2026-02-28T02:00:00.000Z",
        });
        self.append(&id, "restore.token_issued", issued);
        for step in [
            "triggered",
            "claimed",
            "downloading",
            "verifying",
            "manifest_verified",
            "restoring",
            "finalizing",
            "completed",
        ] {
            if step == until {
                self.append(&id, "restore.failed", json!({ "retryable": true }));
                break;
            }
            self.append(&id, &format!("restore.{step}"), json!({}));
        }
        self.backups[backup].restores.push(id);
    }
}
