//! Proofs that are not of the events that are there.

use serde_json::{Value, json};

use super::Content;
use crate::bundle::Files;
use crate::setting::backup;

const B: usize = backup::NEWEST;
const PROOF: &str = "proof.json";
const INVALID: &str = "inclusion_invalid";
const MISSING: &str = "proof_missing";

fn edit(files: &mut Files, edit: impl FnOnce(&mut Value)) {
    files.edit(PROOF, edit);
}

fn entries(files: &mut Files, edit: impl FnOnce(&mut Vec<Value>)) {
    files.edit(PROOF, |proof| edit(proof["inclusion"].as_array_mut().expect("proofs")));
}

fn path(entry: &mut Value) -> &mut Vec<Value> {
    entry["path"].as_array_mut().expect("a path")
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "proof: a node is edited",
        B,
        |_, files| entries(files, |it| path(&mut it[0])[1] = json!("00".repeat(32))),
        INVALID,
    ),
    Content::new("proof: a node is cut", B, |_, files| entries(files, |it| drop(path(&mut it[0]).pop())), INVALID),
    Content::new(
        "proof: a node is added",
        B,
        |_, files| entries(files, |it| path(&mut it[0]).push(json!("00".repeat(32)))),
        INVALID,
    ),
    Content::new("proof: the path is empty", B, |_, files| entries(files, |it| path(&mut it[0]).clear()), INVALID),
    Content::new("proof: another leaf", B, |_, files| entries(files, |it| it[0]["leaf"] = json!(1)), INVALID),
    Content::new(
        "proof: a leaf beyond the log",
        B,
        |_, files| entries(files, |it| it[0]["leaf"] = json!(100_000)),
        INVALID,
    ),
    Content::new(
        "proof: two leaves are swapped",
        B,
        |_, files| {
            entries(files, |it| {
                let (first, second) = (it[0]["leaf"].clone(), it[1]["leaf"].clone());
                it[0]["leaf"] = second;
                it[1]["leaf"] = first;
            });
        },
        INVALID,
    ),
    Content::new("proof: one is left out", B, |_, files| entries(files, |it| drop(it.remove(2))), MISSING),
    Content::new("proof: the completion's is left out", B, |_, files| entries(files, |it| drop(it.remove(4))), MISSING),
    Content::new(
        "proof: one more than there are events",
        B,
        |_, files| entries(files, |it| it.push(it[0].clone())),
        MISSING,
    ),
    Content::new(
        "proof: one of a number that is not there",
        B,
        |_, files| entries(files, |it| it[1]["seq"] = json!(9)),
        MISSING,
    ),
    Content::new(
        "proof: one of another chain",
        B,
        |_, files| {
            entries(files, |it| it[1]["stream"] = json!("bkp_00000000000000000000000000000009"));
        },
        MISSING,
    ),
    Content::new("proof: two are swapped", B, |_, files| entries(files, |it| it.swap(0, 1)), MISSING),
    Content::new("proof: as of another size", B, |_, files| edit(files, |it| it["size"] = json!(1000)), INVALID),
    Content::new(
        "proof: of another log",
        B,
        |setting, files| {
            let other = format!("walwarden.audit/{}", setting.neighbour.org_id);
            edit(files, |it| it["origin"] = json!(other));
        },
        INVALID,
    ),
    Content::new(
        "proof: of another schema",
        B,
        |_, files| edit(files, |it| it["schema"] = json!("walwarden.proof.v2")),
        "unknown_schema",
    ),
    Content::new(
        "proof: a node in upper case",
        B,
        |_, files| entries(files, |it| path(&mut it[0])[0] = json!("AB".repeat(32))),
        INVALID,
    ),
    Content::new(
        "proof: a node of 31 bytes",
        B,
        |_, files| entries(files, |it| path(&mut it[0])[0] = json!("ab".repeat(31))),
        INVALID,
    ),
    Content::new(
        "proof: a leaf below zero",
        B,
        |_, files| entries(files, |it| it[0]["leaf"] = json!(-1)),
        "unknown_schema",
    ),
    Content::new(
        "proof: a leaf of 1.5",
        B,
        |_, files| entries(files, |it| it[0]["leaf"] = json!(1.5)),
        "number_out_of_range",
    ),
    Content::new(
        "proof: a member that no version knows",
        B,
        |_, files| edit(files, |it| it["note"] = json!("fine")),
        "json_not_canonical",
    ),
];
