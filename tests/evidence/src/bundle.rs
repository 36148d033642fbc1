//! The evidence of one backup as files, before and after somebody laid hands on them.

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use walwarden_contract::manifest::key_id;

use crate::history::{History, LeafOf, canonical, sha256, sign};
use crate::{archive, log};

/// The name of the signed index.
pub const INDEX: &str = "bundle.json";

/// The files of an archive, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files(pub Vec<(String, Vec<u8>)>);

impl Files {
    /// The archive of them.
    #[must_use]
    pub fn archive(&self) -> Vec<u8> {
        archive::gzip(&archive::tar(&self.0))
    }

    /// Where a file stands.
    #[must_use]
    pub fn position(&self, name: &str) -> usize {
        self.0.iter().position(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// A file's bytes.
    pub fn file(&mut self, name: &str) -> &mut Vec<u8> {
        let position = self.position(name);
        &mut self.0[position].1
    }

    /// A file as text.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.0[self.position(name)].1.clone()).expect("text")
    }

    /// A file as a document.
    #[must_use]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).expect("JSON")
    }

    /// Changes a document, and writes it in its canonical form.
    pub fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut document = self.json(name);
        edit(&mut document);
        *self.file(name) = canonical(&document);
    }

    /// Changes a text, which has to be in the file.
    pub fn replace(&mut self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} holds no {from:?}");
        *self.file(name) = text.replacen(from, to, 1).into_bytes();
    }

    /// Describes the files in the index as they are now.
    pub fn describe(&mut self) {
        let describe = |(name, content): &(String, Vec<u8>)| json!({ "name": name, "sizeBytes": content.len(), "sha256": sha256(content) });
        let files: Vec<Value> = self.0.iter().filter(|(name, _)| name != INDEX).map(describe).collect();
        self.edit(INDEX, |index| index["files"] = json!(files));
    }

    /// Describes the files, and signs the index.
    pub fn seal(&mut self, key: &SigningKey) {
        self.describe();
        self.edit(INDEX, |index| {
            index["keyId"] = json!(key_id(&key.verifying_key()));
            sign(index, key);
        });
    }
}

fn hexes(path: &[[u8; 32]]) -> Vec<String> {
    path.iter().map(hex::encode).collect()
}

impl History {
    /// Where an event stands in the log.
    #[must_use]
    pub fn leaf(&self, stream: &str, seq: u64) -> usize {
        let found = |leaf: &LeafOf| leaf.stream == stream && leaf.seq == seq;
        self.leaves.iter().position(found).expect("every event is in the log")
    }

    /// The events of a chain that the first `size` leaves hold.
    #[must_use]
    pub fn chain(&self, stream: &str, size: usize) -> Vec<Value> {
        let held = |event: &&Value| self.leaf(stream, event["seq"].as_u64().expect("a number")) < size;
        self.streams[stream].iter().filter(held).cloned().collect()
    }

    /// The proof of events in the log of `size` leaves, as it stands in an archive.
    #[must_use]
    pub fn proof(&self, events: &[&Value], size: usize, remembered: &[usize]) -> Value {
        let hashes = self.leaf_hashes(size);
        let inclusion: Vec<Value> = events
            .iter()
            .map(|event| {
                let (stream, seq) =
                    (event["jobId"].as_str().expect("a chain"), event["seq"].as_u64().expect("a number"));
                let leaf = self.leaf(stream, seq);
                json!({ "leaf": leaf, "path": hexes(&log::inclusion(leaf, &hashes)), "seq": seq, "stream": stream })
            })
            .collect();
        let consistency: Vec<Value> = remembered
            .iter()
            .map(|from| json!({ "from": from, "path": hexes(&log::consistency(*from, &hashes)) }))
            .collect();
        json!({
            "schema": "walwarden.proof.v1",
            "origin": format!("walwarden.audit/{}", self.org_id),
            "size": size,
            "inclusion": inclusion,
            "consistency": consistency,
        })
    }

    /// What the events prove of a backup.
    #[must_use]
    pub fn recoverability(&self, backup: usize, size: usize) -> Value {
        let backup = &self.backups[backup];
        let completed = self.chain(&backup.id, size).into_iter().find(|event| event["kind"] == "backup.completed");
        let completed = completed.expect("it was completed");
        let drill = backup.restores.iter().rev().find_map(|restore| {
            let chain = self.chain(restore, size);
            let at = |kind: &str| chain.iter().find(|event| event["kind"] == kind).map(|event| event["at"].clone());
            let (verified, completed) = (at("restore.manifest_verified")?, at("restore.completed")?);
            Some(json!({ "restoreJobId": restore, "manifestVerifiedAt": verified, "completedAt": completed }))
        });
        let checks = completed["payload"]["checks"].as_array().cloned().unwrap_or_default();
        let state = match (checks.is_empty(), &drill) {
            (true, _) => "completed",
            (false, None) => "verified",
            (false, Some(_)) => "drilled",
        };
        json!({
            "state": state,
            "readBackAt": completed["at"],
            "verifiedBy": completed["payload"]["verifiedBy"],
            "checks": checks,
            "drill": drill,
        })
    }

    /// The evidence of a backup as of a checkpoint, as its server hands it out.
    #[must_use]
    pub fn bundle(&self, backup: usize, checkpoint: usize) -> Files {
        let (size, note) = &self.checkpoints[checkpoint];
        let remembered: Vec<usize> = self.checkpoints[..checkpoint].iter().map(|(size, _)| *size).collect();
        self.bundle_as_of(backup, *size, note, &remembered)
    }

    /// The evidence of a backup as of any signed head of the log.
    #[must_use]
    pub fn bundle_as_of(&self, backup: usize, size: usize, note: &str, remembered: &[usize]) -> Files {
        let of = &self.backups[backup];
        let events = self.chain(&of.id, size);
        let restores: Vec<Vec<Value>> = of.restores.iter().map(|restore| self.chain(restore, size)).collect();
        let restores: Vec<Vec<Value>> = restores.into_iter().filter(|chain| !chain.is_empty()).collect();
        let mut statements = self.chain(&self.org_id, size);
        statements.retain(|event| event["kind"].as_str().is_some_and(|kind| kind.starts_with("signing_key.")));
        let shown: Vec<&Vec<Value>> = std::iter::once(&events).chain(&restores).collect();
        let streams: Vec<Value> = shown.iter().map(|chain| stream(chain)).collect();
        let all: Vec<&Value> = shown.into_iter().flatten().chain(&statements).collect();
        let proof = self.proof(&all, size, remembered);
        let index = json!({
            "schema": "walwarden.bundle.v1",
            "orgId": self.org_id,
            "databaseId": self.database_id,
            "backupJobId": of.id,
            "manifestHash": of.manifest_hash(),
            "checkpoint": { "size": size, "rootHash": hex::encode(log::root(&self.leaf_hashes(size))) },
            "streams": streams,
            "recoverability": self.recoverability(backup, size),
            "files": [],
        });
        let file = |name: &str, content: Vec<u8>| (name.to_owned(), content);
        let mut files = Files(vec![
            file("manifest.json", of.manifest.clone()),
            file("audit_events.json", canonical(&json!(events))),
            file("restore_events.json", canonical(&json!(restores))),
            file("key_events.json", canonical(&json!(statements))),
            file("checkpoint.txt", note.as_bytes().to_vec()),
            file("proof.json", canonical(&proof)),
            file(INDEX, canonical(&index)),
        ]);
        files.seal(self.key());
        files
    }
}

/// How the index describes a chain.
#[must_use]
pub fn stream(chain: &[Value]) -> Value {
    let last = chain.last().expect("a chain that is shown has events");
    json!({ "streamId": last["jobId"], "events": chain.len(), "head": last["hash"] })
}
