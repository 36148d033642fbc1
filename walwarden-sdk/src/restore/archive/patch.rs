//! Completes the table of contents of a local copy, so that parallel `pg_restore` seeks instead of scanning.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::parser::{BLOCK_DATA, BLOCK_LARGE_OBJECTS, OFFSET_SET};
use super::{ArchiveSummary, DataEntry};

/// State byte and at most eight bytes of offset.
const FIELD_LIMIT: usize = 9;

/// Why a copy was not patched. Fields before the failing one may have been written; the archive stays valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// Reading or writing the copy failed.
    #[error("the archive's copy cannot be patched: {0}")]
    Io(#[from] io::Error),
    /// The copy is not the archive which was summarized.
    #[error("the archive's copy does not match its summary")]
    Mismatch,
}

/// Writes the data offsets into the table of contents of `file`, a copy of the archive behind `summary`.
///
/// A stream written by `pg_dump` has none, because a pipe cannot be rewound; the file a seekable `pg_dump` would have
/// written differs in exactly these fields. Returns how many fields were written. Nothing is written unless every
/// field and every data block is found where the summary says.
///
/// # Errors
/// [`PatchError`].
pub fn patch_offsets(file: &File, summary: &ArchiveSummary) -> Result<u64, PatchError> {
    if !(4..=8).contains(&summary.integer_size) || !(4..=8).contains(&summary.offset_size) {
        return Err(PatchError::Mismatch);
    }
    if file.metadata()?.len() != summary.size_bytes {
        return Err(PatchError::Mismatch);
    }
    for entry in &summary.data_entries {
        verify(file, summary, entry)?;
    }
    let mut written = 0;
    let width = 1 + usize::from(summary.offset_size);
    for entry in &summary.data_entries {
        let mut field = [0; FIELD_LIMIT];
        field[0] = OFFSET_SET;
        field[1..].copy_from_slice(&entry.data_offset.to_le_bytes());
        file.write_all_at(&field[..width], entry.field_position)?;
        written += 1;
    }
    Ok(written)
}

/// The field holds a state which means data, and a block of this entry starts at the offset.
fn verify(file: &File, summary: &ArchiveSummary, entry: &DataEntry) -> Result<(), PatchError> {
    let offset_bits = 8 * u32::from(summary.offset_size);
    let fits = offset_bits == 64 || entry.data_offset >> offset_bits == 0;
    let end = summary.size_bytes;
    let field_end = entry.field_position.checked_add(1 + u64::from(summary.offset_size));
    let block_width = 2 + usize::from(summary.integer_size);
    let block_end = entry.data_offset.checked_add(block_width as u64);
    let inside = |limit: Option<u64>| limit.is_some_and(|limit| limit <= end);
    if !fits || !inside(field_end) || !inside(block_end) || field_end > Some(entry.data_offset) {
        return Err(PatchError::Mismatch);
    }
    let mut state = [0];
    file.read_exact_at(&mut state, entry.field_position)?;
    // Block type, sign, id.
    let mut block = [0; 10];
    let block = &mut block[..block_width];
    file.read_exact_at(block, entry.data_offset)?;
    let mut expected = [0; 8];
    expected[..4].copy_from_slice(&entry.dump_id.to_le_bytes());
    let is_block = matches!(block[0], BLOCK_DATA | BLOCK_LARGE_OBJECTS)
        && block[1] == 0
        && block[2..] == expected[..usize::from(summary.integer_size)];
    if is_block && matches!(state[0], 1 | 2) { Ok(()) } else { Err(PatchError::Mismatch) }
}
