//! History rewritten by somebody who holds the signing key and the database: everything is computed again and signed again.
//! What is left is what somebody remembers.

use serde_json::{Value, json};

use super::Case;
use crate::history::{History, chain_again, sign};
use crate::setting::{Setting, backup, key};

/// Rewrites the honest history, and signs every checkpoint of it anew.
fn rewritten(setting: &Setting, edit: impl FnOnce(&mut History)) -> History {
    let mut history = setting.honest.clone();
    edit(&mut history);
    for events in history.streams.values_mut() {
        chain_again(events);
    }
    let at = history.clone().now();
    let sizes: Vec<usize> = history.checkpoints.iter().map(|(size, _)| (*size).min(history.leaves.len())).collect();
    history.checkpoints = sizes.into_iter().map(|size| (size, history.note(size, at, &[&key(3)]))).collect();
    history
}

fn edit_event(history: &mut History, stream: &str, seq: usize, edit: impl FnOnce(&mut Value)) {
    edit(&mut history.streams.get_mut(stream).expect("a chain")[seq - 1]);
}

/// Takes an event out of its chain and out of the log.
fn drop_event(history: &mut History, stream: &str, seq: u64) {
    let events = history.streams.get_mut(stream).expect("a chain");
    events.remove(usize::try_from(seq - 1).expect("small"));
    history.leaves.retain(|leaf| leaf.stream != stream || leaf.seq != seq);
    for leaf in history.leaves.iter_mut().filter(|leaf| leaf.stream == stream && leaf.seq > seq) {
        leaf.seq -= 1;
    }
}

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let newest = backup::NEWEST;
    let id = setting.honest.backups[newest].id.clone();
    let oldest = setting.honest.backups[backup::OLDEST].id.clone();
    let org_id = setting.honest.org_id.clone();
    let histories: [(&'static str, History, usize, &str); 6] = [
        (
            "rewritten: an event of another backup is edited",
            rewritten(setting, |it| {
                edit_event(it, &oldest, 2, |event| event["payload"]["worker"] = json!("worker-2"));
            }),
            newest,
            "verified",
        ),
        (
            "rewritten: an event of this backup is edited",
            rewritten(setting, |it| {
                edit_event(it, &id, 2, |event| event["payload"]["worker"] = json!("worker-2"));
            }),
            newest,
            "verified",
        ),
        (
            "rewritten: the record says that more was checked",
            rewritten(setting, |it| {
                let unchecked = it.backups[backup::UNCHECKED].id.clone();
                edit_event(it, &unchecked, 5, |event| {
                    event["payload"]["checks"] = json!(["artifact_read_back"]);
                    event["payload"]["verifiedBy"] = json!("walwarden-api 0.1.0");
                });
            }),
            backup::UNCHECKED,
            "verified",
        ),
        (
            "rewritten: the artifact is another one",
            rewritten(setting, |it| {
                let mut manifest = it.backups[newest].document();
                manifest["artifact"]["checksumSha256"] = json!("00".repeat(32));
                sign(&mut manifest, &key(3));
                it.backups[newest].manifest = crate::history::canonical(&manifest);
                let hash = it.backups[newest].manifest_hash();
                edit_event(it, &id, 5, |event| event["payload"]["manifestHash"] = json!(hash));
            }),
            newest,
            "verified",
        ),
        (
            "rewritten: an event of the organization is dropped",
            rewritten(setting, |it| drop_event(it, &org_id, 2)),
            newest,
            "verified",
        ),
        (
            "rewritten: the restore that failed never was",
            rewritten(setting, |it| {
                let failed = it.backups[backup::DRILLED].restores.remove(0);
                it.streams.remove(&failed);
                it.leaves.retain(|leaf| leaf.stream != failed);
            }),
            backup::DRILLED,
            "drilled",
        ),
    ];
    let mut cases = Vec::new();
    for (name, mut history, number, state) in histories {
        let (size, newest) = &setting.honest.checkpoints[setting.newest()];
        if history.leaves.len() == *size {
            let archive = history.bundle(number, setting.newest()).archive();
            let same = Case::new(name, archive, "forked").signed("by the stolen key, anchored at its size");
            cases.push(same.remembering(newest.as_str()));
        }
        // Then the log grows until it is longer than whatever anybody remembers.
        while history.leaves.len() <= *size {
            history.organization("api_key.issued", json!({ "name": "filler" }));
        }
        history.checkpoint();
        let last = history.checkpoints.len() - 1;
        let archive = |remembered: usize| {
            let (size, note) = &history.checkpoints[last];
            history.bundle_as_of(number, *size, note, &[remembered]).archive()
        };
        let (size, note) = &setting.honest.checkpoints[setting.newest()];
        // Whoever remembers nothing cannot tell: the verifier says that, and nothing more.
        cases.push(Case::new(name, archive(*size), "").signed("by the stolen key").verified(state));
        cases.push(
            Case::new(name, archive(*size), "consistency_invalid")
                .signed("by the stolen key, anchored")
                .remembering(note.as_str()),
        );
    }
    let (size, _) = setting.honest.checkpoints[3];
    let at = setting.honest.clone().now();
    let note = setting.honest.note(size, at, &[&key(3)]);
    let rolled = setting.honest.bundle_as_of(backup::UNCHECKED, size, &note, &[]);
    let (_, newest_note) = &setting.honest.checkpoints[setting.newest()];
    cases.push(
        Case::new("rewritten: rolled back to an earlier size, signed today", rolled.archive(), "rolled_back")
            .signed("by the stolen key, anchored")
            .remembering(newest_note.as_str()),
    );
    cases
}
