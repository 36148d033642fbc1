//! The files of a bundle, read and held, each in the form that it has to have.

use std::io::Read;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Code, Failure};
use crate::audit::AuditEvent;
use crate::bundle::json::{self, Budget};
use crate::bundle::layout::{
    ARTIFACT, AUDIT_EVENTS, BundleFile, CHECKPOINT, INDEX, KEY_EVENTS, LEAVES, MANIFEST, ORGANIZATION_EVENTS, PROOF,
    PROOF_SCHEMA, Proof, RESTORE_EVENTS,
};
use crate::bundle::pack::described;
use crate::bundle::read::{Archive, Entry};

/// A file's content.
pub(super) enum Document {
    Json(Value),
    Events(Vec<AuditEvent>),
    Chains(Vec<Vec<AuditEvent>>),
    Proof(Proof),
    Note(String),
}

/// The files up to the index.
pub(super) struct Held {
    /// Each with its length and hash, in the order of the archive.
    pub(super) files: Vec<(BundleFile, Document)>,
    /// What follows the index and is not yet read.
    pub(super) streamed: Option<Entry>,
}

fn order_of(name: &str) -> Option<usize> {
    [MANIFEST, AUDIT_EVENTS, RESTORE_EVENTS, KEY_EVENTS, CHECKPOINT, PROOF, INDEX].iter().position(|own| *own == name)
}

/// Whether an archive that begins with this file is a period's export.
fn begins_export(name: &str) -> bool {
    name == ORGANIZATION_EVENTS || name.starts_with("backups/")
}

impl Held {
    /// Reads the files up to the index, and the header of what follows it.
    pub(super) fn read(archive: &mut Archive<'_>) -> Result<Self, Failure> {
        let mut files: Vec<(BundleFile, Document)> = Vec::new();
        let (mut export, budget) = (false, Budget::new());
        loop {
            let indexed = files.last().is_some_and(|(file, _)| file.name == INDEX);
            let Some(entry) = archive.next()? else {
                if indexed {
                    return Ok(Self { files, streamed: None });
                }
                return Err(Code::MissingFile.because(format!("the bundle has no {INDEX}")));
            };
            if files.iter().any(|(file, _)| file.name == entry.name) {
                return Err(Code::DuplicateFile.because(format!("{} is in the bundle twice", entry.name)));
            }
            if files.is_empty() {
                export = begins_export(&entry.name);
            }
            if indexed && entry.name == if export { LEAVES } else { ARTIFACT } {
                return Ok(Self { files, streamed: Some(entry) });
            }
            if indexed || !(if export { in_export(&entry.name) } else { order_of(&entry.name).is_some() }) {
                return Err(Code::UnexpectedFile.because(format!("{} does not belong into a bundle", entry.name)));
            }
            if !export && order_of(&entry.name) != Some(files.len()) {
                let place = order_of(&entry.name).unwrap_or_default();
                // A file that comes early was left out or stands behind; which of the two, the rest would tell.
                let code = if place > files.len() { Code::MissingFile } else { Code::ArchiveNotCanonical };
                return Err(code.because(format!("{} stands in another place than Walwarden gives it", entry.name)));
            }
            let bytes = archive.hold(&entry)?;
            files.push((described(&entry.name, &bytes), document(&entry.name, &bytes, &budget)?));
        }
    }

    /// The file of this name.
    pub(super) fn take(&mut self, name: &str) -> Result<Document, Failure> {
        let found = self.files.iter_mut().find(|(file, _)| file.name == name);
        let (_, document) = found.ok_or_else(|| missing(name))?;
        Ok(std::mem::replace(document, Document::Json(Value::Null)))
    }
}

fn missing(name: &str) -> Failure {
    Code::MissingFile.because(format!("the bundle has no {name}"))
}

fn in_export(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["backups", id, MANIFEST | AUDIT_EVENTS] => id.starts_with("bkp_"),
        ["restores", file] => file.starts_with("rst_") && file.strip_suffix(".json").is_some(),
        [name] => [ORGANIZATION_EVENTS, CHECKPOINT, PROOF, INDEX].contains(name),
        _ => false,
    }
}

fn document(name: &str, bytes: &[u8], budget: &Budget) -> Result<Document, Failure> {
    let file = name.rsplit('/').next().unwrap_or_default();
    if file == CHECKPOINT {
        let note = String::from_utf8(bytes.to_vec());
        return note.map(Document::Note).map_err(|_| Code::MalformedCheckpoint.because(format!("{name} is not text")));
    }
    let value = json::read(name, bytes, budget)?;
    match file {
        MANIFEST | INDEX => Ok(Document::Json(value)),
        PROOF => {
            if value.get("schema").and_then(Value::as_str) != Some(PROOF_SCHEMA) {
                return Err(Code::UnknownSchema.because(format!("{name} does not follow {PROOF_SCHEMA}")));
            }
            typed(name, value, bytes).map(Document::Proof)
        }
        RESTORE_EVENTS => typed(name, value, bytes).map(Document::Chains),
        _ => typed(name, value, bytes).map(Document::Events),
    }
}

/// Reads a document whose members are all known. One that has more of them is another document: they would go unsigned.
fn typed<T: DeserializeOwned + Serialize>(name: &str, value: Value, bytes: &[u8]) -> Result<T, Failure> {
    let read: T = serde_json::from_value(value).map_err(|error| {
        Code::UnknownSchema.because(format!("{name} is not in a form that this version knows: {error}"))
    })?;
    let again = serde_json::to_value(&read).and_then(|value| serde_json_canonicalizer::to_vec(&value));
    if again.is_ok_and(|again| again == bytes) {
        Ok(read)
    } else {
        Err(Code::JsonNotCanonical.because(format!("{name} holds members or forms that Walwarden does not write")))
    }
}

/// The whole text of a small file that somebody names.
///
/// # Errors
/// [`Code::UnreadableFile`], or the given code when it is no text or longer than 64 KiB.
pub fn small_text(name: &str, from: impl Read, otherwise: Code) -> Result<String, Failure> {
    const LIMIT: u64 = 64 << 10;
    let mut bytes = Vec::new();
    let read = from.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Code::UnreadableFile.because(format!("{name} cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= LIMIT);
    text.ok_or_else(|| otherwise.because(format!("{name} is no text of at most 64 KiB")))
}
