//! Keys that are not to be trusted, and statements that make nothing of them.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use walwarden_contract::key::{Revocation, Rotation};
use walwarden_contract::manifest::key_id;

use super::{Case, Content};
use crate::bundle::{Files, INDEX};
use crate::history::{History, event_hash, sign};
use crate::setting::{REVOKED, Setting, backup, key, pem};

const B: usize = backup::NEWEST;
const STATEMENTS: &str = "key_events.json";
const INVALID: &str = "key_statement_invalid";

fn statements(files: &mut Files, edit: impl FnOnce(&mut Vec<Value>)) {
    files.edit(STATEMENTS, |statements| edit(statements.as_array_mut().expect("statements")));
}

/// Edits what a statement says, and lets its event's hash agree.
fn edit_statement(files: &mut Files, number: usize, edit: impl FnOnce(&mut Value)) {
    statements(files, |statements| {
        edit(&mut statements[number]["payload"]);
        statements[number]["hash"] = json!(event_hash(&statements[number]));
    });
}

fn rotation(previous: &SigningKey, next: &SigningKey) -> Value {
    let at = "2026-01-31T02:00:00.000Z".parse().expect("a time");
    let statement = Rotation::new(&previous.verifying_key(), &next.verifying_key(), at);
    let bytes = statement.signed_bytes();
    json!(statement.signed(&previous.sign(&bytes), &next.sign(&bytes)))
}

fn revocation(revoked: &SigningKey, by: &SigningKey) -> Value {
    let (revoked, by_id) = (key_id(&revoked.verifying_key()), key_id(&by.verifying_key()));
    let at = "2026-01-31T02:00:00.000Z".parse().expect("a time");
    let statement = Revocation::new(revoked, "Somebody says so.".to_owned(), at, by_id);
    let signature = by.sign(&statement.signed_bytes());
    json!(statement.signed(&signature))
}

/// The number of the revocation among the statements: it follows the second rotation.
const REVOCATION: usize = 2;

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "keys: a rotation is edited",
        B,
        |_, files| {
            statements(files, |it| it[0]["payload"]["rotatedAt"] = json!("2026-01-31T02:00:00.000Z"));
        },
        "event_altered",
    ),
    Content::new(
        "keys: a rotation is edited and hashed anew",
        B,
        |_, files| {
            edit_statement(files, 0, |it| it["rotatedAt"] = json!("2026-01-31T02:00:00.000Z"));
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation loses the old key's signature",
        B,
        |_, files| {
            edit_statement(files, 0, |it| {
                let old = it["previousKeyId"].as_str().expect("an id").to_owned();
                it["signatures"].as_object_mut().expect("signatures").remove(&old);
            });
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation loses the new key's signature",
        B,
        |_, files| {
            edit_statement(files, 0, |it| {
                let new = it["keyId"].as_str().expect("an id").to_owned();
                it["signatures"].as_object_mut().expect("signatures").remove(&new);
            });
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation loses all signatures",
        B,
        |_, files| {
            edit_statement(files, 0, |it| it["signatures"] = json!({}));
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation to another key under the same id",
        B,
        |_, files| {
            edit_statement(files, 2 + 1, |it| it["publicKey"] = json!(pem(&key(100))));
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation's signature has S beyond the order",
        B,
        |_, files| {
            edit_statement(files, 0, |it| {
                let new = it["keyId"].as_str().expect("an id").to_owned();
                let signature = super::manifests::malleate(it["signatures"][&new].as_str().expect("a signature"));
                it["signatures"][&new] = json!(signature);
            });
        },
        INVALID,
    ),
    Content::new(
        "keys: a rotation to a key that anybody can sign for",
        B,
        |_, files| {
            edit_statement(files, 0, |it| {
                let zero = pem_of([0; 32]);
                it["keyId"] = json!(format!("wk_{}", &crate::history::sha256(&[0; 32])[..16]));
                it["publicKey"] = json!(zero);
            });
        },
        INVALID,
    ),
    Content::new(
        "keys: a second heir of a key that was stolen later",
        B,
        |_, files| {
            edit_statement(files, 1, |it| *it = rotation(&key(0), &key(100)));
        },
        INVALID,
    ),
    Content::new(
        "keys: a second forebear of the current key",
        B,
        |_, files| {
            edit_statement(files, 0, |it| *it = rotation(&key(100), &key(3)));
        },
        INVALID,
    ),
    Content::new(
        "keys: keys that follow one another in a circle",
        B,
        |_, files| {
            edit_statement(files, REVOCATION, |it| *it = rotation(&key(3), &key(0)));
            statements(files, |it| it[REVOCATION]["kind"] = json!("signing_key.rotated"));
            edit_statement(files, REVOCATION, |_| ());
        },
        INVALID,
    ),
    Content::new(
        "keys: a revocation is edited and hashed anew",
        B,
        |_, files| {
            edit_statement(files, REVOCATION, |it| it["reason"] = json!("another"));
        },
        INVALID,
    ),
    Content::new(
        "keys: a key revokes itself",
        B,
        |_, files| {
            edit_statement(files, REVOCATION, |it| *it = revocation(&key(1), &key(1)));
        },
        INVALID,
    ),
    Content::new(
        "keys: the current key is revoked by an earlier one",
        B,
        |_, files| {
            edit_statement(files, REVOCATION, |it| *it = revocation(&key(3), &key(0)));
        },
        INVALID,
    ),
    Content::new(
        "keys: a statement of another schema",
        B,
        |_, files| {
            edit_statement(files, 0, |it| it["schema"] = json!("walwarden.key_rotation.v2"));
        },
        INVALID,
    ),
    Content::new(
        "keys: a revocation by somebody else takes the place of ours",
        backup::BEFORE_REVOCATION,
        |_, files| {
            edit_statement(files, REVOCATION, |it| *it = revocation(&key(1), &key(100)));
        },
        "inclusion_invalid",
    ),
    Content::new(
        "keys: a statement is left out",
        B,
        |_, files| statements(files, |it| drop(it.remove(REVOCATION))),
        "proof_missing",
    ),
    Content::new("keys: all statements are left out", B, |_, files| statements(files, Vec::clear), "proof_missing"),
    Content::new(
        "keys: another organization's statements",
        B,
        |setting, files| {
            let other = setting.neighbour.bundle(0, 0).json(STATEMENTS);
            files.edit(STATEMENTS, |it| *it = other);
        },
        "event_of_another_chain",
    ),
    Content::index(
        "keys: the index names a key that nobody knows",
        B,
        |_, files| {
            files.edit(INDEX, |index| index["keyId"] = json!("wk_0000000000000000"));
        },
        "key_not_trusted",
    )
    .nobody("key_not_trusted")
    .another("index_signature_invalid"),
];

fn pem_of(bytes: [u8; 32]) -> String {
    pem_of_der(&[&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], bytes.as_slice()].concat())
}

fn pem_of_der(der: &[u8]) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

/// A bundle whose index, and whose checkpoint, some key signed.
fn signed_by(history: &History, key: &SigningKey) -> Files {
    let mut files = history.bundle(B, history.checkpoints.len() - 1);
    let size = history.leaves.len();
    let at = history.clone().now();
    *files.file("checkpoint.txt") = history.note(size, at, &[key]).into_bytes();
    files.seal(key);
    files
}

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let bundle = setting.bundle(B).archive();
    let mut own = setting.bundle(B);
    own.seal(&key(100));
    let by_revoked = signed_by(&setting.honest, &key(u8::try_from(REVOKED).expect("small")));
    let mut half = setting.bundle(B);
    half.seal(&key(u8::try_from(REVOKED).expect("small")));
    let mut superseded = setting.bundle(B);
    superseded.seal(&key(2));
    let mut without = setting.bundle(B);
    statements(&mut without, Vec::clear);
    without.edit("proof.json", |proof| proof["inclusion"].as_array_mut().expect("proofs").truncate(5));
    without.seal(&key(3));
    let malformed = |text: &str| Case::new("key: no public key", bundle.clone(), "malformed_public_key").with_key(text);
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n-----END PRIVATE KEY-----\n";
    let mut heir = setting.honest.clone();
    heir.rotate(key(100));
    heir.organization("signing_key.revoked", revocation(&key(2), &key(1)));
    heir.checkpoint();
    let late = heir.bundle(backup::DRILLED, heir.checkpoints.len() - 1);
    let mut unsigned = setting.bundle(B);
    unsigned.edit(INDEX, |index| sign(index, &key(101)));
    vec![
        Case::new("key: somebody else's", bundle.clone(), "key_not_trusted").with_key(pem(&key(100))),
        Case::new("keys: all is signed by somebody else", own.archive(), "key_not_trusted").signed("by another key"),
        Case::new("keys: the index is signed by a revoked key", half.archive(), "key_revoked")
            .signed("by the revoked key"),
        Case::new("keys: index and checkpoint are signed by a revoked key", by_revoked.archive(), "key_revoked")
            .signed("by the revoked key"),
        Case::new("keys: index and checkpoint are signed by a revoked key", by_revoked.archive(), "key_revoked")
            .signed("by the revoked key")
            .with_key(pem(&key(1))),
        Case::new("keys: the index is signed by a key that was handed over", superseded.archive(), "key_superseded")
            .signed("by an earlier key"),
        Case::new(
            "keys: the statements are left out, to somebody with the first key",
            without.archive(),
            "key_not_trusted",
        )
        .signed("by the stolen key")
        .with_key(pem(&key(0))),
        Case::new("keys: what a revoked key revokes changes nothing", late.archive(), "").verified("drilled"),
        Case::new("index: signed by a key that it does not name", unsigned.archive(), "index_signature_invalid"),
        malformed(""),
        malformed("wk_0000000000000000"),
        malformed(private),
        malformed(&pem(&key(3))[..60]),
        malformed(&pem_of_der(&[0x30; 44])),
        malformed(&pem_of([0; 32])),
        malformed(&pem_of(std::array::from_fn(|place| u8::from(place == 0)))),
        malformed(&pem_of([0xff; 32])),
    ]
}
