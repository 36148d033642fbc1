//! The evidence of a period as files.

use serde_json::{Value, json};
use walwarden_contract::log::leaf_bytes;

use crate::bundle::{Files, INDEX, stream};
use crate::history::{History, canonical};
use crate::log;

/// Every leaf of the log, one on each line.
pub const LEAVES: &str = "leaves.jsonl";
/// The organization's whole chain.
pub const ORGANIZATION: &str = "organization_events.json";

impl History {
    /// The evidence of these backups as of the newest checkpoint: of the whole organization, with every leaf of its log, or of
    /// its database.
    #[must_use]
    pub fn export(&self, backups: &[usize], whole: bool) -> Files {
        let (size, note) = self.checkpoints.last().expect("a checkpoint");
        let (mut files, mut shown, mut described) = (Vec::new(), Vec::new(), Vec::new());
        for number in backups {
            let of = &self.backups[*number];
            files.push((format!("backups/{}/manifest.json", of.id), of.manifest.clone()));
            let chain = self.chain(&of.id, *size);
            files.push((format!("backups/{}/audit_events.json", of.id), canonical(&json!(chain))));
            shown.push(chain);
            for restore in &of.restores {
                let chain = self.chain(restore, *size);
                files.push((format!("restores/{restore}.json"), canonical(&json!(chain))));
                shown.push(chain);
            }
            described.push(json!({
                "backupJobId": of.id,
                "databaseId": self.database_id,
                "manifestHash": of.manifest_hash(),
                "recoverability": self.recoverability(*number, *size),
            }));
        }
        let organization = self.chain(&self.org_id, *size);
        files.push((ORGANIZATION.to_owned(), canonical(&json!(organization))));
        shown.push(organization);
        let events: Vec<&Value> = shown.iter().flatten().collect();
        let remembered: Vec<usize> =
            self.checkpoints.iter().map(|(size, _)| *size).filter(|older| older < size).collect();
        files.push(("checkpoint.txt".to_owned(), note.as_bytes().to_vec()));
        files.push(("proof.json".to_owned(), canonical(&self.proof(&events, *size, &remembered))));
        let database = json!(self.database_id);
        let index = json!({
            "schema": "walwarden.export.v1",
            "orgId": self.org_id,
            "scope": {
                "databaseId": if whole { json!(null) } else { database },
                "from": "2026-01-01T00:00:00.000Z",
                "to": "2026-04-01T00:00:00.000Z",
            },
            "backups": described,
            "checkpoint": { "size": size, "rootHash": hex::encode(log::root(&self.leaf_hashes(*size))) },
            "streams": shown.iter().map(|chain| stream(chain)).collect::<Vec<_>>(),
            "files": [],
        });
        files.push((INDEX.to_owned(), canonical(&index)));
        if whole {
            files.push((LEAVES.to_owned(), self.leaf_lines(*size)));
        }
        let mut files = Files(files);
        files.seal(self.key());
        files
    }

    fn leaf_lines(&self, size: usize) -> Vec<u8> {
        let line = |leaf: &crate::history::LeafOf| {
            let hash = self.event(leaf)["hash"].as_str().expect("a hash");
            [leaf_bytes(&leaf.stream, leaf.seq, hash).as_slice(), b"\n"].concat()
        };
        self.leaves[..size].iter().flat_map(line).collect()
    }
}
