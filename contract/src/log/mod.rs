//! The transparency log of an organization: every audit event is a leaf of an RFC 6962 Merkle tree, whose head is signed.

pub mod checkpoint;
mod leaf;
pub mod merkle;
pub mod note;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use leaf::{Leaf, leaf_bytes};
pub use merkle::{Frontier, Hash, Node};
