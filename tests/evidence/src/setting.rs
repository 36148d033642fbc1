//! The organizations that all evidence here is of: four keys, of which one was revoked, and backups from each key's time.

use ed25519_dalek::SigningKey;
use serde_json::json;
use walwarden_contract::key::to_pem;

use crate::bundle::Files;
use crate::history::History;

/// Backups of the first organization.
pub mod backup {
    /// Signed with the first key; deleted from the bucket at the end of its retention.
    pub const OLDEST: usize = 0;
    /// Signed with the second key, which was revoked afterwards.
    pub const BEFORE_REVOCATION: usize = 1;
    /// Signed with the third key; one restore of it failed, one went well.
    pub const DRILLED: usize = 2;
    /// Signed with the current key; recorded without what was read back.
    pub const UNCHECKED: usize = 3;
    /// Signed with the current key.
    pub const NEWEST: usize = 4;
}

/// The number of the key that was revoked.
pub const REVOKED: usize = 1;

/// Two organizations of one installation.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Whose evidence it is.
    pub honest: History,
    /// Another one, with a backup.
    pub neighbour: History,
    bundles: Vec<Files>,
}

/// A key of the installation; from 100 on, of somebody else.
#[must_use]
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

/// The public half of a key, as auditors get it.
#[must_use]
pub fn pem(key: &SigningKey) -> String {
    to_pem(&key.verifying_key())
}

impl Setting {
    /// Always the same.
    #[must_use]
    pub fn new() -> Self {
        let mut honest = History::begin(1, key(0));
        honest.backup(0, true);
        honest.checkpoint();
        honest.rotate(key(1));
        honest.backup(1, true);
        honest.checkpoint();
        honest.rotate(key(2));
        honest.revoke(REVOKED);
        let drilled = honest.backup(2, true);
        honest.restore(drilled, "restoring");
        honest.restore(drilled, "");
        honest.checkpoint();
        honest.rotate(key(3));
        honest.backup(3, false);
        honest.checkpoint();
        let expired = honest.backups[backup::OLDEST].id.clone();
        honest.append(&expired, "retention.expiring", json!({ "attempt": 1 }));
        honest.append(&expired, "retention.deleted", json!({ "attempt": 1 }));
        honest.backup(3, true);
        honest.checkpoint();
        let mut neighbour = History::begin(2, key(0));
        for number in 1..=3 {
            neighbour.rotate(key(number));
        }
        let drilled = neighbour.backup(3, true);
        neighbour.restore(drilled, "");
        neighbour.checkpoint();
        let newest = honest.checkpoints.len() - 1;
        let bundles = (0..honest.backups.len()).map(|number| honest.bundle(number, newest)).collect();
        Self { honest, neighbour, bundles }
    }

    /// The newest checkpoint of the bucket.
    #[must_use]
    pub fn newest(&self) -> usize {
        self.honest.checkpoints.len() - 1
    }

    /// The evidence of a backup, as of the newest checkpoint.
    #[must_use]
    pub fn bundle(&self, backup: usize) -> Files {
        self.bundles[backup].clone()
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self::new()
    }
}
