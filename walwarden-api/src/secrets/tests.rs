//! What sealing and the key files promise.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use walwarden_contract::DestinationId;

use super::*;
use crate::system::tests::manual;

const KEY: [u8; 32] = [7; 32];

#[test]
fn what_was_sealed_opens_for_its_record_only() {
    let (system, _) = manual();
    let sealer = Sealer::new(&KEY);
    let text = sealer.seal(&system, "db_1", b"postgresql://u:hunter2@h/d");
    assert!(text.starts_with(&format!("v1.{}.", sealer.key_id())));
    assert_eq!(sealer.open("db_1", &text).expect("opens").as_slice(), b"postgresql://u:hunter2@h/d");
    assert_eq!(sealer.open("db_2", &text), Err(SealError::Refused));
}

#[test]
fn the_same_secret_is_never_sealed_to_the_same_text() {
    let (system, _) = manual();
    let sealer = Sealer::new(&KEY);
    assert_ne!(sealer.seal(&system, "db_1", b"x"), sealer.seal(&system, "db_1", b"x"));
}

#[test]
fn an_earlier_key_still_opens_and_an_unknown_one_is_named() {
    let (system, _) = manual();
    let old = Sealer::new(&[8; 32]);
    let sealed = old.seal(&system, "db_1", b"x");
    let unknown = SealError::UnknownKey { key_id: old.key_id().to_owned() };
    assert_eq!(Sealer::new(&KEY).open("db_1", &sealed), Err(unknown));
    let rotated = Sealer::new(&KEY).and_opens_with(&[8; 32]);
    assert_eq!(rotated.open("db_1", &sealed).expect("opens").as_slice(), b"x");
    assert_ne!(rotated.key_id(), old.key_id());
}

#[test]
fn the_first_of_several_sealing_keys_seals_and_all_of_them_open() {
    let (system, _) = manual();
    let directory = tempfile::tempdir().expect("a directory");
    Keyring::generate(&system, directory.path()).expect("generates");
    let load = |sealing: &str| {
        let sources =
            KeySources { sealing: KeySource::Text(sealing.into()), ..KeySources::in_directory(directory.path()) };
        Keyring::load(&sources)
    };
    let (old, new) = ("07".repeat(32), "08".repeat(32));
    let before = load(&old).expect("loads");
    let sealed = before.sealer().seal(&system, "db_1", b"x");
    let both = load(&format!("{new}\n\n{old}\n")).expect("loads");
    assert_eq!(both.sealer().key_id(), load(&new).expect("loads").sealer().key_id());
    assert!(both.sealer().open("db_1", &sealed).is_ok() && !sealed.starts_with(&both.sealer().prefix()));
    let known = load(&format!("{old}\n{new}")).expect("loads");
    assert!(known.sealer().open("db_1", &both.sealer().seal(&system, "db_1", b"x")).is_ok());
    for wrong in [String::new(), format!("{old}\nabc"), format!("{old}\n").repeat(9)] {
        assert!(load(&wrong).is_err());
    }
}

proptest! {
    #[test]
    fn any_changed_character_is_refused(position in 0_usize..4096, replacement in "[A-Za-z0-9_.-]") {
        let (system, _) = manual();
        let sealer = Sealer::new(&KEY);
        let text = sealer.seal(&system, "db_1", b"a secret of some length");
        let mut changed = text.clone();
        let position = position % text.len();
        changed.replace_range(position..=position, &replacement);
        prop_assert!(changed == text || sealer.open("db_1", &changed).is_err());
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        prop_assert!(Sealer::new(&KEY).open("db_1", &text).is_err());
    }

    #[test]
    fn credentials_round_trip(id in "\\PC{1,40}", secret in "\\PC{1,80}") {
        let credentials = Credentials { access_key_id: id.clone(), secret_access_key: SecretString::from(secret.as_str()) };
        let bytes = credentials.to_bytes();
        let read = Credentials::from_bytes(&bytes).expect("reads");
        prop_assert_eq!(read.access_key_id, id);
        prop_assert_eq!(read.secret_access_key.expose_secret(), secret);
        prop_assert_eq!(format!("{:?}", credentials), "Credentials { .. }");
    }
}

#[test]
fn generated_keys_are_private_load_again_and_are_never_overwritten() {
    let (system, _) = manual();
    let directory = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::generate(&system, directory.path()).expect("generates");
    let contents = |key: KeyFile| fs::read_to_string(directory.path().join(key.file_name())).expect("exists");
    for key in KeyFile::ALL {
        let mode = fs::metadata(directory.path().join(key.file_name())).expect("exists").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{}", key.file_name());
    }
    assert_eq!(contents(KeyFile::Sealing).len(), 65);
    let before = KeyFile::ALL.map(contents);

    let again = Keyring::load(&KeySources::in_directory(directory.path())).expect("loads");
    assert_eq!(again.key_id(), keyring.key_id());
    assert_eq!(again.token_key(), keyring.token_key());
    assert!(keyring.public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));

    fs::remove_file(directory.path().join("token.key")).expect("removes");
    let error = Keyring::generate(&system, directory.path()).expect_err("refuses");
    assert!(error.to_string().contains("sealing.key"), "{error}");
    assert!(!directory.path().join("token.key").exists(), "all or nothing");
    assert_eq!(contents(KeyFile::Sealing), before[0]);
    assert_eq!(contents(KeyFile::Signing), before[1]);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_remedy() {
    let (system, _) = manual();
    let directory = tempfile::tempdir().expect("a directory");
    Keyring::generate(&system, directory.path()).expect("generates");
    for (key, mode) in [(KeyFile::Sealing, 0o640), (KeyFile::Signing, 0o604), (KeyFile::Token, 0o620)] {
        let path = directory.path().join(key.file_name());
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        let error = Keyring::load(&KeySources::in_directory(directory.path())).expect_err("refuses").to_string();
        assert!(error.contains(key.label()) && error.contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
    }
}

#[test]
fn keys_from_the_environment_are_the_same_keys() {
    let (system, _) = manual();
    let directory = tempfile::tempdir().expect("a directory");
    let from_files = Keyring::generate(&system, directory.path()).expect("generates");
    let text = |key: KeyFile| {
        KeySource::Text(fs::read_to_string(directory.path().join(key.file_name())).expect("exists").into())
    };
    let sources = KeySources {
        sealing: text(KeyFile::Sealing),
        signing: text(KeyFile::Signing),
        token: text(KeyFile::Token),
        pkcs11: None,
    };
    let from_text = Keyring::load(&sources).expect("loads");
    assert_eq!(from_text.key_id(), from_files.key_id());
    assert_eq!(from_text.sealer().key_id(), from_files.sealer().key_id());

    let wrong = KeySources { token: KeySource::Text("abc".into()), ..sources };
    assert_eq!(Keyring::load(&wrong).expect_err("refuses").to_string(), "the token key is not 64 hexadecimal digits");
}

#[test]
fn sealed_credentials_do_not_open_for_another_destination() {
    let (system, _) = manual();
    let directory = tempfile::tempdir().expect("a directory");
    let keyring = Keyring::generate(&system, directory.path()).expect("generates");
    let credentials = Credentials { access_key_id: "AKIA".to_owned(), secret_access_key: "s3cr3t".into() };
    let mine = DestinationId::from_uuid(Uuid::from_u128(1));
    let sealed = keyring.seal_credentials(&system, mine, &credentials);
    assert!(keyring.sealer().open(&mine.to_string(), &sealed).is_ok());
    assert!(keyring.sealer().open(&DestinationId::from_uuid(Uuid::from_u128(2)).to_string(), &sealed).is_err());
}

#[test]
fn an_api_key_is_its_prefix_and_64_digits_and_its_fingerprint_does_not_show_it() {
    let (system, _) = manual();
    let key = new_api_key(&system);
    assert_eq!(key.len(), 68);
    assert!(key.strip_prefix("wal_").expect("prefix").bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!(fingerprint("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ne!(*key, *new_api_key(&system));
}
