//! What may be concluded from statements about keys, and what not.

use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use super::*;

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn at() -> Timestamp {
    "2026-01-31T02:00:00.000Z".parse().expect("a time")
}

fn id(number: u8) -> String {
    key_id(&key(number).verifying_key())
}

fn rotation(previous: u8, next: u8) -> Value {
    let statement = Rotation::new(&key(previous).verifying_key(), &key(next).verifying_key(), at());
    let bytes = statement.signed_bytes();
    json!(statement.signed(&key(previous).sign(&bytes), &key(next).sign(&bytes)))
}

fn revocation(revoked: u8, by: u8) -> Value {
    let statement = Revocation::new(id(revoked), "It was on a lost disk.".to_owned(), at(), id(by));
    let bytes = statement.signed_bytes();
    json!(statement.signed(&key(by).sign(&bytes)))
}

fn learn(given: u8, statements: &[Value]) -> Result<TrustedKeys, KeyError> {
    let placed: Vec<_> = (10..).zip(statements).collect();
    TrustedKeys::learn(key(given).verifying_key(), &placed)
}

#[test]
fn trust_goes_along_rotations_both_ways() {
    let statements = [rotation(1, 2), rotation(2, 3), rotation(3, 4)];
    for given in 1..=4 {
        let keys = learn(given, &statements).expect("they hold");
        assert_eq!((keys.count(), keys.newest().0), (4, id(4).as_str()), "{given}");
        assert!((1..=4).all(|number| keys.get(&id(number)) == Some(&key(number).verifying_key())));
    }
    let stranger = learn(9, &statements).expect("they hold");
    assert_eq!((stranger.count(), stranger.newest().0), (1, id(9).as_str()));
}

#[test]
fn a_key_that_handed_over_names_no_other_heir() {
    assert_eq!(learn(2, &[rotation(1, 2), rotation(1, 9)]), Err(KeyError::Contradiction(id(1))));
    assert_eq!(learn(2, &[rotation(1, 2), rotation(9, 2)]), Err(KeyError::Contradiction(id(2))));
    assert_eq!(learn(1, &[rotation(1, 2), rotation(2, 1)]), Err(KeyError::Contradiction(id(1))));
}

#[test]
fn a_statement_that_one_of_its_keys_did_not_sign_is_refused() {
    let honest = rotation(1, 2);
    for number in [1, 2] {
        let mut forged = honest.clone();
        forged["signatures"][id(number)] = rotation(1, 3)["signatures"][id(1)].clone();
        assert_eq!(learn(1, &[forged]), Err(KeyError::BadSignature(id(number))));
        let mut stripped = honest.clone();
        stripped["signatures"].as_object_mut().expect("an object").remove(&id(number));
        assert_eq!(learn(1, &[stripped]), Err(KeyError::Malformed));
    }
    let mut swapped = honest.clone();
    swapped["publicKey"] = json!(to_pem(&key(3).verifying_key()));
    assert_eq!(learn(1, &[swapped]), Err(KeyError::WrongKeyId));
    let mut later = honest;
    later["rotatedAt"] = json!("2026-02-01T02:00:00.000Z");
    assert_eq!(learn(1, &[later]), Err(KeyError::BadSignature(id(1))));
}

#[test]
fn a_revocation_counts_from_its_place_in_the_log() {
    let statements = [rotation(1, 2), revocation(1, 2), revocation(1, 2)];
    let keys = learn(2, &statements).expect("they hold");
    assert_eq!(keys.revoked(&id(1)).map(|revoked| revoked.leaf), Some(11));
    assert_eq!(keys.revoked(&id(2)), None);

    assert_eq!(learn(2, &[rotation(1, 2), revocation(2, 1)]), Err(KeyError::Contradiction(id(2))));
    let three = [rotation(1, 2), rotation(2, 3), revocation(2, 1)];
    assert_eq!(learn(3, &three), Err(KeyError::Contradiction(id(2))), "an earlier key spoke against a later one");
    assert_eq!(learn(2, &[rotation(1, 2), rotation(1, 2)]).map(|keys| keys.count()), Ok(2));
    assert_eq!(learn(1, &[revocation(1, 1)]), Err(KeyError::WrongKeyId));
    let unknown = learn(1, &[revocation(1, 9)]).expect("nobody who is trusted says so");
    assert_eq!(unknown.revoked(&id(1)), None);
    let mut forged = revocation(1, 2);
    forged["reason"] = json!("another");
    assert_eq!(learn(2, &[rotation(1, 2), forged]), Err(KeyError::BadSignature(id(2))));
}

#[test]
fn a_revoked_key_revokes_no_other_afterwards() {
    let rotations = [rotation(1, 2), rotation(2, 3), rotation(3, 4)];
    let before = learn(4, &[&rotations[..], &[revocation(2, 3), revocation(3, 4)]].concat()).expect("they hold");
    assert_eq!(before.revoked(&id(2)).map(|revoked| revoked.leaf), Some(13));
    let after = learn(4, &[&rotations[..], &[revocation(3, 4), revocation(2, 3)]].concat()).expect("they hold");
    assert_eq!((after.revoked(&id(3)).map(|revoked| revoked.leaf), after.revoked(&id(2))), (Some(13), None));
}

#[test]
fn a_key_that_anybody_can_sign_for_is_none() {
    let honest = key(1).verifying_key();
    assert_eq!(from_pem(&to_pem(&honest)), Some(honest));
    let of = |first: u8, rest: u8| {
        let mut bytes = [rest; 32];
        bytes[0] = first;
        bytes[31] &= 0x7f;
        VerifyingKey::from_bytes(&bytes).expect("a point")
    };
    for (first, rest) in [(0, 0), (1, 0), (0xec, 0xff)] {
        assert_eq!(from_pem(&to_pem(&of(first, rest))), None, "{first}");
    }
    // y = 3 + p: a second text of y = 3.
    assert!(from_pem(&to_pem(&of(3, 0))).is_some());
    assert_eq!(from_pem(&to_pem(&of(0xf0, 0xff))), None);
}
