//! What a leaf of the log says: which event stands at which place of which chain.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::merkle::{Hash, leaf_hash};
use crate::audit::AuditEvent;

/// One leaf. The event's hash commits to its content and to everything before it in its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Leaf {
    /// The event's hash.
    pub hash: String,
    /// Its number in its chain.
    pub seq: u64,
    /// Whose chain it is.
    pub stream: String,
}

impl Leaf {
    /// The bytes that are hashed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        leaf_bytes(&self.stream, self.seq, &self.hash)
    }

    /// The hash of the leaf.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.bytes())
    }
}

impl From<&AuditEvent> for Leaf {
    fn from(event: &AuditEvent) -> Self {
        Self { hash: event.hash.clone(), seq: event.seq, stream: event.job_id.clone() }
    }
}

/// The bytes of a leaf: the RFC 8785 form of `{"hash", "seq", "stream"}`.
///
/// # Panics
/// Never: texts and whole numbers have a canonical form.
#[must_use]
pub fn leaf_bytes(stream: &str, seq: u64, hash: &str) -> Vec<u8> {
    let leaf = json!({ "hash": hash, "seq": seq, "stream": stream });
    serde_json_canonicalizer::to_vec(&leaf).expect("texts and whole numbers have a canonical form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_written_as_it_is_published() {
        assert_eq!(leaf_bytes("bkp_x", 7, "ab"), br#"{"hash":"ab","seq":7,"stream":"bkp_x"}"#);
        let leaf = Leaf { hash: "ab".to_owned(), seq: 7, stream: "bkp_x".to_owned() };
        assert_eq!(serde_json::from_slice::<Leaf>(&leaf.bytes()).ok(), Some(leaf));
    }
}
