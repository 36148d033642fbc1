//! The log of an organization with three events. Hashes, proofs and the signature are real.

use ed25519_dalek::Signer;

use super::evidence::{SIGNING_KEY, chain, key_id};
use super::facts::{HOUR, at, backup, destination, org};
use crate::id::StreamId;
use crate::log::Leaf;
use crate::log::checkpoint::{Checkpoint, object_key};
use crate::log::merkle::{Frontier, Hash, join};
use crate::model::{AuditCheckpoint, AuditCheckpointList, CheckpointCopy, ConsistencyProof, InclusionProof};

/// How many events of the backup's chain are in the log of the examples.
const SIZE: u64 = 3;

fn leaves() -> Vec<Hash> {
    chain().iter().take(3).map(|event| Leaf::from(event).leaf_hash()).collect()
}

fn root(size: usize) -> Hash {
    let mut edge = Frontier::default();
    for leaf in leaves().into_iter().take(size) {
        edge.push(leaf);
    }
    edge.root()
}

pub(super) fn list() -> AuditCheckpointList {
    let checkpoint = Checkpoint { org_id: org(), size: SIZE, root: root(3), at: at(HOUR) };
    let signature = SIGNING_KEY.sign(checkpoint.text().as_bytes());
    let copy = CheckpointCopy {
        destination_id: destination(),
        key: object_key(org(), SIZE, at(HOUR)),
        written_at: Some(at(HOUR + 1)),
    };
    let checkpoint = AuditCheckpoint {
        size: SIZE,
        root_hash: hex::encode(checkpoint.root),
        signed_at: checkpoint.at,
        note: checkpoint.note(&[(SIGNING_KEY.verifying_key(), signature)]),
        key_ids: vec![key_id()],
        copies: vec![copy],
    };
    AuditCheckpointList { checkpoints: vec![checkpoint], next_cursor: None }
}

pub(super) fn inclusion() -> InclusionProof {
    let leaves = leaves();
    InclusionProof {
        stream_id: StreamId::Backup(backup()),
        seq: 1,
        leaf: 0,
        size: SIZE,
        root_hash: hex::encode(root(3)),
        path: leaves[1..].iter().map(hex::encode).collect(),
    }
}

pub(super) fn consistency() -> ConsistencyProof {
    let leaves = leaves();
    ConsistencyProof {
        from: 2,
        to: SIZE,
        from_root_hash: hex::encode(join(&leaves[..2])),
        to_root_hash: hex::encode(root(3)),
        path: vec![hex::encode(leaves[2])],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::merkle::{verify_consistency, verify_inclusion};

    #[test]
    fn the_proofs_of_the_examples_verify() {
        let leaves = leaves();
        assert!(verify_inclusion(&leaves[0], 0, SIZE, &leaves[1..], &root(3)));
        assert!(verify_consistency(2, SIZE, &root(2), &root(3), &leaves[2..]));
        assert_eq!(consistency().from_root_hash, hex::encode(root(2)));
    }
}
