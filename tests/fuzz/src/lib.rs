//! What the fuzz targets share: an archive written and read without a second look.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use walwarden_contract::bundle::{INDEX, archive, described};
use walwarden_contract::manifest::key_id;

/// Files in their order.
pub type Files = Vec<(String, Vec<u8>)>;

const BLOCK: usize = 512;

/// Compressed, as bundles are.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    use flate2::{Compression, GzBuilder};
    use std::io::Write;
    let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes everything")
}

/// What an archive holds, for whoever believes its headers.
#[must_use]
pub fn files_of(content: &[u8]) -> Option<Files> {
    let (mut files, mut at) = (Files::new(), 0);
    loop {
        let header = content.get(at..at + BLOCK)?;
        if header.iter().all(|byte| *byte == 0) {
            return Some(files);
        }
        let name = std::str::from_utf8(&header[..100]).ok()?.trim_end_matches('\0').to_owned();
        let size = usize::from_str_radix(std::str::from_utf8(&header[124..135]).ok()?, 8).ok()?;
        let bytes = content.get(at + BLOCK..at.checked_add(BLOCK + size)?)?;
        files.push((name, bytes.to_vec()));
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
}

/// Packed in the one form.
#[must_use]
pub fn pack(files: &Files) -> Vec<u8> {
    archive(files).unwrap_or_default()
}

/// The same files, described in an index that this key signs.
#[must_use]
pub fn seal(mut files: Files, key: &SigningKey) -> Option<Files> {
    let place = files.iter().position(|(name, _)| name == INDEX)?;
    let mut index: Value = serde_json::from_slice(&files[place].1).ok()?;
    let others = files.iter().filter(|(name, _)| name != INDEX);
    let descriptions: Vec<_> = others.map(|(name, bytes)| described(name, bytes)).collect();
    let object = index.as_object_mut()?;
    object.insert("files".to_owned(), json!(descriptions));
    object.insert("keyId".to_owned(), json!(key_id(&key.verifying_key())));
    object.remove("signature");
    let signature = key.sign(&serde_json_canonicalizer::to_vec(&index).ok()?);
    index["signature"] = json!(STANDARD.encode(signature.to_bytes()));
    files[place].1 = serde_json_canonicalizer::to_vec(&index).ok()?;
    Some(files)
}
