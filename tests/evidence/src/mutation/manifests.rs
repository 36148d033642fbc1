//! Manifests that are not the one that was signed.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use walwarden_contract::manifest::key_id;

use super::{Case, Content};
use crate::bundle::{Files, INDEX};
use crate::history::{canonical, sha256, sign, without};
use crate::setting::{Setting, backup, key};

const MANIFEST: &str = "manifest.json";
const B: usize = backup::NEWEST;
/// The order of the group, in little-endian bytes.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Another text of the same signature, for whoever takes S for a number without bounds.
pub(super) fn malleate(signature: &str) -> String {
    let mut bytes = STANDARD.decode(signature).expect("base64");
    let end = bytes.len();
    let mut carry = 0;
    for (byte, added) in bytes[end - 32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    STANDARD.encode(bytes)
}

/// The same bytes in base64 whose last character has bits that stand for nothing.
pub(super) fn with_trailing_bits(text: &str) -> String {
    let stem = text.trim_end_matches('=');
    let (before, last) = stem.split_at(stem.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{before}{next}{}", "=".repeat(text.len() - stem.len()))
}

/// A signature whose R is the neutral element: with the key it can be made, and it would verify without a look at R.
fn with_small_order(key: &SigningKey, message: &[u8]) -> String {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let challenge = Sha512::new()
        .chain_update(neutral)
        .chain_update(key.verifying_key().as_bytes())
        .chain_update(message)
        .finalize();
    let challenge = Scalar::from_bytes_mod_order_wide(&challenge.into());
    let s = challenge * key.to_scalar();
    STANDARD.encode([neutral, s.to_bytes()].concat())
}

fn edit(files: &mut Files, edit: impl FnOnce(&mut Value)) {
    files.edit(MANIFEST, edit);
}

fn edit_signature(files: &mut Files, edit: impl FnOnce(&str) -> String) {
    files.edit(MANIFEST, |manifest| {
        manifest["signature"] = json!(edit(manifest["signature"].as_str().expect("a signature")));
    });
}

fn hash_of(files: &Files) -> String {
    sha256(&canonical(&without(&files.json(MANIFEST), "signature")))
}

/// Signs the manifest with the stolen key, and lets the index name it.
fn accept(files: &mut Files) {
    edit(files, |manifest| sign(manifest, &key(3)));
    let hash = hash_of(files);
    files.edit(INDEX, |index| index["manifestHash"] = json!(hash));
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "manifest: a field is edited",
        B,
        |_, files| edit(files, |it| it["artifact"]["sizeBytes"] = json!(1)),
        INVALID,
    ),
    Content::new("manifest: a field is added", B, |_, files| edit(files, |it| it["note"] = json!("fine")), INVALID),
    Content::new(
        "manifest: a field is removed",
        B,
        |_, files| edit(files, |it| *it = without(it, "encryption")),
        INVALID,
    ),
    Content::new(
        "manifest: the signature is stripped",
        B,
        |_, files| edit(files, |it| *it = without(it, "signature")),
        UNSIGNED,
    ),
    Content::new(
        "manifest: the signature is null",
        B,
        |_, files| edit(files, |it| it["signature"] = json!(null)),
        UNSIGNED,
    ),
    Content::new(
        "manifest: the signature is empty",
        B,
        |_, files| edit(files, |it| it["signature"] = json!("")),
        INVALID,
    ),
    Content::new(
        "manifest: the signature is another manifest's",
        B,
        |setting, files| {
            let other = setting.honest.backups[backup::UNCHECKED].document();
            edit(files, |it| it["signature"] = other["signature"].clone());
        },
        INVALID,
    ),
    Content::new("manifest: S is beyond the order", B, |_, files| edit_signature(files, malleate), INVALID),
    Content::new(
        "manifest: R is of small order",
        B,
        |_, files| {
            let signed = canonical(&without(&files.json(MANIFEST), "signature"));
            edit_signature(files, |_| with_small_order(&key(3), &signed));
        },
        INVALID,
    ),
    Content::new(
        "manifest: the signature has no padding",
        B,
        |_, files| {
            edit_signature(files, |text| STANDARD_NO_PAD.encode(STANDARD.decode(text).expect("base64")));
        },
        INVALID,
    ),
    Content::new(
        "manifest: the signature has trailing bits",
        B,
        |_, files| edit_signature(files, with_trailing_bits),
        INVALID,
    ),
    Content::new(
        "manifest: the signature has a line feed",
        B,
        |_, files| edit_signature(files, |it| format!("{it}\n")),
        INVALID,
    ),
    Content::new(
        "manifest: signed by another key in the installation's name",
        B,
        |_, files| {
            edit(files, |it| sign(it, &key(100)));
        },
        INVALID,
    ),
    Content::new(
        "manifest: signed by another key in its own name",
        B,
        |_, files| {
            edit(files, |it| {
                it["keyId"] = json!(key_id(&key(100).verifying_key()));
                sign(it, &key(100));
            });
        },
        "key_not_trusted",
    ),
    Content::new(
        "manifest: signed by a key that anybody can sign for",
        B,
        |_, files| {
            edit(files, |it| {
                it["keyId"] = json!(format!("wk_{}", &sha256(&[0; 32])[..16]));
                it["signature"] = json!(STANDARD.encode([0; 64]));
            });
        },
        "key_not_trusted",
    ),
    Content::new(
        "manifest: another backup's",
        B,
        |setting, files| {
            files.file(MANIFEST).clone_from(&setting.honest.backups[backup::OLDEST].manifest);
            let hash = hash_of(files);
            files.edit(INDEX, |index| index["manifestHash"] = json!(hash));
        },
        "manifest_of_another_backup",
    )
    .nobody("manifest_of_another_backup"),
    Content::new(
        "manifest: another organization's, and the index names it",
        B,
        |setting, files| {
            files.file(MANIFEST).clone_from(&setting.neighbour.backups[0].manifest);
            let hash = hash_of(files);
            files.edit(INDEX, |index| index["manifestHash"] = json!(hash));
        },
        "manifest_of_another_backup",
    ),
    Content::new(
        "manifest: edited and signed with the stolen key",
        B,
        |_, files| {
            edit(files, |it| it["artifact"]["checksumSha256"] = json!("00".repeat(32)));
            accept(files);
        },
        "completion_missing",
    ),
    Content::new(
        "manifest: of another schema, signed with the stolen key",
        B,
        |_, files| {
            edit(files, |it| it["schema"] = json!("walwarden.manifest.v2"));
            accept(files);
        },
        "unknown_schema",
    ),
    Content::new(
        "manifest: of a database that is not the index's, signed with the stolen key",
        B,
        |_, files| {
            edit(files, |it| it["databaseId"] = json!("db_00000000000000000000000000000009"));
            accept(files);
        },
        "manifest_of_another_backup",
    ),
    Content::new("manifest: no object", B, |_, files| *files.file(MANIFEST) = b"[]".to_vec(), "unknown_schema"),
];

const INVALID: &str = "manifest_signature_invalid";
const UNSIGNED: &str = "manifest_unsigned";

/// What needs a history of its own, or something beside the archive.
pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let mut late = setting.honest.clone();
    let number = late.backup(crate::setting::REVOKED, true);
    late.checkpoint();
    let newest = late.checkpoints.len() - 1;
    let by_revoked = late.bundle(number, newest).archive();

    let with_artifact = |artifact: Vec<u8>| {
        let mut files = super::honest::with_artifact(setting, B);
        *files.file("artifact.dump") = artifact;
        files.seal(&key(3));
        files.archive()
    };
    let artifact = setting.honest.backups[B].artifact.clone();
    let mut altered = artifact.clone();
    altered[7] ^= 1;
    let mut unsealed = super::honest::with_artifact(setting, B);
    unsealed.file("artifact.dump").clone_from(&altered);
    let bundle = setting.bundle(B).archive();
    vec![
        Case::new("manifest: by a key that had been revoked before", by_revoked.clone(), "key_revoked")
            .signed("by the revoked key"),
        Case::new("manifest: by a key that had been revoked before", by_revoked, "key_revoked")
            .signed("by the revoked key, anchored")
            .remembering(late.checkpoints[newest].1.as_str()),
        Case::new("artifact: altered beside the bundle", bundle.clone(), "artifact_altered")
            .with_artifact(altered.clone()),
        Case::new("artifact: cut beside the bundle", bundle.clone(), "artifact_altered").with_artifact(&artifact[..9]),
        Case::new("artifact: another backup's beside the bundle", bundle, "artifact_altered")
            .with_artifact(setting.honest.backups[backup::OLDEST].artifact.clone()),
        Case::new("artifact: altered in the bundle", unsealed.archive(), "artifact_altered").signed("by nobody"),
        Case::new("artifact: altered in the bundle", with_artifact(altered), "artifact_altered")
            .signed("by the stolen key"),
        Case::new("artifact: cut in the bundle", with_artifact(artifact[..9].to_vec()), "artifact_altered")
            .signed("by the stolen key"),
    ]
}
