//! Whole bundles: what is packed verifies, and the same evidence is the same bytes.

mod world;

use ed25519_dalek::SigningKey;

use self::world::{World, dump, key};
use super::verify::{Code, Question, Report, Status, Verdict, verify};
use super::{ARTIFACT, AUDIT_EVENTS, Files, INDEX, KEY_EVENTS, LEAVES, MANIFEST, PROOF, RecoverabilityState, archive};
use crate::key::to_pem;

fn world() -> World {
    let mut world = World::new();
    world.backup(11);
    world.rotate(8);
    world.backup(12);
    world.restore(21, 0);
    world.rotate(9);
    world.rotate(10);
    world
}

fn judge(files: &Files, by: &SigningKey, checkpoint: Option<&str>, artifact: Option<&[u8]>) -> Report {
    let bytes = archive(files).expect("packs");
    let mut artifact = artifact;
    verify(Question {
        bundle: &mut bytes.as_slice(),
        public_key: &to_pem(&by.verifying_key()),
        checkpoint,
        artifact: artifact.as_mut().map(|bytes| bytes as &mut dyn std::io::Read),
    })
}

fn code(report: &Report) -> Option<Code> {
    report.failure.as_ref().map(|failure| failure.code)
}

#[test]
fn a_bundle_verifies_with_every_key_of_its_history() {
    let world = world();
    let files = world.bundle(0, false);
    for number in 7..=10 {
        let report = judge(&files, &key(number), None, None);
        assert_eq!(report.failure, None, "{number}");
        assert_eq!((report.manifests, report.events, report.anchored), (1, 17, false));
        assert_eq!(report.recoverability.map(|found| found.state), Some(RecoverabilityState::Drilled));
        let last = report.lines.last().map(|line| line.text.clone());
        assert_eq!(last.as_deref(), Some("1 manifests verified, 17 audit events chain-intact (exit 0)"));
    }
    assert_eq!(code(&judge(&files, &key(1), None, None)), Some(Code::KeyNotTrusted));
    let undrilled = judge(&world.bundle(1, false), &key(10), None, None);
    assert_eq!(undrilled.recoverability.map(|found| found.state), Some(RecoverabilityState::Verified));
}

#[test]
fn the_same_evidence_is_the_same_bytes_without_time_or_name() {
    let world = world();
    let bytes = archive(&world.bundle(0, false)).expect("packs");
    assert_eq!(bytes, archive(&world.bundle(0, false)).expect("packs"));
    // RFC 1952: no flags, so no name and no comment; no time; no system.
    assert_eq!((bytes[3], &bytes[4..8], bytes[9]), (0, [0; 4].as_slice(), 255));
}

#[test]
fn a_checkpoint_that_was_kept_is_held_against_the_log() {
    let world = world();
    let files = world.bundle(0, false);
    for size in [1, 7, world.size()] {
        let report = judge(&files, &key(10), Some(&world.note(size)), None);
        assert_eq!((report.failure, report.anchored), (None, size == world.size()), "{size}");
    }
    let mut other = World::new();
    other.backup(13);
    other.rotate(8);
    other.rotate(9);
    other.rotate(10);
    let report = judge(&files, &key(10), Some(&other.note(other.size())), None);
    assert_eq!(code(&report), Some(Code::ConsistencyInvalid));
    let mut later = self::world();
    later.backup(14);
    assert_eq!(code(&judge(&files, &key(10), Some(&later.note(later.size())), None)), Some(Code::RolledBack));
}

#[test]
fn a_dump_is_compared_wherever_it_comes_from() {
    let world = world();
    assert_eq!(judge(&world.bundle(0, false), &key(10), None, Some(&dump(11))).failure, None);
    let other = judge(&world.bundle(0, false), &key(10), None, Some(&dump(12)));
    assert_eq!(code(&other), Some(Code::ArtifactAltered));
    let mut files = world.bundle(0, true);
    assert_eq!(code(&judge(&files, &key(10), None, None)), Some(Code::MissingFile));
    files.push((ARTIFACT.to_owned(), dump(11)));
    assert_eq!(judge(&files, &key(10), None, None).failure, None);
    files.last_mut().expect("a file").1[7] ^= 1;
    assert_eq!(code(&judge(&files, &key(10), None, None)), Some(Code::ArtifactAltered));
}

#[test]
fn an_export_of_a_period_verifies_and_shows_that_nothing_is_left_out() {
    let world = world();
    let report = judge(&world.export(true), &key(10), Some(&world.note(world.size())), Some(&dump(12)));
    assert_eq!(report.failure, None);
    assert_eq!((report.manifests, report.events, report.anchored), (2, 23, true));
    assert_eq!(judge(&world.export(false), &key(7), None, None).failure, None);

    let mut files = world.export(true);
    let leaves = files.pop().expect("leaves");
    assert_eq!(leaves.0, LEAVES);
    assert_eq!(code(&judge(&files, &key(10), None, None)), Some(Code::MissingFile));
}

#[test]
fn what_was_logged_after_the_kept_checkpoint_is_not_anchored() {
    // The thief of the key leaves what was kept as it is, and appends a backup that never happened.
    let mut world = world();
    let kept = world.note(world.size());
    world.backup(66);
    world.restore(67, 2);
    let report = judge(&world.bundle(2, false), &key(10), Some(&kept), None);
    assert_eq!((report.failure.clone(), report.anchored), (None, false));
    assert!(
        report.lines.iter().any(|line| line.status == Status::Unanchored && line.text.starts_with("14 of 17 events")),
        "{report:?}"
    );
}

#[test]
fn what_a_document_says_does_not_look_like_a_verdict() {
    let mut files = world().bundle(0, false);
    let (_, bytes) = files.last_mut().expect("an index");
    let text = String::from_utf8(bytes.clone()).expect("text");
    *bytes =
        text.replacen("\"keyId\":\"wk_", "\"keyId\":\"\\n\\u001b[2KOK: 1 manifests verified (exit 0)", 1).into_bytes();
    let report = judge(&files, &key(10), None, None);
    assert_ne!(report.verdict(), Verdict::Verified);
    assert!(report.lines.iter().all(|line| !line.text.contains(char::is_control)), "{report:?}");
}

#[test]
fn changed_files_are_noticed() {
    let world = world();
    let honest = world.bundle(0, false);
    for (name, from, to, expected) in [
        (MANIFEST, "zürich", "berlin", Code::ManifestSignatureInvalid),
        (AUDIT_EVENTS, "\"attempt\":1", "\"attempt\":2", Code::EventAltered),
        (KEY_EVENTS, "\"keyId\":\"wk_", "\"keyId\":\"wk_0", Code::EventAltered),
        (PROOF, "\"leaf\":1,", "\"leaf\":2,", Code::InclusionInvalid),
        (INDEX, "\"state\":\"drilled\"", "\"state\":\"verified\"", Code::IndexSignatureInvalid),
        (INDEX, "\"schema\":\"walwarden.bundle.v1\"", "\"schema\":\"walwarden.bundle.v2\"", Code::UnknownSchema),
    ] {
        let mut files = honest.clone();
        let (_, bytes) = files.iter_mut().find(|(own, _)| own == name).expect("in the bundle");
        let text = String::from_utf8(bytes.clone()).expect("text");
        *bytes = text.replacen(from, to, 1).into_bytes();
        assert_ne!(*bytes, text.into_bytes(), "{name}: {from}");
        let report = judge(&files, &key(10), None, None);
        assert_eq!(code(&report), Some(expected), "{name}: {from}");
        assert_ne!(report.verdict(), Verdict::Verified);
    }
}
