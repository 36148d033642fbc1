//! Bundles: what verifies is the same archive when it is packed again, and what is signed by nobody who is trusted never does.
//!
//! The input is the archive before compression, since behind a checksum a fuzzer finds nothing; its first byte says how to hand it
//! over.
#![no_main]

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use libfuzzer_sys::fuzz_target;
use walwarden_contract::bundle::verify::{Question, Report, Verdict, verify};
use walwarden_fuzz::{files_of, gzip, pack, seal};

static PEM: LazyLock<String> = LazyLock::new(|| walwarden_contract::key::to_pem(&key().verifying_key()));
static STRANGER: LazyLock<String> =
    LazyLock::new(|| walwarden_contract::key::to_pem(&SigningKey::from_bytes(&[101; 32]).verifying_key()));

/// The key that the seeds are signed with.
fn key() -> SigningKey {
    SigningKey::from_bytes(&[4; 32])
}

fn judge(bundle: &[u8], public_key: &str) -> Report {
    verify(Question { bundle: &mut &*bundle, public_key, checkpoint: None, artifact: None })
}

fuzz_target!(|data: &[u8]| {
    // As it is: a reader of gzip meets strangers too.
    if data.first() == Some(&0x1f) {
        judge(data, &PEM);
        return;
    }
    let archive = gzip(data);
    let report = judge(&archive, &PEM);
    let line = report.lines.last().expect("a report ends in a line");
    assert_eq!(report.verdict() == Verdict::Verified, line.text.ends_with("(exit 0)"));
    assert_eq!(report.verdict() == Verdict::Verified, report.failure.is_none());
    if report.verdict() == Verdict::Verified {
        let files = files_of(data).expect("what verifies is an archive");
        assert_eq!(pack(&files), archive, "what verifies is packed in the one form");
        assert_ne!(judge(&archive, &STRANGER).verdict(), Verdict::Verified, "it verifies with a key of somebody else");
    }
    // As somebody would who stole the key: the files described and signed anew.
    if let Some(sealed) = files_of(data).and_then(|files| seal(files, &key())) {
        let report = judge(&pack(&sealed), &PEM);
        assert!(report.failure.is_none() || report.manifests == 0, "a failure counts nothing as verified");
    }
});
