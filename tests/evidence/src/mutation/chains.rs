//! Chains that are not what happened to the backup.

use serde_json::{Value, json};

use super::Content;
use crate::bundle::{Files, INDEX, stream};
use crate::history::{canonical, chain_again, event_hash};
use crate::setting::backup;

const B: usize = backup::NEWEST;
const EXPIRED: usize = backup::OLDEST;
const EVENTS: &str = "audit_events.json";

fn events(files: &mut Files, edit: impl FnOnce(&mut Vec<Value>)) {
    files.edit(EVENTS, |events| edit(events.as_array_mut().expect("events")));
}

/// Links the events anew, and lets the index describe them.
fn accept(files: &mut Files) {
    events(files, |events| chain_again(events));
    describe(files);
}

fn describe(files: &mut Files) {
    let chain = files.json(EVENTS).as_array().expect("events").clone();
    files.edit(INDEX, |index| index["streams"][0] = stream(&chain));
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new(
        "chain: a payload is edited",
        B,
        |_, files| {
            events(files, |events| events[1]["payload"]["worker"] = json!("worker-2"));
        },
        "event_altered",
    ),
    Content::new(
        "chain: a payload gets a member",
        B,
        |_, files| {
            events(files, |events| events[4]["payload"]["checked"] = json!(true));
        },
        "event_altered",
    ),
    Content::new(
        "chain: a time is edited",
        B,
        |_, files| {
            events(files, |events| events[2]["at"] = json!("2026-01-31T02:00:00.000Z"));
        },
        "event_altered",
    ),
    Content::new(
        "chain: a time is spelled in another way",
        B,
        |_, files| {
            events(files, |events| {
                let at = events[2]["at"].as_str().expect("a time").replace('Z', "+00:00");
                events[2]["at"] = json!(at);
            });
        },
        "json_not_canonical",
    ),
    Content::new(
        "chain: a kind that this version does not know",
        B,
        |_, files| {
            events(files, |events| events[1]["kind"] = json!("backup.blessed"));
        },
        "unknown_schema",
    ),
    Content::new(
        "chain: a kind is edited",
        B,
        |_, files| {
            events(files, |events| events[1]["kind"] = json!("backup.running"));
        },
        "event_altered",
    ),
    Content::new(
        "chain: a hash is edited",
        B,
        |_, files| {
            events(files, |events| events[2]["hash"] = json!("00".repeat(32)));
        },
        "event_altered",
    ),
    Content::new(
        "chain: a link is edited",
        B,
        |_, files| {
            events(files, |events| events[2]["prevHash"] = json!("00".repeat(32)));
        },
        "chain_link_broken",
    ),
    Content::new(
        "chain: a link and the hash over it are edited",
        B,
        |_, files| {
            events(files, |events| {
                events[2]["prevHash"] = json!("00".repeat(32));
                events[2]["hash"] = json!(event_hash(&events[2]));
            });
        },
        "chain_link_broken",
    ),
    Content::new(
        "chain: a number is edited",
        B,
        |_, files| events(files, |events| events[2]["seq"] = json!(4)),
        "chain_gap",
    ),
    Content::new(
        "chain: an event is deleted",
        B,
        |_, files| events(files, |events| drop(events.remove(2))),
        "chain_gap",
    ),
    Content::new(
        "chain: an event is deleted and the numbers closed up",
        B,
        |_, files| {
            events(files, |events| {
                events.remove(2);
                for (seq, event) in (1..).zip(events) {
                    event["seq"] = json!(seq);
                }
            });
        },
        "chain_link_broken",
    ),
    Content::new(
        "chain: the first event is deleted",
        B,
        |_, files| events(files, |events| drop(events.remove(0))),
        "chain_gap",
    ),
    Content::new(
        "chain: an event is inserted",
        B,
        |_, files| {
            events(files, |events| events.insert(2, events[1].clone()));
        },
        "chain_gap",
    ),
    Content::new("chain: two events are swapped", B, |_, files| events(files, |events| events.swap(1, 2)), "chain_gap"),
    Content::new(
        "chain: the completion is cut off",
        B,
        |_, files| events(files, |events| events.truncate(4)),
        "completion_missing",
    ),
    Content::new(
        "chain: the tail is cut",
        EXPIRED,
        |_, files| events(files, |events| events.truncate(5)),
        "proof_missing",
    ),
    Content::late(
        "chain: the tail is cut, with its proofs",
        EXPIRED,
        |_, files| {
            events(files, |events| events.truncate(5));
            files.edit("proof.json", |proof| drop(proof["inclusion"].as_array_mut().expect("proofs").drain(5..7)));
        },
        "chain_truncated",
    ),
    Content::new("chain: empty", B, |_, files| events(files, Vec::clear), "chain_gap"),
    Content::new(
        "chain: edited and linked anew",
        B,
        |_, files| {
            events(files, |events| events[1]["payload"]["worker"] = json!("worker-2"));
            accept(files);
        },
        "inclusion_invalid",
    ),
    Content::new(
        "chain: an event is dropped and all linked anew",
        B,
        |_, files| {
            events(files, |events| drop(events.remove(2)));
            accept(files);
        },
        "chain_impossible",
    ),
    Content::new(
        "chain: completed twice, linked anew",
        B,
        |_, files| {
            events(files, |events| events.push(events[4].clone()));
            accept(files);
        },
        "chain_impossible",
    ),
    Content::new(
        "chain: goes on after it was cancelled, linked anew",
        B,
        |_, files| {
            events(files, |events| events[1]["kind"] = json!("backup.cancelled"));
            accept(files);
        },
        "chain_impossible",
    ),
    Content::new(
        "chain: holds an event of a restore, linked anew",
        B,
        |_, files| {
            events(files, |events| events[2]["kind"] = json!("restore.completed"));
            accept(files);
        },
        "chain_impossible",
    ),
    Content::new(
        "chain: another manifest was completed, linked anew",
        B,
        |_, files| {
            events(files, |events| events[4]["payload"]["manifestHash"] = json!("00".repeat(32)));
            accept(files);
        },
        "completion_missing",
    ),
    Content::new(
        "chain: more was checked, linked anew",
        backup::UNCHECKED,
        |_, files| {
            events(files, |events| events[4]["payload"]["checks"] = json!(["artifact_read_back"]));
            accept(files);
        },
        "inclusion_invalid",
    ),
    Content::new(
        "chain: another backup's",
        B,
        |setting, files| {
            let other = &setting.honest.backups[backup::UNCHECKED].id;
            *files.file(EVENTS) = canonical(&json!(setting.honest.streams[other]));
        },
        "event_of_another_chain",
    ),
    Content::new(
        "chain: another organization's",
        B,
        |setting, files| {
            let other = &setting.neighbour.backups[0].id;
            *files.file(EVENTS) = canonical(&json!(setting.neighbour.streams[other]));
        },
        "event_of_another_chain",
    ),
    Content::new(
        "chain: one event is another backup's",
        B,
        |setting, files| {
            let other = &setting.honest.streams[&setting.honest.backups[backup::UNCHECKED].id];
            events(files, |events| events[4] = other[4].clone());
        },
        "event_of_another_chain",
    ),
    Content::new(
        "chain: an event gets a member that no hash covers",
        B,
        |_, files| {
            events(files, |events| events[4]["approvedBy"] = json!("the auditor"));
        },
        "json_not_canonical",
    ),
    Content::new(
        "chain: an event loses a member",
        B,
        |_, files| {
            events(files, |events| drop(events[4].as_object_mut().map(|event| event.remove("prevHash"))));
        },
        "unknown_schema",
    ),
    Content::new(
        "chain: a number is a text",
        B,
        |_, files| events(files, |events| events[2]["seq"] = json!("3")),
        "unknown_schema",
    ),
    Content::new(
        "chain: a payload is null",
        B,
        |_, files| events(files, |events| events[2]["payload"] = json!(null)),
        "event_altered",
    ),
    Content::new(
        "chain: a hash is in upper case",
        B,
        |_, files| {
            events(files, |events| events[2]["hash"] = json!("AB".repeat(32)));
        },
        "event_altered",
    ),
    Content::new("chain: no array", B, |_, files| *files.file(EVENTS) = b"{}".to_vec(), "unknown_schema"),
];
