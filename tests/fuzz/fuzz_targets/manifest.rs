//! Manifests: the hash and the signature are over one form, and what verifies is written as it was read.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use walwarden_contract::manifest::{canonical_bytes, manifest_hash, sign, verify};

fuzz_target!(|data: &[u8]| {
    let Ok(mut document) = serde_json::from_slice::<Value>(data) else { return };
    let Ok(canonical) = canonical_bytes(&document) else { return };
    let again: Value = serde_json::from_slice(&canonical).expect("the canonical form is JSON");
    assert_eq!(canonical_bytes(&again).as_ref(), Ok(&canonical), "the canonical form of the canonical form is another");
    assert_eq!(manifest_hash(&again), manifest_hash(&document));

    let (key, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]).verifying_key());
    assert!(verify(&document, &other).is_err(), "a manifest verifies with a key that signed nothing");
    // As a signer would: what is read of it then is what is written again.
    document["signature"] = json!(STANDARD.encode(key.sign(&canonical).to_bytes()));
    if let Ok(manifest) = verify(&document, &key.verifying_key()) {
        let signed = sign(&manifest, &key).expect("what was read can be signed");
        let rewritten: Value = serde_json::from_slice(&signed.bytes).expect("JSON");
        assert_eq!(
            verify(&rewritten, &key.verifying_key()).as_ref(),
            Ok(&manifest),
            "another manifest is read than was written"
        );
        assert_eq!(manifest_hash(&rewritten).as_ref(), Ok(&signed.hash));
    }
});
