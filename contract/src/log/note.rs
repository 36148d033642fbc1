//! Signed notes (C2SP `signed-note`): a text, and lines that say which keys signed it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// What a signature line begins with.
const SIGNATURE_MARK: &str = "\u{2014} ";
/// "Ed25519" among the signature types of the format.
const ED25519: u8 = 1;
/// More signature lines than rotation and witnesses need, and the least that the format lets a reader allow.
const MAX_SIGNATURES: usize = 16;
/// Longer than any note with that many signatures.
const MAX_BYTES: usize = 16 * 1024;

/// A note. None of its signatures is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    key_hash: [u8; 4],
    signature: Vec<u8>,
}

/// Why a text is no signed note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoteError(&'static str);

/// Which key of this name a signature line names.
#[must_use]
pub fn key_hash(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

impl Note {
    /// A text that ends in a line feed, and a line for each signature over it.
    #[must_use]
    pub fn write(text: &str, name: &str, signatures: &[(VerifyingKey, Signature)]) -> String {
        let lines = signatures.iter().map(|(key, signature)| {
            let mut bytes = key_hash(name, key).to_vec();
            bytes.extend(signature.to_bytes());
            format!("{SIGNATURE_MARK}{name} {}\n", STANDARD.encode(bytes))
        });
        format!("{text}\n{}", lines.collect::<String>())
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`], which says what is wrong with it.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_BYTES {
            return Err(NoteError("it is longer than 16 KiB"));
        }
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(NoteError("it holds control characters"));
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError("it has no blank line before its signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError("it has no signature line, or an unfinished one"))?;
        let signatures = lines.split('\n').map(SignatureLine::parse).collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(NoteError("a signature line is malformed"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError("it has more than 16 signature lines"));
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// What is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the key of this name signed it: `None` when no line names the key, and `Some(false)` when one does and does not
    /// verify.
    #[must_use]
    pub fn signed_by(&self, name: &str, key: &VerifyingKey) -> Option<bool> {
        let key_hash = key_hash(name, key);
        let verifies = |line: &SignatureLine| {
            let signature = Signature::from_slice(&line.signature).ok();
            signature.is_some_and(|signature| key.verify_strict(self.text.as_bytes(), &signature).is_ok())
        };
        let mut own = self.signatures.iter().filter(|line| line.name == name && line.key_hash == key_hash).peekable();
        own.peek()?;
        Some(own.all(verifies))
    }
}

impl SignatureLine {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_hash, signature) = bytes.split_first_chunk::<4>()?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') || signature.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), key_hash: *key_hash, signature: signature.to_vec() })
    }
}
