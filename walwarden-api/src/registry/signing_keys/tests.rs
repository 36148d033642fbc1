//! What a rotation promises, whatever interrupts it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use uuid::Uuid;
use walwarden_contract::OrgId;
use walwarden_contract::audit::EventKind;
use walwarden_contract::key::{Revocation, Rotation};

use super::*;
use crate::secrets::{KeyFile, KeySource, KeySources, Keyring};
use crate::store::Store;
use crate::store::organizations::Organization;
use crate::store::signing_keys::KeyState;
use crate::system::System;
use crate::system::tests::manual;

struct World {
    directory: TempDir,
    sources: KeySources,
    store: Store,
    system: System,
    clock: Arc<AtomicI64>,
    organizations: [OrgId; 2],
}

impl World {
    async fn new() -> Self {
        let (system, clock) = manual();
        let directory = tempfile::tempdir().expect("a directory");
        Keyring::generate(&system, directory.path()).expect("keys");
        let store = Store::open_sqlite(directory.path()).await.expect("a store");
        let organizations = [1, 2].map(|number| OrgId::from_uuid(Uuid::from_u128(number)));
        for id in organizations {
            let organization = Organization { id, name: id.to_string(), created_at: system.now() };
            store.create_organization(&organization).await.expect("creates");
        }
        let sources = KeySources::in_directory(directory.path());
        Self { directory, sources, store, system, clock, organizations }
    }

    async fn start(&self) -> super::Result<Keyring> {
        take_up(&self.sources, &self.store, &self.system).await
    }

    async fn rotate(&self, to: &NewKey) -> super::Result<Rotated> {
        let keyring = self.start().await?;
        rotate(&self.sources, keyring.signer(), &self.store, &self.system, to).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn states(&self) -> Vec<KeyState> {
        self.store.signing_keys().await.expect("reads").iter().map(|key| key.state).collect()
    }
}

#[tokio::test]
async fn a_rotation_is_in_every_chain_signed_by_both_keys_and_keeps_the_old_key_private() {
    let world = World::new().await;
    let before = world.start().await.expect("starts").key_id();
    let old = fs::read(world.file("signing.key.pem")).expect("reads");
    let done = world.rotate(&NewKey::InPlace).await.expect("rotates");
    assert_eq!((done.statement.previous_key_id.as_str(), done.organizations), (before.as_str(), 2));
    for id in world.organizations {
        let chain = world.store.audit_chain(id, &id.to_string()).await.expect("reads");
        let event = chain.last().expect("an event");
        assert_eq!(event.kind, EventKind::SigningKeyRotated);
        let (statement, _, _) = Rotation::verify(&event.payload).expect("both keys signed it");
        assert_eq!(statement, done.statement);
    }
    let after = world.start().await.expect("starts");
    assert_eq!(after.key_id(), done.statement.key_id);
    let kept = done.previous_file.expect("a file");
    assert_eq!(kept, world.file(&format!("signing.key.{before}.pem")));
    assert_eq!(fs::read(&kept).expect("reads"), old);
    for path in [kept, world.file("signing.key.pem")] {
        assert_eq!(fs::metadata(path).expect("is there").permissions().mode() & 0o777, 0o600);
    }
    assert!(!world.file("signing.key.next.pem").exists());
    assert_eq!(world.states().await, [KeyState::Retired, KeyState::Current]);
}

#[tokio::test]
async fn a_rotation_that_died_before_the_store_knew_changes_nothing_and_is_taken_up() {
    for left in [None, Some("half a k"), Some("")] {
        let world = World::new().await;
        let before = world.start().await.expect("starts").key_id();
        let next = world.file("signing.key.next.pem");
        crate::secrets::new_signing_key(&world.system, &next).expect("writes");
        if let Some(text) = left {
            fs::write(&next, text).expect("writes");
        }
        let waiting = crate::secrets::signer_from(&KeySource::File(next)).ok();
        assert_eq!(world.start().await.expect("starts").key_id(), before, "{left:?}");
        let done = world.rotate(&NewKey::InPlace).await.expect("rotates");
        if let Some(waiting) = waiting {
            let id = walwarden_contract::manifest::key_id(waiting.verifying_key());
            assert_eq!(done.statement.key_id, id, "the key that waited is used");
        }
        assert_eq!(world.start().await.expect("starts").key_id(), done.statement.key_id);
    }
}

#[tokio::test]
async fn a_rotation_that_died_after_the_store_knew_is_finished_by_the_next_start() {
    for kept_already in [false, true] {
        let world = World::new().await;
        let old = world.start().await.expect("starts");
        let [path, next] = ["signing.key.pem", "signing.key.next.pem"].map(|name| world.file(name));
        let before = fs::read(&path).expect("reads");
        world.rotate(&NewKey::File(next.clone())).await.expect("records");
        assert!(next.exists() && fs::read(&path).expect("reads") == before, "as if it had died here");
        let kept = world.file(&format!("signing.key.{}.pem", old.key_id()));
        if kept_already {
            fs::hard_link(&path, &kept).expect("links");
        }
        let started = world.start().await.expect("finishes");
        assert_ne!(started.key_id(), old.key_id());
        assert_eq!(fs::read(&kept).expect("is kept"), before);
        assert!(!next.exists());
        assert_eq!(world.start().await.expect("starts").key_id(), started.key_id());
    }
}

#[tokio::test]
async fn a_key_that_another_followed_or_that_is_unknown_never_starts() {
    let world = World::new().await;
    let old = world.start().await.expect("starts").key_id();
    let elsewhere = world.file("new.pem");
    let done = world.rotate(&NewKey::File(elsewhere.clone())).await.expect("rotates");
    assert_eq!(done.previous_file, None);
    let refusal = world.start().await.expect_err("refuses");
    assert!(
        matches!(&refusal, SigningKeyError::Retired { key_id, current, .. }
        if *key_id == old && *current == done.statement.key_id),
        "{refusal}"
    );
    let mut sources = world.sources.clone();
    sources.signing = KeySource::File(elsewhere);
    let started = take_up(&sources, &world.store, &world.system).await.expect("starts with the new one");
    assert_eq!(started.key_id(), done.statement.key_id);

    let stranger = world.file("stranger.pem");
    crate::secrets::new_signing_key(&world.system, &stranger).expect("writes");
    sources.signing = KeySource::File(stranger);
    let refusal = take_up(&sources, &world.store, &world.system).await.expect_err("refuses");
    assert!(matches!(&refusal, SigningKeyError::Unknown { .. }), "{refusal}");
    assert_eq!(world.states().await.len(), 2, "and is not recorded");
}

#[tokio::test]
async fn a_key_that_signed_before_takes_over_from_nobody() {
    let world = World::new().await;
    world.start().await.expect("starts");
    let same = NewKey::File(world.file(KeyFile::Signing.file_name()));
    assert!(matches!(world.rotate(&same).await, Err(SigningKeyError::Refused(_))));
    let first = world.rotate(&NewKey::InPlace).await.expect("rotates");
    let earlier = NewKey::File(first.previous_file.expect("a file"));
    assert!(matches!(world.rotate(&earlier).await, Err(SigningKeyError::Refused(_))));
    assert_eq!(world.states().await, [KeyState::Retired, KeyState::Current]);
}

#[tokio::test]
async fn of_two_rotations_at_once_one_wins_and_the_other_changes_nothing() {
    let world = World::new().await;
    let keyring = world.start().await.expect("starts");
    world.rotate(&NewKey::File(world.file("a.pem"))).await.expect("rotates");
    let late = NewKey::File(world.file("b.pem"));
    let overtaken = rotate(&world.sources, keyring.signer(), &world.store, &world.system, &late).await;
    assert!(matches!(overtaken, Err(SigningKeyError::Overtaken)));
    assert!(!world.file("b.pem").exists());
    assert_eq!(world.states().await, [KeyState::Retired, KeyState::Current]);
}

#[tokio::test]
async fn only_an_earlier_key_is_revoked_once_and_not_from_the_future() {
    let world = World::new().await;
    let first = world.start().await.expect("starts").key_id();
    let keyring = world.start().await.expect("starts");
    let try_with = async |keyring: &Keyring, id: &str, reason: &str, at| {
        revoke(keyring, &world.store, &world.system, id, reason, at).await
    };
    assert!(
        matches!(try_with(&keyring, &first, "lost", None).await, Err(SigningKeyError::Refused(_))),
        "the current one"
    );
    world.rotate(&NewKey::InPlace).await.expect("rotates");
    assert!(
        matches!(try_with(&keyring, &first, "lost", None).await, Err(SigningKeyError::Overtaken)),
        "by a process of before"
    );
    let keyring = world.start().await.expect("starts");
    world.clock.fetch_add(60_000, Ordering::SeqCst);
    let now = world.system.now();
    let later = crate::system::after(now, 1);
    assert!(matches!(try_with(&keyring, "wk_0", "lost", None).await, Err(SigningKeyError::Missing(_))));
    assert!(matches!(try_with(&keyring, &first, "lost", Some(later)).await, Err(SigningKeyError::Refused(_))));
    for reason in ["", " ", "a\nb", &"x".repeat(501)] {
        assert!(
            matches!(try_with(&keyring, &first, reason, None).await, Err(SigningKeyError::Refused(_))),
            "{reason:?}"
        );
    }
    let at = crate::system::after(now, -30_000);
    let done = try_with(&keyring, &first, " lost ", Some(at)).await.expect("revokes");
    assert_eq!((done.statement.reason.as_str(), done.statement.revoked_at, done.organizations), ("lost", at, 2));
    assert!(matches!(try_with(&keyring, &first, "lost", None).await, Err(SigningKeyError::Refused(_))));
    for id in world.organizations {
        let chain = world.store.audit_chain(id, &id.to_string()).await.expect("reads");
        let event = chain.last().expect("an event");
        assert_eq!((event.kind, event.at), (EventKind::SigningKeyRevoked, now));
        assert_eq!(Revocation::read(&event.payload).expect("reads"), done.statement);
    }
    let keys = keyring.history(&world.store).await.expect("reads");
    let signer = keys.key(&first).expect("trusted");
    assert!(!keys.may_sign(signer) && keys.may_sign(keyring.verifying_key()));
}
