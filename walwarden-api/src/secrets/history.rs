//! The keys that signed in the course of time, as far as signed statements tie them to the key of this process. A row that somebody wrote into the
//! store is no statement.

use ed25519_dalek::VerifyingKey;
use walwarden_contract::Timestamp;
use walwarden_contract::key::TrustedKeys;
use walwarden_contract::manifest::key_id;

use crate::store::signing_keys::KnownKey;

/// What a signature by a key is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It counts, if it verifies with this key.
    Counts(&'a VerifyingKey),
    /// The key was revoked before what it signed was on record.
    Revoked(&'a VerifyingKey),
    /// Nothing ties the key to this installation.
    Unknown,
}

/// The keys of the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    trusted: TrustedKeys,
    records: Vec<KnownKey>,
}

/// What stands before and behind the day in the names of earlier keys.
const PUBLISHED: (&str, &str) = ("walwarden-pubkey-", ".pem");

impl KeyHistory {
    /// What the records say to a process that signs with this key.
    ///
    /// # Panics
    /// Never: a key that no statement is about contradicts nothing.
    #[must_use]
    pub fn learn(own: VerifyingKey, records: Vec<KnownKey>) -> Self {
        let statements = records.iter().flat_map(|record| [&record.rotation, &record.revocation]).flatten();
        // Where statements stand in the log is what a verifier without this store goes by; here the times do.
        let statements: Vec<_> = statements.map(|statement| (0, statement)).collect();
        let trusted = TrustedKeys::learn(own, &statements).unwrap_or_else(|error| {
            tracing::error!(%error, "the history of the signing keys does not hold: only this process's own key counts");
            TrustedKeys::learn(own, &[]).expect("one key contradicts nothing")
        });
        Self { trusted, records }
    }

    /// What they were learned from.
    pub(super) fn records(&self) -> &[KnownKey] {
        &self.records
    }

    /// Every key on record, oldest first, and whether it is trusted.
    pub fn all(&self) -> impl Iterator<Item = (&KnownKey, bool)> {
        self.records.iter().map(|record| (record, self.trusted.get(&record.key_id).is_some()))
    }

    /// The key that signs now, wherever it does: this process may go on with an earlier one until it is started again.
    ///
    /// # Panics
    /// Never: the newest of the trusted keys is one of them.
    #[must_use]
    pub fn current(&self) -> &VerifyingKey {
        self.trusted.newest().1.expect("the newest key is one of the trusted ones")
    }

    /// The key of this id, if it is this installation's.
    #[must_use]
    pub fn key(&self, key_id: &str) -> Option<&VerifyingKey> {
        self.trusted.get(key_id)
    }

    /// What a signature of this key is worth on something that was on record at this time, or never.
    #[must_use]
    pub fn standing(&self, key_id: &str, recorded_at: Option<Timestamp>) -> Standing<'_> {
        let Some(key) = self.trusted.get(key_id) else { return Standing::Unknown };
        let Some(revoked) = self.trusted.revoked(key_id) else { return Standing::Counts(key) };
        match recorded_at {
            Some(at) if at < revoked.statement.revoked_at => Standing::Counts(key),
            _ => Standing::Revoked(key),
        }
    }

    /// Whether a process with this key may still sign.
    #[must_use]
    pub fn may_sign(&self, key: &VerifyingKey) -> bool {
        let id = key_id(key);
        self.trusted.revoked(&id).is_none() && self.records.iter().any(|record| record.key_id == id)
    }

    /// The earlier keys and the names under which they are published: by the day on which another took over.
    #[must_use]
    pub fn published(&self) -> Vec<(String, &VerifyingKey)> {
        let mut earlier: Vec<_> = self
            .records
            .iter()
            .filter_map(|record| Some((record.retired_at?, self.trusted.get(&record.key_id)?)))
            .collect();
        earlier.sort_by_key(|(at, _)| *at);
        let mut named: Vec<(String, &VerifyingKey)> = Vec::with_capacity(earlier.len());
        let (before, behind) = PUBLISHED;
        let mut of_day = (String::new(), 0_u32);
        for (at, key) in earlier {
            let day = at.as_jiff().strftime("%Y-%m-%d").to_string();
            of_day = if of_day.0 == day { (day, of_day.1 + 1) } else { (day, 1) };
            let number = if of_day.1 == 1 { String::new() } else { format!("-{}", of_day.1) };
            named.push((format!("{before}{}{number}{behind}", of_day.0), key));
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use walwarden_contract::key::{Revocation, Rotation, to_pem};

    use super::*;
    use crate::store::signing_keys::KeyState;

    const DAY: i64 = 86_400_000;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_769_817_600_000 + millis).expect("in range")
    }

    /// Keys 1 to `count`, each taking over this long after the one before.
    fn records(count: u8, every: i64) -> Vec<KnownKey> {
        let taken_over = |number: u8| at(i64::from(number) * every);
        let record = |number: u8| KnownKey {
            key_id: key_id(&key(number).verifying_key()),
            public_key: to_pem(&key(number).verifying_key()),
            state: if number == count { KeyState::Current } else { KeyState::Retired },
            kept_in: "file".to_owned(),
            created_at: taken_over(number - 1),
            retired_at: (number < count).then(|| taken_over(number)),
            revoked_at: None,
            rotation: (number > 1).then(|| {
                let (old, new) = (key(number - 1), key(number));
                let said = Rotation::new(&old.verifying_key(), &new.verifying_key(), taken_over(number - 1));
                let bytes = said.signed_bytes();
                serde_json::to_value(said.signed(&old.sign(&bytes), &new.sign(&bytes))).expect("JSON")
            }),
            revocation: None,
        };
        (1..=count).map(record).collect()
    }

    fn revoke(records: &mut [KnownKey], number: u8, by: u8, since: Timestamp) {
        let [revoked, signer] = [number, by].map(|number| key_id(&key(number).verifying_key()));
        let said = Revocation::new(revoked, "lost".to_owned(), since, signer);
        let bytes = said.signed_bytes();
        let statement = serde_json::to_value(said.signed(&key(by).sign(&bytes))).expect("JSON");
        let record = &mut records[usize::from(number) - 1];
        (record.state, record.revoked_at, record.revocation) = (KeyState::Revoked, Some(since), Some(statement));
    }

    #[test]
    fn every_key_of_three_rotations_counts_for_a_process_with_any_of_them() {
        for own in 1..=4 {
            let history = KeyHistory::learn(key(own).verifying_key(), records(4, DAY));
            for number in 1..=4 {
                let public = key(number).verifying_key();
                assert_eq!(history.standing(&key_id(&public), None), Standing::Counts(&public), "{own} sees {number}");
                assert!(history.may_sign(&public));
            }
            assert_eq!(*history.current(), key(4).verifying_key());
        }
        let stranger = key_id(&key(9).verifying_key());
        let history = KeyHistory::learn(key(4).verifying_key(), records(4, DAY));
        assert_eq!(history.standing(&stranger, None), Standing::Unknown);
    }

    #[test]
    fn a_row_that_no_statement_ties_to_the_running_key_proves_nothing() {
        let mut written = records(3, DAY);
        let mut foreign = written[0].clone();
        (foreign.key_id, foreign.public_key) = (key_id(&key(9).verifying_key()), to_pem(&key(9).verifying_key()));
        foreign.state = KeyState::Retired;
        written.push(foreign);
        let history = KeyHistory::learn(key(3).verifying_key(), written);
        let id = key_id(&key(9).verifying_key());
        assert_eq!(history.standing(&id, None), Standing::Unknown);
        assert_eq!(history.published().len(), 2);
        assert_eq!(history.all().filter(|(_, trusted)| *trusted).count(), 3);

        // A statement that was changed takes its whole history with it.
        let mut changed = records(3, DAY);
        changed[1].rotation.as_mut().expect("a statement")["rotatedAt"] = "2026-01-01T00:00:00.000Z".into();
        let history = KeyHistory::learn(key(3).verifying_key(), changed);
        let id = key_id(&key(1).verifying_key());
        assert_eq!(history.standing(&id, None), Standing::Unknown);
    }

    #[test]
    fn a_revoked_key_counts_for_what_was_on_record_before() {
        let mut written = records(3, DAY);
        revoke(&mut written, 1, 3, at(DAY / 2));
        let history = KeyHistory::learn(key(3).verifying_key(), written);
        let public = key(1).verifying_key();
        let standing = |at| history.standing(&key_id(&public), at);
        assert_eq!(standing(Some(at(DAY / 2 - 1))), Standing::Counts(&public));
        assert_eq!(standing(Some(at(DAY / 2))), Standing::Revoked(&public));
        assert_eq!(standing(None), Standing::Revoked(&public));
        assert!(!history.may_sign(&public));
        assert!(history.published().iter().any(|(_, key)| **key == public), "what it signed before has to verify");
    }

    #[test]
    fn earlier_keys_are_named_by_the_day_on_which_they_ended_and_numbered_within_it() {
        let history = KeyHistory::learn(key(4).verifying_key(), records(4, 60_000));
        let names: Vec<_> = history.published().into_iter().map(|(name, _)| name).collect();
        let day = "walwarden-pubkey-2026-01-31";
        assert_eq!(names, [format!("{day}.pem"), format!("{day}-2.pem"), format!("{day}-3.pem")]);
        let history = KeyHistory::learn(key(3).verifying_key(), records(3, DAY));
        let names: Vec<_> = history.published().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["walwarden-pubkey-2026-02-01.pem", "walwarden-pubkey-2026-02-02.pem"]);
    }
}
