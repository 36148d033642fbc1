//! The Merkle log of the invented organization, by the recursive definitions of RFC 6962: slow, and as they stand there.

use walwarden_contract::log::merkle::{Hash, empty_root, node_hash};

/// The largest power of two that is smaller than `size`.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The root over leaf hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// The proof that the leaf of this index stands in the tree over these leaves.
#[must_use]
pub fn inclusion(leaf: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, other) =
        if leaf < at { (inclusion(leaf, left), right) } else { (inclusion(leaf - at, right), left) };
    path.push(root(other));
    path
}

/// The proof that the tree over these leaves begins with the tree over the first `from` of them.
#[must_use]
pub fn consistency(from: usize, leaves: &[Hash]) -> Vec<Hash> {
    if from == 0 || from >= leaves.len() { Vec::new() } else { subproof(from, leaves, true) }
}

fn subproof(from: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if from == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut path, other) =
        if from <= at { (subproof(from, left, whole), right) } else { (subproof(from - at, right, false), left) };
    path.push(root(other));
    path
}
