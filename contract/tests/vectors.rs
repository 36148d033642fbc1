//! What others published: canonical JSON, Merkle trees and signed notes have to come out as they say.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use walwarden_contract::log::merkle::{
    Hash, consistency, empty_root, inclusion, join, leaf_hash, subtrees, verify_consistency, verify_inclusion,
};
use walwarden_contract::log::note::{Note, key_hash};
use walwarden_contract::log::{Frontier, Node};

fn load<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("the vectors have this form")
}

#[derive(Deserialize)]
struct NumberVector {
    bits: String,
    text: Option<String>,
}

#[test]
fn numbers_are_written_as_in_appendix_b_of_rfc_8785() {
    for vector in load::<Vec<NumberVector>>(include_str!("vectors/json_numbers.json")) {
        let bits = u64::from_str_radix(&vector.bits, 16).expect("hex");
        let written = Number::from_f64(f64::from_bits(bits))
            .map(|number| serde_json_canonicalizer::to_string(&Value::Number(number)).expect("a form"));
        assert_eq!(written, vector.text, "{}", vector.bits);
    }
}

#[derive(Deserialize)]
struct DocumentVector {
    source: String,
    input: String,
    canonical: String,
}

#[test]
fn documents_are_written_as_in_rfc_8785_and_stay_as_they_are() {
    for vector in load::<Vec<DocumentVector>>(include_str!("vectors/json_documents.json")) {
        for text in [&vector.input, &vector.canonical] {
            let document: Value = serde_json::from_str(text).expect("JSON");
            let written = serde_json_canonicalizer::to_string(&document).expect("a form");
            assert_eq!(written, vector.canonical, "{}", vector.source);
        }
    }
}

#[derive(Deserialize)]
struct MerkleVectors {
    empty: String,
    leaves: Vec<String>,
    roots: Vec<String>,
    inclusion: Vec<InclusionVector>,
    consistency: Vec<ConsistencyVector>,
}

#[derive(Deserialize)]
struct InclusionVector {
    leaf: u64,
    size: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct ConsistencyVector {
    from: u64,
    to: u64,
    path: Vec<String>,
}

struct Tree {
    nodes: BTreeMap<(u32, u64), Hash>,
    roots: Vec<Hash>,
}

impl Tree {
    fn of(leaves: &[String]) -> Self {
        let (mut frontier, mut nodes, mut roots) = (Frontier::default(), BTreeMap::new(), Vec::new());
        for leaf in leaves {
            let complete = frontier.push(leaf_hash(&hex::decode(leaf).expect("hex")));
            nodes.extend(complete.into_iter().map(|(Node { level, index }, hash)| ((level, index), hash)));
            roots.push(frontier.root());
        }
        Self { nodes, roots }
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).expect("small") - 1]
    }

    fn path(&self, ranges: Vec<std::ops::Range<u64>>) -> Vec<Hash> {
        let hash = |node: &Node| self.nodes[&(node.level, node.index)];
        ranges.into_iter().map(|range| join(&subtrees(range).iter().map(hash).collect::<Vec<_>>())).collect()
    }
}

fn hashes(path: &[String]) -> Vec<Hash> {
    path.iter().map(|hash| hex::decode(hash).expect("hex").try_into().expect("32 bytes")).collect()
}

#[test]
fn roots_and_proofs_are_those_of_the_certificate_transparency_tests() {
    let vectors: MerkleVectors = load(include_str!("vectors/merkle.json"));
    let tree = Tree::of(&vectors.leaves);
    assert_eq!(hex::encode(empty_root()), vectors.empty);
    assert_eq!(tree.roots.iter().map(hex::encode).collect::<Vec<_>>(), vectors.roots);
    for InclusionVector { leaf, size, path } in vectors.inclusion {
        let path = hashes(&path);
        assert_eq!(tree.path(inclusion(leaf, size).expect("in the tree")), path, "{leaf} of {size}");
        let (hash, root) = (tree.nodes[&(0, leaf)], tree.root(size));
        let probe = |leaf, size, path: &[Hash], root| verify_inclusion(&hash, leaf, size, path, &root);
        assert!(probe(leaf, size, &path, root));
        for (leaf, size) in
            [(leaf.wrapping_sub(1), size), (leaf + 1, size), (leaf ^ 2, size), (leaf, size * 2), (leaf, size / 2)]
        {
            assert!(!probe(leaf, size, &path, root), "{leaf} of {size}");
        }
        assert!(!probe(leaf, size, &path, empty_root()));
        assert!(!probe(leaf, size, &[path.as_slice(), &[root]].concat(), root));
        assert!(!probe(leaf, size, &[&[root], path.as_slice()].concat(), root));
        assert!(path.is_empty() || !probe(leaf, size, &path[1..], root));
    }
    for ConsistencyVector { from, to, path } in vectors.consistency {
        let path = hashes(&path);
        assert_eq!(tree.path(consistency(from, to).expect("not the smaller one")), path, "{from} to {to}");
        let (first, second) = (tree.root(from), tree.root(to));
        assert!(verify_consistency(from, to, &first, &second, &path));
        assert!(!verify_consistency(from + 1, to, &first, &second, &path));
        assert!(!verify_consistency(from, to / 2, &first, &second, &path));
        assert!(!verify_consistency(from, to, &empty_root(), &second, &path));
        assert!(!verify_consistency(from, to, &first, &empty_root(), &path));
        assert!(!verify_consistency(from, to, &first, &second, &[path.as_slice(), &[first]].concat()));
        if !path.is_empty() {
            assert!(!verify_consistency(from - 1, to, &first, &second, &path));
            assert!(!verify_consistency(from, to * 2, &first, &second, &path));
            assert!(!verify_consistency(from, to, &second, &first, &path));
            assert!(!verify_consistency(from, to, &first, &second, &[]));
            assert!(!verify_consistency(from, to, &first, &second, &path[1..]));
        }
    }
}

#[derive(Deserialize)]
struct NoteVectors {
    keys: BTreeMap<String, NoteKey>,
    signed: Vec<SignedNote>,
    malformed: Vec<String>,
}

#[derive(Deserialize)]
struct NoteKey {
    hash: String,
    key: String,
    private: Option<String>,
}

#[derive(Deserialize)]
struct SignedNote {
    note: String,
    by: Vec<String>,
}

/// The bytes behind the type of the key.
fn key_bytes(text: &str) -> [u8; 32] {
    let bytes = STANDARD.decode(text).expect("base64");
    assert_eq!(bytes[0], 1, "Ed25519");
    bytes[1..].try_into().expect("32 bytes")
}

#[test]
fn notes_are_those_of_the_go_checksum_database() {
    let vectors: NoteVectors = load(include_str!("vectors/signed_notes.json"));
    let keys: BTreeMap<_, _> = vectors
        .keys
        .iter()
        .map(|(name, key)| (name, VerifyingKey::from_bytes(&key_bytes(&key.key)).expect("a point")))
        .collect();
    for (name, key) in &vectors.keys {
        assert_eq!(hex::encode(key_hash(name, &keys[name])), key.hash);
        let Some(private) = &key.private else { continue };
        let private = SigningKey::from_bytes(&key_bytes(private));
        let known = &vectors.signed[0].note;
        let text = Note::parse(known).expect("a note").text().to_owned();
        let signatures = [(private.verifying_key(), private.sign(text.as_bytes()))];
        assert_eq!(Note::write(&text, name, &signatures), *known);
    }
    for SignedNote { note, by } in vectors.signed {
        let read = Note::parse(&note).expect("a note");
        for (name, key) in &keys {
            assert_eq!(read.signed_by(name, key), by.contains(name).then_some(true), "{name}");
        }
        let altered = Note::parse(&note.replacen('o', "0", 1)).expect("a note");
        assert_eq!(altered.signed_by(&by[0], &keys[&by[0]]), Some(false));
    }
    for note in vectors.malformed {
        assert!(Note::parse(&note).is_err(), "{note:?}");
    }
}
