//! RFC 6962 Merkle trees: hashes, the ranges that a proof consists of, and the check of proofs. Nothing here holds a tree:
//! whoever keeps one stores the hashes of complete subtrees, of which every proof is made.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of a node over its two children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A complete subtree of `2^level` leaves, the `index`-th of its size from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 for a leaf.
    pub level: u32,
    /// From 0.
    pub index: u64,
}

/// The complete subtrees that a range of leaves consists of, from left to right, as [`join`] takes them. The range is one of
/// those that [`inclusion`] and [`consistency`] name, or begins at 0.
#[must_use]
pub fn subtrees(range: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let level = (range.end - start).ilog2();
        nodes.push(Node { level, index: start >> level });
        start += 1 << level;
    }
    nodes
}

/// The hash of a range of leaves, from the hashes of its [`subtrees`].
#[must_use]
pub fn join(hashes: &[Hash]) -> Hash {
    let (last, before) = match hashes.split_last() {
        Some((last, before)) => (*last, before),
        None => return empty_root(),
    };
    before.iter().rev().fold(last, |right, left| node_hash(left, &right))
}

/// The largest power of two smaller than `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The ranges whose hashes are the proof that a leaf stands in the tree of this size, in the order of the proof; `None` when
/// it does not stand in it.
#[must_use]
pub fn inclusion(leaf: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if leaf >= size {
        return None;
    }
    let (mut range, mut ranges) = (0..size, Vec::new());
    while range.end - range.start > 1 {
        let middle = range.start + split(range.end - range.start);
        if leaf < middle {
            ranges.push(middle..range.end);
            range.end = middle;
        } else {
            ranges.push(range.start..middle);
            range.start = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// The ranges whose hashes are the proof that the tree of size `to` begins with the tree of size `from`, in the order of the
/// proof; `None` when it is the smaller one.
#[must_use]
pub fn consistency(from: u64, to: u64) -> Option<Vec<Range<u64>>> {
    if from > to {
        return None;
    }
    if from == 0 || from == to {
        return Some(Vec::new());
    }
    let (mut range, mut ranges) = (0..to, Vec::new());
    while range.end != from {
        let middle = range.start + split(range.end - range.start);
        if from <= middle {
            ranges.push(middle..range.end);
            range.end = middle;
        } else {
            ranges.push(range.start..middle);
            range.start = middle;
        }
    }
    // Who checks the proof knows the root of the smaller tree; a part of it has to be named.
    if range.start > 0 {
        ranges.push(range);
    }
    ranges.reverse();
    Some(ranges)
}

/// Whether the path proves that a leaf of this hash stands at `leaf` in the tree of this size and root.
#[must_use]
pub fn verify_inclusion(hash: &Hash, leaf: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if leaf >= size {
        return false;
    }
    let (mut index, mut last, mut computed) = (leaf, size - 1, *hash);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if index % 2 == 1 || index == last {
            computed = node_hash(sibling, &computed);
            while index.is_multiple_of(2) && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    last == 0 && computed == *root
}

/// Whether the path proves that the tree of size `to` and root `to_root` begins with the one of size `from` and root `from_root`.
#[must_use]
pub fn verify_consistency(from: u64, to: u64, from_root: &Hash, to_root: &Hash, path: &[Hash]) -> bool {
    if from > to {
        return false;
    }
    if from == to {
        return path.is_empty() && from_root == to_root;
    }
    if from == 0 {
        return path.is_empty() && *from_root == empty_root();
    }
    let mut path = path.iter();
    let (mut index, mut last) = (from - 1, to - 1);
    while index % 2 == 1 {
        (index, last) = (index >> 1, last >> 1);
    }
    // A tree of a power of two leaves is itself the first node of the path.
    let first = if from.is_power_of_two() { Some(from_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if index % 2 == 1 || index == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while index.is_multiple_of(2) && index != 0 {
                (index, last) = (index >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (index, last) = (index >> 1, last >> 1);
    }
    last == 0 && old == *from_root && new == *to_root
}

/// The right edge of a growing tree: the hashes of the complete subtrees that it consists of. One for each bit of the size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of this size, from the hashes of `subtrees(0..size)`; `None` when their number is another.
    #[must_use]
    pub fn resume(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of `subtrees(0..size)`, from which [`Self::resume`] goes on.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.hashes)
    }

    /// Appends a leaf, and answers the nodes that are complete with it, its own first.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        let mut completed = vec![(node, hash)];
        while node.index % 2 == 1
            && let Some(left) = self.hashes.pop()
        {
            node = Node { level: node.level + 1, index: node.index / 2 };
            hash = node_hash(&left, &hash);
            completed.push((node, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        completed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn tree_hash(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let mut middle = 1;
                while middle * 2 < leaves.len() {
                    middle *= 2;
                }
                node_hash(&tree_hash(&leaves[..middle]), &tree_hash(&leaves[middle..]))
            }
        }
    }

    struct Tree {
        leaves: Vec<Vec<u8>>,
        nodes: BTreeMap<Node, Hash>,
        roots: Vec<Hash>,
    }

    fn tree(size: u64) -> Tree {
        let (mut frontier, mut nodes, mut roots) = (Frontier::default(), BTreeMap::new(), vec![empty_root()]);
        let leaves: Vec<Vec<u8>> = (0..size).map(|leaf| leaf.to_be_bytes().to_vec()).collect();
        for leaf in &leaves {
            nodes.extend(frontier.push(leaf_hash(leaf)));
            roots.push(frontier.root());
        }
        Tree { leaves, nodes, roots }
    }

    impl Tree {
        fn hash(&self, range: Range<u64>) -> Hash {
            join(&subtrees(range).iter().map(|node| self.nodes[node]).collect::<Vec<_>>())
        }

        fn path(&self, ranges: Vec<Range<u64>>) -> Vec<Hash> {
            ranges.into_iter().map(|range| self.hash(range)).collect()
        }
    }

    const SIZE: u64 = 70;

    #[test]
    fn roots_are_those_of_the_definition() {
        let tree = tree(SIZE);
        for size in 0..=SIZE {
            let expected = tree_hash(&tree.leaves[..usize::try_from(size).expect("small")]);
            assert_eq!(tree.hash(0..size), expected, "{size}");
            assert_eq!(tree.roots[usize::try_from(size).expect("small")], expected, "{size}");
        }
    }

    #[test]
    fn every_leaf_is_proven_in_every_size_and_nothing_else_is() {
        let tree = tree(SIZE);
        for size in 1..=SIZE {
            let root = tree.hash(0..size);
            for leaf in 0..size {
                let hash = tree.nodes[&Node { level: 0, index: leaf }];
                let path = tree.path(inclusion(leaf, size).expect("stands in it"));
                assert!(verify_inclusion(&hash, leaf, size, &path, &root), "{leaf} of {size}");
                assert!(!verify_inclusion(&hash, leaf + 1, size, &path, &root) || size == 1, "{leaf} of {size}");
                assert!(!verify_inclusion(&root, leaf, size, &path, &hash) || size == 1);
                for cut in 0..path.len() {
                    assert!(!verify_inclusion(&hash, leaf, size, &path[..cut], &root), "{leaf} of {size}");
                }
            }
            assert_eq!(inclusion(size, size), None);
        }
    }

    #[test]
    fn every_size_is_proven_to_begin_with_every_smaller_one() {
        let tree = tree(SIZE);
        for to in 0..=SIZE {
            let to_root = tree.hash(0..to);
            for from in 0..=to {
                let from_root = tree.hash(0..from);
                let path = tree.path(consistency(from, to).expect("not larger"));
                assert!(verify_consistency(from, to, &from_root, &to_root, &path), "{from} of {to}");
                if from > 0 && from < to {
                    assert!(!verify_consistency(from, to, &to_root, &to_root, &path), "{from} of {to}");
                    assert!(!verify_consistency(from, to, &from_root, &from_root, &path), "{from} of {to}");
                    assert!(!verify_consistency(from, to, &from_root, &to_root, &path[1..]), "{from} of {to}");
                }
            }
            assert_eq!(consistency(to + 1, to), None);
        }
    }

    #[test]
    fn a_frontier_goes_on_where_it_was() {
        let tree = tree(SIZE);
        for size in 0..SIZE {
            let hashes = subtrees(0..size).iter().map(|node| tree.nodes[node]).collect();
            let mut frontier = Frontier::resume(size, hashes).expect("one for each bit");
            frontier.push(leaf_hash(&tree.leaves[usize::try_from(size).expect("small")]));
            assert_eq!(frontier.root(), tree.hash(0..size + 1), "{size}");
        }
        assert_eq!(Frontier::resume(3, vec![empty_root()]), None);
    }

    proptest! {
        #[test]
        fn a_changed_path_proves_nothing(size in 2..SIZE, pick in any::<u64>(), at in any::<usize>(), flip in 1_u8..=255) {
            let tree = tree(size);
            let (leaf, root) = (pick % size, tree.hash(0..size));
            let mut path = tree.path(inclusion(leaf, size).expect("stands in it"));
            let at = at % path.len();
            path[at][0] ^= flip;
            let hash = tree.nodes[&Node { level: 0, index: leaf }];
            prop_assert!(!verify_inclusion(&hash, leaf, size, &path, &root));
        }
    }
}
