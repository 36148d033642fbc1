//! Checkpoints: the signed head of an organization's log, as a signed note of the C2SP `tlog-checkpoint` format.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};

use super::merkle::Hash;
use super::note::{Note, NoteError};
use crate::id::OrgId;
use crate::time::Timestamp;

/// What the origin of every log begins with; the organization's id follows.
const ORIGIN: &str = "walwarden.audit/";

/// The head of an organization's log at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log it is.
    pub org_id: OrgId,
    /// How many leaves it has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// When it was signed, as the signer says.
    pub at: Timestamp,
}

/// A checkpoint with its signatures. None of them is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    note: Note,
}

/// Why a text is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note.
    #[error("not a checkpoint: {0}")]
    Note(#[from] NoteError),
    /// It is one of something else.
    #[error("not a checkpoint: its text is not origin, size, root hash and time, as Walwarden writes them")]
    Text,
}

/// The origin of an organization's log, and the name of its key in signature lines.
#[must_use]
pub fn origin(org_id: OrgId) -> String {
    format!("{ORIGIN}{org_id}")
}

/// The object key of a checkpoint: once a day for each size.
#[must_use]
pub fn object_key(org_id: OrgId, size: u64, at: Timestamp) -> String {
    let day = at.to_string()[..10].replace('-', "/");
    format!("{}{day}/{size:020}.txt", object_prefix(org_id))
}

/// What the object keys of an organization's checkpoints begin with.
#[must_use]
pub fn object_prefix(org_id: OrgId) -> String {
    format!("org/{org_id}/checkpoints/")
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { org_id, size, root, at } = self;
        format!("{}\n{size}\n{}\ntime {at}\n", origin(*org_id), STANDARD.encode(root))
    }

    /// The note: the text and one line for each signature.
    #[must_use]
    pub fn note(&self, signatures: &[(VerifyingKey, Signature)]) -> String {
        Note::write(&self.text(), &origin(self.org_id), signatures)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let org_id = lines.next()?.strip_prefix(ORIGIN)?.parse().ok()?;
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let at = lines.next()?.strip_prefix("time ")?.parse().ok()?;
        // What is written in another way than we write it is another text, and was not signed by us.
        Some(Self { org_id, size, root, at }).filter(|checkpoint| checkpoint.text() == text)
    }
}

impl SignedCheckpoint {
    /// Reads a note.
    ///
    /// # Errors
    /// [`CheckpointError`], which says what is wrong with it.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(CheckpointError::Text)?;
        Ok(Self { checkpoint, note })
    }

    /// Whether this key signed it: `None` when no line names the key, and `Some(false)` when one does and does not verify.
    #[must_use]
    pub fn signed_by(&self, key: &VerifyingKey) -> Option<bool> {
        self.note.signed_by(&origin(self.checkpoint.org_id), key)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn checkpoint() -> Checkpoint {
        let at = "2026-01-31T02:00:00.000Z".parse().expect("a time");
        Checkpoint { org_id: OrgId::from_uuid(Uuid::from_u128(2)), size: 42, root: [7; 32], at }
    }

    fn signed(keys: &[&SigningKey]) -> String {
        let checkpoint = checkpoint();
        let sign = |key: &&SigningKey| (key.verifying_key(), key.sign(checkpoint.text().as_bytes()));
        checkpoint.note(&keys.iter().map(sign).collect::<Vec<_>>())
    }

    #[test]
    fn a_note_is_written_as_it_is_published() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let note = signed(&[&key]);
        let text = "walwarden.audit/org_00000000000000000000000000000002\n42\n\
                    BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\ntime 2026-01-31T02:00:00.000Z\n";
        assert!(note.starts_with(&format!("{text}\n\u{2014} walwarden.audit/org_00000000000000000000000000000002 ")));
        let read = SignedCheckpoint::parse(&note).expect("a checkpoint");
        assert_eq!(read.checkpoint, checkpoint());
        assert_eq!(read.signed_by(&key.verifying_key()), Some(true));
        assert_eq!(
            object_key(read.checkpoint.org_id, 42, read.checkpoint.at),
            "org/org_00000000000000000000000000000002/checkpoints/2026/01/31/00000000000000000042.txt"
        );
    }

    #[test]
    fn signatures_of_others_are_neither_taken_nor_in_the_way() {
        let (key, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let read = SignedCheckpoint::parse(&signed(&[&other, &key])).expect("a checkpoint");
        assert_eq!(read.signed_by(&key.verifying_key()), Some(true));
        let alone = SignedCheckpoint::parse(&signed(&[&other])).expect("a checkpoint");
        assert_eq!(alone.signed_by(&key.verifying_key()), None);
        let grown = signed(&[&key]).replacen("\n42\n", "\n43\n", 1);
        assert_eq!(SignedCheckpoint::parse(&grown).expect("a checkpoint").signed_by(&key.verifying_key()), Some(false));
    }

    #[test]
    fn what_is_written_in_another_way_is_refused() {
        let note = signed(&[&SigningKey::from_bytes(&[7; 32])]);
        for (from, to) in [
            ("\n42\n", "\n042\n"),
            ("\n42\n", "\n+42\n"),
            ("\n42\n", "\n18446744073709551616\n"),
            ("\n", "\r\n"),
            ("Bwc=", "Bwd="),
            ("Bwc=", "Bwc"),
            ("02:00:00.000Z", "02:00:00Z"),
            ("02:00:00.000Z", "03:00:00.000+01:00"),
            ("walwarden.audit/", "walwarden.Audit/"),
            ("time ", "extra line\ntime "),
            ("\u{2014} ", "- "),
            ("\n\n", "\n"),
        ] {
            let changed = note.replacen(from, to, 1);
            assert_ne!(changed, note, "{from:?}");
            assert!(SignedCheckpoint::parse(&changed).is_err(), "{from:?} -> {to:?}");
        }
        assert!(SignedCheckpoint::parse(note.trim_end()).is_err());
        assert!(SignedCheckpoint::parse(&"x\n".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_noticed(position in any::<prop::sample::Index>(), flip in 1_u8..=255) {
            let key = SigningKey::from_bytes(&[7; 32]);
            let mut bytes = signed(&[&key]).into_bytes();
            let position = position.index(bytes.len());
            bytes[position] ^= flip;
            let read = String::from_utf8(bytes).ok().and_then(|note| SignedCheckpoint::parse(&note).ok());
            prop_assert!(read.is_none_or(|read| read.signed_by(&key.verifying_key()) != Some(true)));
        }
    }
}
