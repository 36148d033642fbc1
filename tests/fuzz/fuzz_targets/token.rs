//! Restore tokens: what is read is what is written, and only what was issued here is authentic.
//!
//! A token is taken as it is; anything else is taken for the payload of one, which a fuzzer could not encode by itself.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use walwarden_contract::token::{TokenPayload, authenticate, issue, read_unverified};

const SECRET: [u8; 32] = [3; 32];
const OTHER: [u8; 32] = [4; 32];

fn round_trips(payload: &TokenPayload) {
    let issued = issue(payload, &SECRET);
    assert_eq!(read_unverified(&issued).as_ref(), Ok(payload), "a token reads as it was issued");
    assert_eq!(authenticate(&issued, &SECRET).as_ref(), Ok(payload));
    assert!(authenticate(&issued, &OTHER).is_err());
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match read_unverified(text) {
        Ok(payload) => {
            // What is longer than any token, no payload of ours is.
            if issue(&payload, &SECRET).len() <= 2048 {
                round_trips(&payload);
            }
            if let Ok(authentic) = authenticate(text, &SECRET) {
                assert_eq!(authentic, payload);
            }
        }
        Err(_) => assert!(authenticate(text, &SECRET).is_err(), "what cannot be read was authentic"),
    }
    let token = format!("wrt1.{}.{}", URL_SAFE_NO_PAD.encode(data), "A".repeat(43));
    if let Ok(payload) = read_unverified(&token) {
        assert!(authenticate(&token, &SECRET).is_err(), "a tag of zeros is authentic");
        if issue(&payload, &SECRET).len() <= 2048 {
            round_trips(&payload);
        }
    }
});
