//! Evidence that chance laid hands on: it never verifies unless it is the same evidence, and nobody who reads it falls over.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use walwarden_contract::bundle::verify::{Question, Verdict, verify};
use walwarden_evidence::archive::{gunzip, gzip, tar};
use walwarden_evidence::bundle::Files;
use walwarden_evidence::setting::{Setting, backup, key, pem};

/// The same for all of them.
static BUNDLE: LazyLock<Files> = LazyLock::new(|| Setting::new().bundle(backup::DRILLED));
static COMPRESSED: LazyLock<Vec<u8>> = LazyLock::new(|| BUNDLE.archive());

#[derive(Debug, Clone)]
enum Accident {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
}

fn accident() -> impl Strategy<Value = Accident> {
    prop_oneof![
        4 => (any::<Index>(), 1_u8..=255).prop_map(|(at, bits)| Accident::Flip(at, bits)),
        1 => any::<Index>().prop_map(Accident::Cut),
        1 => (any::<Index>(), 1_usize..700).prop_map(|(at, length)| Accident::Remove(at, length)),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..700)).prop_map(|(at, bytes)| Accident::Insert(at, bytes)),
        1 => (any::<Index>(), 1_usize..700).prop_map(|(at, length)| Accident::Repeat(at, length)),
    ]
}

fn befall(bytes: &mut Vec<u8>, accident: &Accident) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match accident {
        Accident::Flip(at, bits) => bytes[at.index(length)] ^= bits,
        Accident::Cut(at) => bytes.truncate(at.index(length)),
        Accident::Remove(at, count) => {
            let at = at.index(length);
            bytes.drain(at..(at + count).min(length));
        }
        Accident::Insert(at, inserted) => {
            let at = at.index(length);
            bytes.splice(at..at, inserted.iter().copied());
        }
        Accident::Repeat(at, count) => {
            let at = at.index(length);
            let repeated = bytes[at..(at + count).min(length)].to_vec();
            bytes.splice(at..at, repeated);
        }
    }
}

fn verified(archive: &[u8]) -> bool {
    let question = Question { bundle: &mut &*archive, public_key: &pem(&key(3)), checkpoint: None, artifact: None };
    verify(question).verdict() == Verdict::Verified
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_archive_that_verifies_holds_the_same_files(accidents in prop::collection::vec(accident(), 1..3)) {
        let mut archive = COMPRESSED.clone();
        for accident in &accidents {
            befall(&mut archive, accident);
        }
        // Some bits of a compressed stream stand for nothing.
        prop_assert!(!verified(&archive) || gunzip(&archive) == gunzip(&COMPRESSED));
    }

    #[test]
    fn nothing_in_an_archive_stands_for_nothing(accidents in prop::collection::vec(accident(), 1..3)) {
        let honest = tar(&BUNDLE.0);
        let mut content = honest.clone();
        for accident in &accidents {
            befall(&mut content, accident);
        }
        prop_assert!(content == honest || !verified(&gzip(&content)));
    }

    #[test]
    fn no_byte_of_a_file_can_be_another(file in any::<Index>(), accidents in prop::collection::vec(accident(), 1..3)) {
        let mut files = BUNDLE.clone();
        let file = file.index(files.0.len());
        for accident in &accidents {
            befall(&mut files.0[file].1, accident);
        }
        prop_assert!(files == *BUNDLE || !verified(&files.archive()));
    }

    /// Manifest, chains, statements and checkpoint are each signed, or in the log, for themselves.
    #[test]
    fn whoever_stole_the_key_of_the_index_changes_no_byte_of_the_evidence(
        file in 0_usize..5,
        accidents in prop::collection::vec(accident(), 1..3),
    ) {
        let mut files = BUNDLE.clone();
        for accident in &accidents {
            befall(&mut files.0[file].1, accident);
        }
        prop_assume!(files != *BUNDLE);
        files.seal(&key(3));
        prop_assert!(!verified(&files.archive()));
    }

    #[test]
    fn whatever_is_handed_in_is_judged(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(!verified(&bytes));
        prop_assert!(!verified(&gzip(&bytes)));
    }
}
