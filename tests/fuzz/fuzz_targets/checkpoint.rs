//! Checkpoints: what is read is written as it was read, and nothing else than what a key signed verifies.
#![no_main]

use ed25519_dalek::{Signer, SigningKey};
use libfuzzer_sys::fuzz_target;
use walwarden_contract::log::SignedCheckpoint;
use walwarden_contract::log::note::Note;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(note) = Note::parse(text) else {
        assert!(SignedCheckpoint::parse(text).is_err(), "what is no note was a checkpoint");
        return;
    };
    assert!(text.starts_with(note.text()) && note.text().ends_with('\n'));
    assert!(text.contains('\u{2014}'), "a note without a signature line");
    let Ok(read) = SignedCheckpoint::parse(text) else { return };
    assert_eq!(read.checkpoint.text(), note.text(), "a checkpoint is written as it was read");
    let key = SigningKey::from_bytes(&[7; 32]);
    let (public, other) = (key.verifying_key(), SigningKey::from_bytes(&[8; 32]).verifying_key());
    let signature = key.sign(note.text().as_bytes());
    let written = read.checkpoint.note(&[(public, signature)]);
    let again = SignedCheckpoint::parse(&written).expect("what is written can be read");
    assert_eq!(again.checkpoint, read.checkpoint);
    assert_eq!((again.signed_by(&public), again.signed_by(&other)), (Some(true), None));
    if read.signed_by(&public) == Some(true) {
        let line = written.lines().last().expect("a line");
        assert!(text.lines().any(|found| found == line), "two signatures over one text verify");
    }
});
