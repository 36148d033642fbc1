//! Exports of a period: what a bundle cannot show, that nothing is left out, the leaves of the whole log do.

use serde_json::{Value, json};

use super::{Case, Verdict};
use crate::bundle::{Files, INDEX, stream};
use crate::export::{LEAVES, ORGANIZATION};
use crate::history::canonical;
use crate::setting::{Setting, backup, key};

const INCOMPLETE: &str = "leaves_incomplete";
const ALL: [usize; 5] = [0, 1, 2, 3, 4];

type Edit = fn(&Setting, &mut Files);

fn edit_lines(files: &mut Files, edit: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = files.text(LEAVES).lines().map(|line| format!("{line}\n")).collect();
    edit(&mut lines);
    *files.file(LEAVES) = lines.concat().into_bytes();
}

/// Cuts the tail of a chain, and lets proof and index agree.
fn cut(setting: &Setting, files: &mut Files, name: &str, events: usize) {
    files.edit(name, |chain| chain.as_array_mut().expect("events").truncate(events));
    accept(setting, files);
}

/// Lets proof and index agree with the chains that are there.
fn accept(setting: &Setting, files: &mut Files) {
    let is_chain =
        |name: &&str| name.ends_with("audit_events.json") || name.starts_with("restores/") || *name == ORGANIZATION;
    let names: Vec<String> = files.0.iter().map(|(name, _)| name.clone()).collect();
    let chains: Vec<Value> = names.iter().map(String::as_str).filter(is_chain).map(|name| files.json(name)).collect();
    let events: Vec<&Value> = chains.iter().flat_map(|chain| chain.as_array().expect("events")).collect();
    let proof = setting.honest.proof(&events, setting.honest.leaves.len(), &[]);
    *files.file("proof.json") = canonical(&proof);
    let streams: Vec<Value> = chains.iter().map(|chain| stream(chain.as_array().expect("events"))).collect();
    files.edit(INDEX, |index| index["streams"] = json!(streams));
}

fn events_of(setting: &Setting, number: usize) -> String {
    format!("backups/{}/audit_events.json", setting.honest.backups[number].id)
}

/// What somebody with the stolen key does to an organization's export, and what that is found with.
const STOLEN: &[(&str, Edit, &str)] = &[
    (
        "period: the tail of a backup's chain is cut",
        |setting, files| {
            cut(setting, files, &events_of(setting, backup::OLDEST), 5);
        },
        INCOMPLETE,
    ),
    (
        "period: the tail of the organization's chain is cut",
        |setting, files| {
            let events = files.json(ORGANIZATION).as_array().expect("events").len();
            cut(setting, files, ORGANIZATION, events - 1);
        },
        INCOMPLETE,
    ),
    (
        "period: the tail of a restore's chain is cut",
        |setting, files| {
            let restore = setting.honest.backups[backup::DRILLED].restores[0].clone();
            cut(setting, files, &format!("restores/{restore}.json"), 6);
        },
        INCOMPLETE,
    ),
    (
        "period: the revocation is dropped from the organization's chain",
        |setting, files| {
            files.edit(ORGANIZATION, |events| {
                events.as_array_mut().expect("events").retain(|event| event["kind"] != "signing_key.revoked");
            });
            accept(setting, files);
        },
        "chain_gap",
    ),
    ("leaves: one is missing", |_, files| edit_lines(files, |lines| drop(lines.remove(3))), INCOMPLETE),
    ("leaves: the last is missing", |_, files| edit_lines(files, |lines| drop(lines.pop())), INCOMPLETE),
    ("leaves: one more", |_, files| edit_lines(files, |lines| lines.push(lines[0].clone())), INCOMPLETE),
    ("leaves: two are swapped", |_, files| edit_lines(files, |lines| lines.swap(0, 1)), INCOMPLETE),
    ("leaves: one is edited", |_, files| files.replace(LEAVES, "\"seq\":1,", "\"seq\":2,"), INCOMPLETE),
    ("leaves: a space", |_, files| files.replace(LEAVES, ",", ", "), INCOMPLETE),
    ("leaves: one has a member more", |_, files| files.replace(LEAVES, "{", "{\"a\":1,"), INCOMPLETE),
    (
        "leaves: the last line does not end",
        |_, files| {
            files.file(LEAVES).pop();
        },
        INCOMPLETE,
    ),
    ("leaves: none", |_, files| files.file(LEAVES).clear(), INCOMPLETE),
    ("leaves: no text", |_, files| *files.file(LEAVES) = vec![0xff; 64], INCOMPLETE),
    ("leaves: left out", |_, files| drop(files.0.pop()), "missing_file"),
    (
        "period: a backup was not completed in it",
        |_, files| {
            files.edit(INDEX, |index| index["scope"]["from"] = json!("2026-03-01T00:00:00.000Z"));
        },
        "manifest_of_another_backup",
    ),
    (
        "period: a backup is of another database",
        |_, files| {
            files.edit(INDEX, |index| index["scope"]["databaseId"] = json!("db_00000000000000000000000000000009"));
        },
        "manifest_of_another_backup",
    ),
    (
        "period: a backup is named twice",
        |_, files| {
            files.edit(INDEX, |index| {
                let first = index["backups"][0].clone();
                index["backups"].as_array_mut().expect("backups").push(first);
            });
        },
        "missing_file",
    ),
    (
        "period: a backup is not named",
        |_, files| {
            files.edit(INDEX, |index| drop(index["backups"].as_array_mut().expect("backups").pop()));
        },
        "unexpected_file",
    ),
    (
        "period: two backups are named in another order",
        |_, files| {
            files.edit(INDEX, |index| index["backups"].as_array_mut().expect("backups").swap(0, 1));
        },
        "missing_file",
    ),
    (
        "period: a restore stands beside another backup",
        |_, files| {
            let restore = files.0.iter().position(|(name, _)| name.starts_with("restores/")).expect("a restore");
            let restore = files.0.remove(restore);
            files.0.insert(2, restore);
        },
        "event_of_another_chain",
    ),
    (
        "period: a restore's file has another name",
        |setting, files| {
            let [first, second] = setting.honest.backups[backup::DRILLED].restores.clone().try_into().expect("two");
            let (one, other) =
                (files.position(&format!("restores/{first}.json")), files.position(&format!("restores/{second}.json")));
            let (content, others) = (files.0[one].1.clone(), files.0[other].1.clone());
            files.0[one].1 = others;
            files.0[other].1 = content;
        },
        "event_of_another_chain",
    ),
    (
        "period: a state that nothing proves",
        |_, files| {
            files.edit(INDEX, |index| index["backups"][3]["recoverability"]["state"] = json!("verified"));
        },
        "state_not_proven",
    ),
    (
        "period: a state says more than it can",
        |_, files| {
            files.edit(INDEX, |index| index["backups"][4]["recoverability"]["rowsCompared"] = json!(7));
        },
        "state_not_proven",
    ),
    (
        "period: an event of the organization is edited",
        |_, files| {
            files.edit(ORGANIZATION, |events| events[1]["payload"]["name"] = json!("shop-2"));
        },
        "event_altered",
    ),
    (
        "period: the organization's chain is another's",
        |setting, files| {
            let other = &setting.neighbour.streams[&setting.neighbour.org_id];
            *files.file(ORGANIZATION) = canonical(&json!(other));
        },
        "event_of_another_chain",
    ),
    (
        "period: the leaves of another organization",
        |setting, files| {
            let other = setting.neighbour.export(&[0], true).file(LEAVES).clone();
            *files.file(LEAVES) = other;
        },
        INCOMPLETE,
    ),
];

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let honest = &setting.honest;
    let newest = honest.checkpoints[setting.newest()].1.as_str();
    let holds = |case: Case| {
        let anchored = case.checkpoint.is_some();
        Case { expected: Verdict::Verified { anchored, state: None }, ..case }
    };
    let (whole, database) = (honest.export(&ALL, true), honest.export(&ALL, false));
    let mut cases = vec![
        holds(Case::new("true: an organization's period", whole.archive(), "")),
        holds(
            Case::new("true: an organization's period, to somebody who remembers", whole.archive(), "")
                .remembering(newest),
        ),
        holds(Case::new("true: a database's period", database.archive(), "").remembering(newest)),
        holds(
            Case::new("true: a period beside one of its artifacts", whole.archive(), "")
                .with_artifact(honest.backups[1].artifact.clone()),
        ),
        holds(Case::new("true: a period without backups", honest.export(&[], true).archive(), "")),
        Case::new("period: beside an artifact of another", whole.archive(), "artifact_altered")
            .with_artifact(setting.neighbour.backups[0].artifact.clone()),
    ];
    for (name, edit, code) in STOLEN {
        let mut files = whole.clone();
        edit(setting, &mut files);
        files.seal(&key(3));
        cases.push(Case::new(name, files.archive(), code).signed("by the stolen key, anchored").remembering(newest));
    }
    let mut unsigned = whole.clone();
    edit_lines(&mut unsigned, |lines| lines.swap(0, 1));
    cases.push(Case::new("leaves: two are swapped", unsigned.archive(), "file_altered").signed("by nobody"));
    // An export of a database does not show that nothing is left out, and says so.
    let mut silent = database;
    cut(setting, &mut silent, &events_of(setting, backup::OLDEST), 5);
    silent.seal(&key(3));
    cases.push(holds(
        Case::new("period of a database: the tail of a backup's chain is cut", silent.archive(), "")
            .signed("by the stolen key, anchored")
            .remembering(newest),
    ));
    cases
}
