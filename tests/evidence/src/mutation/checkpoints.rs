//! Checkpoints that are not the log's, in the bundle and beside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Case, Content};
use crate::bundle::{Files, INDEX};
use crate::setting::{Setting, backup, key};

const B: usize = backup::NEWEST;
const NOTE: &str = "checkpoint.txt";
const INVALID: &str = "checkpoint_signature_invalid";
const MALFORMED: &str = "malformed_checkpoint";

/// Rewrites the signature of the last line.
fn edit_signature(note: &str, edit: impl FnOnce(&str) -> String) -> String {
    let line = note.trim_end();
    let (before, signature) = line.rsplit_once(' ').expect("a signature line");
    format!("{before} {}\n", edit(signature))
}

fn flipped(signature: &str) -> String {
    let mut bytes = STANDARD.decode(signature).expect("base64");
    bytes[20] ^= 1;
    STANDARD.encode(bytes)
}

fn edit(files: &mut Files, edit: impl FnOnce(&str) -> String) {
    let note = edit(&files.text(NOTE));
    *files.file(NOTE) = note.into_bytes();
}

fn line(note: &str, number: usize, edit: impl FnOnce(&str) -> String) -> String {
    let mut lines: Vec<String> = note.lines().map(str::to_owned).collect();
    lines[number] = edit(&lines[number]);
    lines.join("\n") + "\n"
}

/// Signs another head of the honest log with the stolen key.
fn resigned(setting: &Setting, edit: impl FnOnce(&str) -> String) -> String {
    use ed25519_dalek::Signer;
    use walwarden_contract::log::note::Note;
    let (_, note) = &setting.honest.checkpoints[setting.newest()];
    let (text, _) = note.split_once("\n\n").expect("a note");
    let text = edit(&format!("{text}\n"));
    let name = text.lines().next().expect("an origin").to_owned();
    Note::write(&text, &name, &[(key(3).verifying_key(), key(3).sign(text.as_bytes()))])
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "checkpoint: a bit of the signature is flipped",
        B,
        |_, files| edit(files, |it| edit_signature(it, flipped)),
        INVALID,
    ),
    Content::new(
        "checkpoint: S is beyond the order",
        B,
        |_, files| edit(files, |it| edit_signature(it, super::manifests::malleate)),
        INVALID,
    ),
    Content::new(
        "checkpoint: the signature is cut",
        B,
        |_, files| {
            edit(files, |it| {
                edit_signature(it, |signature| STANDARD.encode(&STANDARD.decode(signature).expect("base64")[..40]))
            });
        },
        INVALID,
    ),
    Content::new(
        "checkpoint: the size is edited",
        B,
        |_, files| edit(files, |it| line(it, 1, |_| "1000".to_owned())),
        INVALID,
    ),
    Content::new(
        "checkpoint: the root is edited",
        B,
        |_, files| edit(files, |it| line(it, 2, |_| STANDARD.encode([7; 32]))),
        INVALID,
    ),
    Content::new(
        "checkpoint: the time is edited",
        B,
        |_, files| {
            edit(files, |it| line(it, 3, |_| "time 2026-12-31T02:00:00.000Z".to_owned()));
        },
        INVALID,
    ),
    Content::new(
        "checkpoint: signed by another key only",
        B,
        |setting, files| {
            let at = setting.honest.clone().now();
            *files.file(NOTE) = setting.honest.note(setting.honest.leaves.len(), at, &[&key(100)]).into_bytes();
        },
        "checkpoint_unsigned_by_trusted_key",
    ),
    Content::new(
        "checkpoint: the line names another key",
        B,
        |_, files| {
            edit(files, |it| {
                edit_signature(it, |signature| {
                    let mut bytes = STANDARD.decode(signature).expect("base64");
                    bytes[0] ^= 1;
                    STANDARD.encode(bytes)
                })
            });
        },
        "checkpoint_unsigned_by_trusted_key",
    ),
    Content::new(
        "checkpoint: one of two trusted signatures is false",
        B,
        |setting, files| {
            let at = setting.honest.clone().now();
            let note = setting.honest.note(setting.honest.leaves.len(), at, &[&key(3), &key(2)]);
            *files.file(NOTE) = edit_signature(&note, flipped).into_bytes();
        },
        INVALID,
    ),
    Content::new(
        "checkpoint: another root, signed with the stolen key",
        B,
        |setting, files| {
            *files.file(NOTE) = resigned(setting, |it| line(it, 2, |_| STANDARD.encode([7; 32]))).into_bytes();
        },
        "checkpoint_root_mismatch",
    ),
    Content::new(
        "checkpoint: another size, signed with the stolen key",
        B,
        |setting, files| {
            *files.file(NOTE) = resigned(setting, |it| line(it, 1, |_| "1000".to_owned())).into_bytes();
        },
        "checkpoint_root_mismatch",
    ),
    Content::new(
        "checkpoint: an earlier one",
        B,
        |setting, files| {
            *files.file(NOTE) = setting.honest.checkpoints[3].1.clone().into_bytes();
        },
        "checkpoint_root_mismatch",
    ),
    Content::new(
        "checkpoint: an earlier one, by the key before",
        B,
        |setting, files| {
            *files.file(NOTE) = setting.honest.checkpoints[2].1.clone().into_bytes();
        },
        "checkpoint_unsigned_by_trusted_key",
    ),
    Content::new(
        "checkpoint: another organization's",
        B,
        |setting, files| {
            *files.file(NOTE) = setting.neighbour.checkpoints[0].1.clone().into_bytes();
        },
        "checkpoint_of_another_organization",
    ),
    Content::new(
        "checkpoint: no signature",
        B,
        |_, files| edit(files, |it| it.split_once("\n\n").expect("a note").0.to_owned() + "\n\n"),
        MALFORMED,
    ),
    Content::new("checkpoint: no blank line", B, |_, files| edit(files, |it| it.replace("\n\n", "\n")), MALFORMED),
    Content::new("checkpoint: CRLF", B, |_, files| edit(files, |it| it.replace('\n', "\r\n")), MALFORMED),
    Content::new(
        "checkpoint: no line feed at the end",
        B,
        |_, files| edit(files, |it| it.trim_end().to_owned()),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a hyphen for the dash",
        B,
        |_, files| edit(files, |it| it.replace('\u{2014}', "-")),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a leading zero",
        B,
        |_, files| edit(files, |it| line(it, 1, |size| format!("0{size}"))),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a sign before the size",
        B,
        |_, files| edit(files, |it| line(it, 1, |size| format!("+{size}"))),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a size beyond 64 bits",
        B,
        |_, files| edit(files, |it| line(it, 1, |_| "18446744073709551616".to_owned())),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: the root has no padding",
        B,
        |_, files| {
            edit(files, |it| line(it, 2, |root| root.trim_end_matches('=').to_owned()));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: the root has trailing bits",
        B,
        |_, files| {
            edit(files, |it| line(it, 2, super::manifests::with_trailing_bits));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: the signature has trailing bits",
        B,
        |_, files| {
            // 68 bytes end in one character of padding, whose neighbour has two bits that stand for nothing.
            edit(files, |it| edit_signature(it, super::manifests::with_trailing_bits));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a root of 31 bytes",
        B,
        |_, files| {
            edit(files, |it| line(it, 2, |_| STANDARD.encode([7; 31])));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: one more line",
        B,
        |_, files| edit(files, |it| line(it, 3, |time| format!("{time}\nnote fine"))),
        MALFORMED,
    ),
    Content::new(
        "checkpoint: the time is spelled in another way",
        B,
        |_, files| {
            edit(files, |it| line(it, 3, |time| time.replace('Z', "+00:00")));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a control character in a stranger's name",
        B,
        |_, files| {
            edit(files, |it| format!("{it}\u{2014} a\u{1}b AAAAAAAA\n"));
        },
        MALFORMED,
    ),
    Content::new(
        "checkpoint: a hundred signatures",
        B,
        |_, files| {
            edit(files, |it| it.to_owned() + &"\u{2014} witness AAAAAAAA\n".repeat(100));
        },
        MALFORMED,
    ),
    Content::new("checkpoint: bytes that are no UTF-8", B, |_, files| files.file(NOTE).push(0xff), MALFORMED),
    Content::new("checkpoint: empty", B, |_, files| files.file(NOTE).clear(), MALFORMED),
];

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let honest = &setting.honest;
    let bundle = setting.bundle(B).archive();
    let (size, newest) = &honest.checkpoints[setting.newest()];
    let remembering =
        |name: &'static str, note: String, code: &str| Case::new(name, bundle.clone(), code).remembering(note);
    let at = honest.clone().now();
    let earlier = honest.bundle(backup::UNCHECKED, 3);
    let mut without_proof = setting.bundle(B);
    without_proof.edit("proof.json", |proof| proof["consistency"] = json!([]));
    without_proof.seal(&key(3));
    let mut another_path = setting.bundle(B);
    another_path.edit("proof.json", |proof| {
        for entry in proof["consistency"].as_array_mut().expect("proofs") {
            let nodes = entry["path"].as_array_mut().expect("a path");
            *nodes.last_mut().expect("a node") = json!("00".repeat(32));
        }
    });
    another_path.seal(&key(3));
    let mut cut_path = setting.bundle(B);
    cut_path.edit("proof.json", |proof| {
        for entry in proof["consistency"].as_array_mut().expect("proofs") {
            entry["path"].as_array_mut().expect("a path").pop();
        }
    });
    cut_path.seal(&key(3));
    let mut unindexed = setting.bundle(B);
    unindexed.edit(INDEX, |index| index["checkpoint"]["size"] = json!(size - 1));
    unindexed.seal(&key(3));
    let old = &honest.checkpoints[2].1;
    vec![
        remembering("remembered: malformed", "I was here\n".to_owned(), MALFORMED),
        remembering("remembered: CRLF", newest.replace('\n', "\r\n"), MALFORMED),
        remembering("remembered: edited", line(newest, 2, |_| STANDARD.encode([7; 32])), INVALID),
        remembering("remembered: a bit of the signature is flipped", edit_signature(newest, flipped), INVALID),
        remembering(
            "remembered: signed by another key",
            honest.note(*size, at, &[&key(100)]),
            "checkpoint_unsigned_by_trusted_key",
        ),
        remembering(
            "remembered: another organization's",
            setting.neighbour.checkpoints[0].1.clone(),
            "checkpoint_of_another_organization",
        ),
        remembering(
            "remembered: another root for the same size",
            resigned(setting, |it| line(it, 2, |_| STANDARD.encode([7; 32]))),
            "forked",
        ),
        remembering(
            "remembered: newer than the bundle",
            resigned(setting, |it| line(it, 1, |_| (size + 5).to_string())),
            "rolled_back",
        ),
        Case::new("remembered: newer than an earlier bundle", earlier.archive(), "rolled_back")
            .remembering(newest.as_str()),
        Case::new("remembered: the bundle proves nothing about it", without_proof.archive(), "consistency_missing")
            .signed("by the stolen key")
            .remembering(old.as_str()),
        Case::new("remembered: the proof is edited", another_path.archive(), "consistency_invalid")
            .signed("by the stolen key")
            .remembering(old.as_str()),
        Case::new("remembered: the proof is cut", cut_path.archive(), "consistency_invalid")
            .signed("by the stolen key")
            .remembering(old.as_str()),
        Case::new("checkpoint: the index is as of another size", unindexed.archive(), "checkpoint_root_mismatch")
            .signed("by the stolen key"),
    ]
}
