//! What is true, in all the ways in which it can be.

use super::Case;
use crate::bundle::{Files, INDEX};
use crate::setting::{Setting, backup, key, pem};

fn case(name: &'static str, files: &Files, state: &str) -> Case {
    Case::new(name, files.archive(), "").verified(state)
}

/// A bundle with the artifact in it.
pub(super) fn with_artifact(setting: &Setting, number: usize) -> Files {
    let mut files = setting.bundle(number);
    files.0.push(("artifact.dump".to_owned(), setting.honest.backups[number].artifact.clone()));
    files.seal(&key(3));
    files
}

pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let honest = &setting.honest;
    let mut cases = vec![
        case("true: by the first key", &setting.bundle(backup::OLDEST), "verified"),
        case("true: by a key that was revoked afterwards", &setting.bundle(backup::BEFORE_REVOCATION), "verified"),
        case("true: with a restore that failed and one that went well", &setting.bundle(backup::DRILLED), "drilled"),
        case("true: with a record that does not say what was checked", &setting.bundle(backup::UNCHECKED), "completed"),
        case("true: by the current key", &setting.bundle(backup::NEWEST), "verified"),
        case("true: with the artifact in it", &with_artifact(setting, backup::NEWEST), "verified"),
    ];
    let newest = setting.bundle(backup::NEWEST);
    let artifact = honest.backups[backup::NEWEST].artifact.clone();
    cases.push(case("true: beside its artifact", &newest, "verified").with_artifact(artifact));
    for number in 0..3 {
        let given = case("true: to somebody with an earlier key", &newest, "verified");
        cases.push(given.with_key(pem(&key(number))));
    }
    let remembering = |files: &Files, number: usize, state: &str| {
        let note = honest.checkpoints[number].1.as_str();
        case("true: to somebody who remembers", files, state).remembering(note).verified(state)
    };
    cases.push(remembering(&newest, setting.newest(), "verified"));
    cases.push(remembering(&setting.bundle(backup::DRILLED), 3, "drilled"));
    // What came after it, an earlier checkpoint does not vouch for.
    for number in 0..setting.newest() {
        let name = "true: to somebody who remembers less than there is";
        cases.push(Case { name, ..remembering(&newest, number, "verified") }.unanchored());
    }
    let mut witnessed = newest;
    let size = honest.leaves.len();
    let mut witnessed_history = honest.clone();
    let at = witnessed_history.now();
    *witnessed.file("checkpoint.txt") = honest.note(size, at, &[&key(100), &key(3), &key(2)]).into_bytes();
    witnessed.seal(&key(3));
    assert_eq!(witnessed.position(INDEX), 6);
    cases.push(case(
        "true: with signatures of a witness and of an earlier key beside the log's",
        &witnessed,
        "verified",
    ));
    cases
}
