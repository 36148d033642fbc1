//! The archives that evidence comes in, written by hand, so that each byte of them can be another.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::GzBuilder;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// The length of a tar block.
pub const BLOCK: usize = 512;

/// A ustar header of a regular file, as evidence has it.
#[must_use]
pub fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header
}

/// Writes a header's checksum.
pub fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..BLOCK].iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
}

/// An entry: header, content, and zeros up to a whole block.
#[must_use]
pub fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut entry = header(name, content.len() as u64).to_vec();
    entry.extend(content);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    entry
}

/// The archive of these files.
#[must_use]
pub fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive: Vec<u8> = files.iter().flat_map(|(name, content)| entry(name, content)).collect();
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

fn finish(mut encoder: GzEncoder<Vec<u8>>, content: &[u8]) -> Vec<u8> {
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

/// Compressed, without a trace of where and when.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let builder = GzBuilder::new().mtime(0).operating_system(255);
    finish(builder.write(Vec::new(), Compression::default()), content)
}

/// Compressed, with another header.
#[must_use]
pub fn gzip_as(builder: GzBuilder, content: &[u8]) -> Vec<u8> {
    finish(builder.write(Vec::new(), Compression::default()), content)
}

/// What was compressed.
#[must_use]
pub fn gunzip(compressed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut content).expect("it was compressed here");
    content
}
