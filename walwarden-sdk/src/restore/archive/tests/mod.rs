//! Tests of the archive parser with archives written here; those of a real `pg_dump` are among the integration tests.

mod writer;

use proptest::prelude::*;

use super::*;
use writer::{Item, Writer, write};

fn items() -> Vec<Item> {
    let item = |dump_id, data: Option<&[&[u8]]>, large_objects| Item {
        dump_id,
        data: data.map(|chunks| chunks.iter().map(|chunk| chunk.to_vec()).collect()),
        large_objects,
    };
    vec![
        item(5, None, false),
        item(9, Some(&[b"1\tone\n", b"2\ttwo\n"]), false),
        item(3, Some(&[]), false),
        item(8, Some(&[b"large"]), true),
    ]
}

fn parse(bytes: &[u8]) -> Result<ArchiveSummary, ArchiveError> {
    parse_pieces(&[bytes])
}

fn parse_pieces(pieces: &[&[u8]]) -> Result<ArchiveSummary, ArchiveError> {
    let mut parser = ArchiveParser::new();
    for piece in pieces {
        parser.push(piece)?;
    }
    parser.finish()
}

#[test]
fn every_supported_version_is_read_to_its_end() {
    for minor in 12..=16 {
        let bytes = write(minor, &items());
        let summary = parse(&bytes).expect("whole");
        assert_eq!(summary.version, (1, minor, 0));
        assert_eq!(summary.compression, if minor >= 15 { Compression::Zstd } else { Compression::Gzip });
        assert_eq!((summary.database_name.as_str(), summary.server_version.as_str()), ("shop", "17.6"));
        assert_eq!((summary.pg_dump_version.as_str(), summary.toc_entries), ("17.7", 4));
        assert_eq!(summary.size_bytes, bytes.len() as u64);
        let ids: Vec<i32> = summary.data_entries.iter().map(|entry| entry.dump_id).collect();
        assert_eq!(ids, [9, 3, 8]);
        for entry in &summary.data_entries {
            let at = |position: u64| bytes[usize::try_from(position).expect("small")];
            assert_eq!(at(entry.field_position), 1);
            assert!(matches!(at(entry.data_offset), 1 | 3));
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let bytes = write(16, &items());
    for length in 0..bytes.len() {
        let error = parse(&bytes[..length]).expect_err("cut");
        assert!(
            matches!(error, ArchiveError::Truncated { .. } | ArchiveError::MissingData { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn data_nobody_asked_for_and_data_given_twice_are_refused() {
    let bytes = write(15, &items());
    let mut writer = Writer { bytes: bytes.clone(), minor: 15 };
    writer.block(&items()[1]);
    assert_eq!(parse(&writer.bytes), Err(ArchiveError::UnexpectedData { dump_id: 9 }));
    let mut trailing = bytes;
    trailing.push(0);
    assert!(matches!(parse(&trailing), Err(ArchiveError::Malformed { .. })));
}

#[test]
fn other_formats_and_versions_are_named() {
    assert_eq!(parse(b"-- PostgreSQL database dump"), Err(ArchiveError::NotAnArchive));
    let mut bytes = write(16, &items());
    bytes[6] = 17;
    assert_eq!(parse(&bytes), Err(ArchiveError::UnsupportedVersion { major: 1, minor: 17 }));
    bytes[6] = 16;
    bytes[10] = 3;
    assert_eq!(parse(&bytes), Err(ArchiveError::NotAnArchive));
}

#[test]
fn counts_and_lengths_without_bounds_are_refused_at_once() {
    let mut writer = Writer { bytes: Vec::new(), minor: 16 };
    writer.header();
    writer.integer(i32::MAX);
    assert!(matches!(parse(&writer.bytes), Err(ArchiveError::LimitExceeded { .. })));
    let mut writer = Writer { bytes: b"PGDMP\x01\x10\x00\x04\x08\x01\x00".to_vec(), minor: 16 };
    (0..7).for_each(|field| writer.integer(field));
    writer.integer(i32::MAX);
    assert!(matches!(parse(&writer.bytes), Err(ArchiveError::LimitExceeded { .. })));
}

#[test]
fn a_parser_which_refused_stays_refusing() {
    let mut parser = ArchiveParser::new();
    assert_eq!(parser.push(b"not a dump"), Err(ArchiveError::NotAnArchive));
    assert_eq!(parser.push(b"PGDMP"), Err(ArchiveError::Refused));
    assert_eq!(parser.finish(), Err(ArchiveError::Refused));
}

fn copy(bytes: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().expect("a file");
    std::io::Write::write_all(&mut file, bytes).expect("written");
    file
}

fn contents(mut file: &std::fs::File) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Seek::rewind(&mut file).expect("seekable");
    std::io::Read::read_to_end(&mut file, &mut bytes).expect("readable");
    bytes
}

#[test]
fn a_patched_copy_declares_its_offsets_and_a_wrong_one_is_refused() {
    let bytes = write(14, &items());
    let summary = parse(&bytes).expect("whole");
    let file = copy(&bytes);
    assert_eq!(patch_offsets(&file, &summary).expect("patched"), 3);
    let mut patched = contents(&file);
    assert_eq!(parse(&patched).expect("whole"), summary);
    // A declared offset is checked against the data.
    let field = usize::try_from(summary.data_entries[1].field_position).expect("small");
    patched[field + 1] ^= 1;
    assert_eq!(parse(&patched), Err(ArchiveError::OffsetMismatch { dump_id: 3 }));
}

#[test]
fn a_file_which_is_another_archive_is_left_as_it_was() {
    let bytes = write(14, &items());
    let summary = parse(&bytes).expect("whole");
    let mut other = items();
    other[3].dump_id = 99;
    for wrong in [write(14, &other), bytes[..bytes.len() - 1].to_vec()] {
        let file = copy(&wrong);
        assert!(matches!(patch_offsets(&file, &summary), Err(PatchError::Mismatch)));
        assert_eq!(contents(&file), wrong);
    }
    let mut hostile = summary;
    hostile.data_entries[0].field_position = u64::MAX;
    assert!(matches!(patch_offsets(&copy(&bytes), &hostile), Err(PatchError::Mismatch)));
}

prop_compose! {
    fn any_item()(data in prop::option::of(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4)),
                  large_objects: bool) -> Item {
        Item { dump_id: 1, data, large_objects }
    }
}

fn any_items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(any_item(), 0..6).prop_map(|mut items| {
        for (item, dump_id) in items.iter_mut().zip(1..) {
            item.dump_id = dump_id;
        }
        items
    })
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_summary(items in any_items(), minor in 12_u8..=16, sizes in prop::collection::vec(1_usize..20, 1..50)) {
        let bytes = write(minor, &items);
        let whole = parse(&bytes).expect("whole");
        let mut pieces = Vec::new();
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(parse_pieces(&pieces), Ok(whole));
    }

    #[test]
    fn damaged_archives_never_panic(items in any_items(), minor in 12_u8..=16, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = write(minor, &items);
        for (index, byte) in &damage {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        if let Ok(summary) = parse(&bytes) {
            prop_assert_eq!(summary.size_bytes, bytes.len() as u64);
            let _ = patch_offsets(&copy(&bytes), &summary);
        }
    }

    #[test]
    fn arbitrary_bytes_after_a_header_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut writer = Writer { bytes: Vec::new(), minor: 16 };
        writer.header();
        writer.bytes.extend(noise);
        let _ = parse(&writer.bytes);
    }
}
