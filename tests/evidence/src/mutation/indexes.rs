//! Indexes that describe something else than what is there.

use serde_json::{Value, json};

use super::{Case, Content};
use crate::bundle::{Files, INDEX};
use crate::history::{sign, without};
use crate::setting::{Setting, backup, key};

const B: usize = backup::NEWEST;

fn edit(files: &mut Files, edit: impl FnOnce(&mut Value)) {
    files.edit(INDEX, edit);
}

pub(super) const CONTENTS: &[Content] = &[
    Content::index_early(
        "index: another database",
        B,
        |_, files| {
            edit(files, |it| it["databaseId"] = json!("db_00000000000000000000000000000009"));
        },
        "manifest_of_another_backup",
    ),
    Content::index_early(
        "index: another backup",
        B,
        |_, files| {
            edit(files, |it| it["backupJobId"] = json!("bkp_00000000000000000000000000000009"));
        },
        "manifest_of_another_backup",
    ),
    Content::index_early(
        "index: another manifest",
        B,
        |_, files| edit(files, |it| it["manifestHash"] = json!("00".repeat(32))),
        "manifest_hash_mismatch",
    ),
    Content::index_early(
        "index: another root",
        B,
        |_, files| edit(files, |it| it["checkpoint"]["rootHash"] = json!("00".repeat(32))),
        "checkpoint_root_mismatch",
    ),
    Content::index_early(
        "index: another size",
        B,
        |_, files| edit(files, |it| it["checkpoint"]["size"] = json!(1000)),
        "checkpoint_root_mismatch",
    ),
    Content::index(
        "index: one event fewer",
        B,
        |_, files| edit(files, |it| it["streams"][0]["events"] = json!(4)),
        "chain_truncated",
    ),
    Content::index(
        "index: one event more",
        B,
        |_, files| edit(files, |it| it["streams"][0]["events"] = json!(6)),
        "chain_truncated",
    ),
    Content::index(
        "index: another head",
        B,
        |_, files| edit(files, |it| it["streams"][0]["head"] = json!("00".repeat(32))),
        "chain_truncated",
    ),
    Content::index(
        "index: a chain that is not there",
        backup::DRILLED,
        |_, files| {
            edit(files, |it| {
                let mut stream = it["streams"][0].clone();
                stream["streamId"] = json!("rst_00000000000000000000000000000009");
                it["streams"].as_array_mut().expect("streams").push(stream);
            });
        },
        "chain_truncated",
    ),
    Content::index(
        "index: a chain is not named",
        backup::DRILLED,
        |_, files| {
            edit(files, |it| drop(it["streams"].as_array_mut().expect("streams").pop()));
        },
        "chain_truncated",
    ),
    Content::index(
        "index: a file has another hash",
        B,
        |_, files| edit(files, |it| it["files"][1]["sha256"] = json!("00".repeat(32))),
        "file_altered",
    ),
    Content::index(
        "index: a file has another length",
        B,
        |_, files| edit(files, |it| it["files"][1]["sizeBytes"] = json!(1)),
        "file_altered",
    ),
    Content::index(
        "index: a file that is not there",
        B,
        |_, files| {
            edit(files, |it| {
                let mut file = it["files"][0].clone();
                file["name"] = json!("artifact.dump");
                it["files"].as_array_mut().expect("files").push(file);
            });
        },
        "missing_file",
    ),
    Content::index(
        "index: a file is not named",
        B,
        |_, files| {
            edit(files, |it| drop(it["files"].as_array_mut().expect("files").pop()));
        },
        "file_altered",
    ),
    Content::index_early(
        "index: of another schema",
        B,
        |_, files| edit(files, |it| it["schema"] = json!("walwarden.bundle.v9")),
        "unknown_schema",
    ),
    Content::index_early(
        "index: without an organization",
        B,
        |_, files| edit(files, |it| *it = without(it, "orgId")),
        "unknown_schema",
    ),
    Content::index_early(
        "index: a size that is a text",
        B,
        |_, files| edit(files, |it| it["checkpoint"]["size"] = json!("7")),
        "unknown_schema",
    ),
];

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let edited = |name: &'static str, code: &str, edit: &dyn Fn(&mut Files)| {
        let mut files = setting.bundle(B);
        edit(&mut files);
        Case::new(name, files.archive(), code).signed("by nobody")
    };
    let signature = |files: &mut Files, edit: &dyn Fn(&str) -> String| {
        files.edit(INDEX, |index| index["signature"] = json!(edit(index["signature"].as_str().expect("a signature"))));
    };
    let invalid = "index_signature_invalid";
    vec![
        edited("index: no signature", invalid, &|files| edit(files, |it| *it = without(it, "signature"))),
        edited("index: an empty signature", invalid, &|files| signature(files, &|_| String::new())),
        edited("index: S is beyond the order", invalid, &|files| signature(files, &super::manifests::malleate)),
        edited("index: the signature has trailing bits", invalid, &|files| {
            signature(files, &super::manifests::with_trailing_bits);
        }),
        edited("index: the signature has no padding", invalid, &|files| {
            signature(files, &|it| it.trim_end_matches('=').to_owned());
        }),
        edited("index: another bundle's signature", invalid, &|files| {
            let other = setting.bundle(backup::UNCHECKED).json(INDEX)["signature"].clone();
            edit(files, |it| it["signature"] = other);
        }),
        edited("index: another bundle's", "manifest_of_another_backup", &|files| {
            files.file(INDEX).clone_from(setting.bundle(backup::OLDEST).file(INDEX));
        }),
        edited("index: no object", "unknown_schema", &|files| *files.file(INDEX) = b"true".to_vec()),
        edited("index: a key twice", "duplicate_json_key", &|files| {
            files.replace(
                INDEX,
                "\"backupJobId\"",
                "\"backupJobId\":\"bkp_00000000000000000000000000000009\",\"backupJobId\"",
            );
        }),
        edited("index: a line feed at the end", "json_not_canonical", &|files| files.file(INDEX).push(b'\n')),
        edited("index: a number as 5e0", "number_out_of_range", &|files| {
            files.replace(INDEX, "\"events\":5", "\"events\":5e0");
        }),
        edited("index: a member that this version does not know, signed", "", &|files| {
            edit(files, |it| {
                it["note"] = json!("fine");
                sign(it, &key(3));
            });
        })
        .signed("by its key")
        .verified("verified"),
    ]
}
