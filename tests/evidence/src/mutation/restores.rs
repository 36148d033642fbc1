//! Restores that were not, and states that nothing proves.

use serde_json::{Value, json};

use super::Content;
use crate::bundle::{Files, INDEX, stream};
use crate::history::chain_again;
use crate::setting::{Setting, backup};

const B: usize = backup::DRILLED;
const RESTORES: &str = "restore_events.json";
const NOT_PROVEN: &str = "state_not_proven";

fn restores(files: &mut Files, edit: impl FnOnce(&mut Vec<Value>)) {
    files.edit(RESTORES, |restores| edit(restores.as_array_mut().expect("restores")));
}

fn chain(restore: &mut Value) -> &mut Vec<Value> {
    restore.as_array_mut().expect("events")
}

/// Lets index and proof agree with the restores that are there.
fn accept(setting: &Setting, files: &mut Files) {
    let mut chains = vec![files.json("audit_events.json")];
    chains.extend(files.json(RESTORES).as_array().expect("restores").clone());
    let streams: Vec<Value> = chains.iter().map(|chain| stream(chain.as_array().expect("events"))).collect();
    files.edit(INDEX, |index| index["streams"] = json!(streams));
    chains.push(files.json("key_events.json"));
    let events: Vec<&Value> = chains.iter().flat_map(|chain| chain.as_array().expect("events")).collect();
    let honest = &setting.honest;
    let proof = honest.proof(&events, honest.leaves.len(), &[]);
    files.edit("proof.json", |document| *document = proof);
}

fn claim(files: &mut Files, edit: impl FnOnce(&mut Value)) {
    files.edit(INDEX, |index| edit(&mut index["recoverability"]));
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "restore: an event is edited",
        B,
        |_, files| {
            restores(files, |restores| restores[1][0]["payload"]["mode"] = json!("in_place"));
        },
        "event_altered",
    ),
    Content::new(
        "restore: an event is deleted",
        B,
        |_, files| {
            restores(files, |restores| drop(chain(&mut restores[1]).remove(3)));
        },
        "chain_gap",
    ),
    Content::new(
        "restore: the verification is dropped and all linked anew",
        B,
        |_, files| {
            restores(files, |restores| {
                chain(&mut restores[1]).remove(5);
                chain_again(chain(&mut restores[1]));
            });
        },
        "chain_impossible",
    ),
    Content::new(
        "restore: the tail is cut",
        B,
        |_, files| {
            restores(files, |restores| chain(&mut restores[1]).truncate(6));
        },
        "proof_missing",
    ),
    Content::late(
        "restore: the completion is cut off, and the index agrees",
        B,
        |setting, files| {
            restores(files, |restores| chain(&mut restores[1]).truncate(6));
            accept(setting, files);
        },
        NOT_PROVEN,
    )
    .nobody(super::UNSIGNED),
    Content::new(
        "restore: a failure is made a success, linked anew",
        B,
        |_, files| {
            restores(files, |restores| {
                restores.remove(1);
                let failed = chain(&mut restores[0]);
                failed.pop();
                for kind in ["restoring", "finalizing", "completed"] {
                    let mut event = failed[5].clone();
                    event["kind"] = json!(format!("restore.{kind}"));
                    failed.push(event);
                }
                chain_again(failed);
            });
            let streams: Vec<Value> = files
                .json(RESTORES)
                .as_array()
                .expect("restores")
                .iter()
                .map(|it| stream(it.as_array().expect("events")))
                .collect();
            files.edit(INDEX, |index| {
                index["streams"] = json!([index["streams"][0], streams[0]]);
                index["recoverability"]["drill"]["restoreJobId"] = streams[0]["streamId"].clone();
            });
        },
        "inclusion_invalid",
    ),
    Content::new(
        "restore: one is left out",
        B,
        |_, files| restores(files, |restores| drop(restores.remove(0))),
        "proof_missing",
    ),
    Content::late(
        "restore: the one that went well is left out, and the index agrees",
        B,
        |setting, files| {
            restores(files, |restores| drop(restores.remove(1)));
            accept(setting, files);
        },
        NOT_PROVEN,
    )
    .nobody(super::UNSIGNED),
    Content::new(
        "restore: another backup's is claimed",
        backup::NEWEST,
        |setting, files| {
            let other = setting.bundle(B).json(RESTORES);
            restores(files, |restores| restores.push(other[1].clone()));
            accept(setting, files);
        },
        "event_of_another_chain",
    ),
    Content::new(
        "restore: another organization's is claimed",
        B,
        |setting, files| {
            let other = setting.neighbour.bundle(0, 0).json(RESTORES);
            restores(files, |restores| restores.push(other[0].clone()));
        },
        "event_of_another_chain",
    ),
    Content::new(
        "restore: the backup's own chain stands among them",
        B,
        |setting, files| {
            let own = setting.bundle(B).json("audit_events.json");
            restores(files, |restores| restores.push(own));
        },
        "event_of_another_chain",
    ),
    Content::index(
        "state: verified, and the record does not say so",
        backup::UNCHECKED,
        |_, files| {
            claim(files, |state| {
                *state = json!({
                    "state": "verified", "readBackAt": "2026-01-31T02:00:00.000Z", "verifiedBy": "walwarden-api 0.1.0",
                    "checks": ["artifact_read_back"], "drill": null,
                });
            });
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: only the word is raised",
        backup::NEWEST,
        |_, files| {
            claim(files, |state| state["state"] = json!("drilled"));
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: a drill that was not",
        backup::NEWEST,
        |setting, files| {
            let drill = setting.bundle(B).json(INDEX)["recoverability"]["drill"].clone();
            claim(files, |state| {
                state["state"] = json!("drilled");
                state["drill"] = drill;
            });
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: the restore that failed is named",
        B,
        |setting, files| {
            let failed = setting.honest.backups[B].restores[0].clone();
            claim(files, |state| state["drill"]["restoreJobId"] = json!(failed));
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: less than is proven",
        B,
        |_, files| {
            claim(files, |state| {
                state["state"] = json!("verified");
                state["drill"] = json!(null);
            });
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: more checks than there were",
        backup::NEWEST,
        |_, files| {
            claim(files, |state| state["checks"] = json!(["artifact_read_back", "manifest_read_back", "rows_counted"]));
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: read back at another time",
        backup::NEWEST,
        |_, files| {
            claim(files, |state| state["readBackAt"] = json!("2026-06-30T02:00:00.000Z"));
        },
        NOT_PROVEN,
    ),
    Content::index(
        "state: checked by another version",
        backup::NEWEST,
        |_, files| {
            claim(files, |state| state["verifiedBy"] = json!("walwarden-api 9.9.9"));
        },
        NOT_PROVEN,
    ),
];
