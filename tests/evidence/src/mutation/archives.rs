//! Archives that are none, or not in the one form, or meant to hurt whoever opens them.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use super::Case;
use crate::archive::{BLOCK, entry, gzip, gzip_as, header, seal, tar};
use crate::setting::{Setting, backup, key};

const B: usize = backup::NEWEST;
const NONE: &str = "not_an_archive";
const REFUSED: &str = "entry_refused";
const NOT_CANONICAL: &str = "archive_not_canonical";
const TOO_LARGE: &str = "archive_too_large";

/// A header that was changed and has its right checksum.
fn changed(name: &str, size: u64, change: impl FnOnce(&mut [u8; BLOCK])) -> Vec<u8> {
    let mut header = header(name, size);
    change(&mut header);
    seal(&mut header);
    header.to_vec()
}

/// Zeros, compressed: a thousandth of what it says.
fn zeros(size: u64, before: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::default());
    encoder.write_all(before).expect("memory");
    let block = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        encoder.write_all(&block).expect("memory");
    }
    encoder.finish().expect("memory")
}

#[expect(clippy::too_many_lines, reason = "it is one list")]
pub(super) fn cases(setting: &Setting) -> Vec<Case> {
    let files = setting.bundle(B);
    let (compressed, plain) = (files.archive(), tar(&files.0));
    let body = plain[..plain.len() - 2 * BLOCK].to_vec();
    let end = [0; 2 * BLOCK];
    let mut cases = Vec::new();
    let mut case = |name: &'static str, archive: Vec<u8>, code: &str| cases.push(Case::new(name, archive, code));

    case("gzip: empty", Vec::new(), NONE);
    case("gzip: a text", b"evidence, honestly".repeat(4), NONE);
    case("gzip: not compressed", plain.clone(), NONE);
    case("gzip: cut", compressed[..compressed.len() / 2].to_vec(), NONE);
    case("gzip: the trailer is cut", compressed[..compressed.len() - 4].to_vec(), NONE);
    let mut checksum = compressed.clone();
    let place = checksum.len() - 6;
    checksum[place] ^= 1;
    case("gzip: another checksum", checksum, NONE);
    case("gzip: bytes behind the end", [compressed.as_slice(), b"more"].concat(), NOT_CANONICAL);
    case("gzip: zeros behind the end", [compressed.as_slice(), &[0; 512]].concat(), NOT_CANONICAL);
    case("gzip: a second member", [compressed.clone(), gzip(b"more")].concat(), NOT_CANONICAL);
    case("gzip: in two members", [gzip(&plain[..2048]), gzip(&plain[2048..])].concat(), NONE);
    let named = || GzBuilder::new().operating_system(255);
    case("gzip: with a name", gzip_as(named().filename("evidence.tar"), &plain), NOT_CANONICAL);
    case("gzip: with a comment", gzip_as(named().comment("fine"), &plain), NOT_CANONICAL);
    case("gzip: with more in the header", gzip_as(named().extra(*b"WW\x01\x00x"), &plain), NOT_CANONICAL);
    case("gzip: with a time", gzip_as(named().mtime(1_769_824_800), &plain), NOT_CANONICAL);
    case("gzip: from a known system", gzip_as(GzBuilder::new().operating_system(3), &plain), NOT_CANONICAL);

    case("tar: empty", gzip(b""), NONE);
    case("tar: a text", gzip(&b"no archive, honestly. ".repeat(100)), REFUSED);
    case("tar: cut in a file", gzip(&plain[..BLOCK + 100]), NONE);
    case("tar: cut in a header", gzip(&plain[..100]), NONE);
    case("tar: no end", gzip(&body), NONE);
    case("tar: half of an end", gzip(&[body.as_slice(), &[0; BLOCK]].concat()), NONE);
    case("tar: more zeros at the end", gzip(&[plain.as_slice(), &[0; BLOCK]].concat()), NOT_CANONICAL);
    case("tar: something behind the end", gzip(&[plain.clone(), entry("note.txt", b"fine")].concat()), NOT_CANONICAL);
    let mut wrong = plain.clone();
    wrong[150] ^= 1;
    case("tar: another checksum", gzip(&wrong), NOT_CANONICAL);
    let mut padded = plain.clone();
    let manifest = files.0[0].1.len();
    padded[BLOCK + manifest] = b'!';
    case("tar: something in the space behind a file", gzip(&padded), NOT_CANONICAL);

    // One entry more, before all others or behind them.
    let mut extra = |name: &'static str, entry: Vec<u8>, code: &str| {
        cases.push(Case::new(name, gzip(&[entry.as_slice(), &body, &end].concat()), code));
        cases.push(Case::new(name, gzip(&[&body, entry.as_slice(), &end].concat()), code));
    };
    extra("entry: climbs out", entry("../../etc/cron.d/job", b"* * * * *"), REFUSED);
    extra("entry: climbs within", entry("a/../manifest.json", b"{}"), REFUSED);
    extra("entry: absolute", entry("/etc/passwd", b"root"), REFUSED);
    extra("entry: here", entry("./manifest.json", b"{}"), REFUSED);
    extra("entry: a backslash", entry("..\\manifest.json", b"{}"), REFUSED);
    extra("entry: without a name", entry("", b""), REFUSED);
    extra("entry: a control character", entry("manifest.json\n", b"{}"), REFUSED);
    extra("entry: a name that is no UTF-8", changed("x", 0, |it| it[0] = 0xff), NOT_CANONICAL);
    for (name, kind) in [
        ("entry: a hard link", b'1'),
        ("entry: a symbolic link", b'2'),
        ("entry: a character device", b'3'),
        ("entry: a block device", b'4'),
        ("entry: a directory", b'5'),
        ("entry: a pipe", b'6'),
        ("entry: a contiguous file", b'7'),
        ("entry: a pax header", b'x'),
        ("entry: a global pax header", b'g'),
        ("entry: a long name of GNU's", b'L'),
        ("entry: a long link of GNU's", b'K'),
        ("entry: a sparse file of GNU's", b'S'),
        ("entry: of the old type", 0),
    ] {
        let link = changed("note.txt", 0, |it| {
            it[156] = kind;
            if kind == b'1' || kind == b'2' {
                it[157..163].copy_from_slice(b"/etc/x");
            }
        });
        extra(name, link, REFUSED);
    }
    extra("entry: GNU's magic", changed("note.txt", 0, |it| it[257..265].copy_from_slice(b"ustar  \0")), NOT_CANONICAL);
    extra("entry: no magic", changed("note.txt", 0, |it| it[257..265].fill(0)), NOT_CANONICAL);
    extra("entry: one that nobody asked for", entry("note.txt", b"fine"), "unexpected_file");
    extra("entry: one in a directory", entry("manifests/manifest.json", b"{}"), "unexpected_file");
    extra("entry: a name in upper case", entry("MANIFEST.JSON", b"{}"), "unexpected_file");
    extra("entry: a second manifest", entry("manifest.json", &files.0[0].1), "duplicate_file");
    extra("entry: a second and false manifest", entry("manifest.json", b"{}"), "duplicate_file");
    extra(
        "entry: a size beyond eight GiB, in binary",
        changed("note.txt", 0, |it| {
            it[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        }),
        "unexpected_file",
    );
    extra(
        "entry: a size that is no number",
        changed("note.txt", 0, |it| it[124..135].copy_from_slice(b"twelve byte")),
        NOT_CANONICAL,
    );

    for (name, change) in [
        ("header: another mode", (|it| it[100..107].copy_from_slice(b"0000755")) as fn(&mut [u8; BLOCK])),
        ("header: an owner", |it| it[108..115].copy_from_slice(b"0001750")),
        ("header: a group", |it| it[116..123].copy_from_slice(b"0001750")),
        ("header: a time", |it| it[136..147].copy_from_slice(b"15137070640")),
        ("header: an owner's name", |it| it[265..269].copy_from_slice(b"root")),
        ("header: a group's name", |it| it[297..301].copy_from_slice(b"root")),
        ("header: a link's target", |it| it[157..163].copy_from_slice(b"/etc/x")),
        ("header: a device", |it| it[329..336].copy_from_slice(b"0000001")),
        ("header: something in the space behind", |it| it[505] = b'!'),
    ] {
        let mut archive = plain.clone();
        archive[..BLOCK].copy_from_slice(&changed("manifest.json", manifest as u64, change));
        cases.push(Case::new(name, gzip(&archive), NOT_CANONICAL));
    }
    for position in 0..files.0.len() {
        let mut fewer = files.clone();
        fewer.0.remove(position);
        cases.push(Case::new("files: one is missing", fewer.archive(), "missing_file"));
    }
    let mut swapped = files.clone();
    swapped.0.swap(0, 1);
    cases.push(Case::new("files: in another order", swapped.archive(), "missing_file").signed("by nobody"));
    swapped.seal(&key(3));
    cases.push(Case::new("files: in another order", swapped.archive(), "missing_file").signed("by the stolen key"));
    let mut renamed = files.clone();
    "manifest.jso".clone_into(&mut renamed.0[0].0);
    cases.push(Case::new("files: one has another name", renamed.archive(), "unexpected_file"));

    let mut case = |name: &'static str, archive: Vec<u8>, code: &str| cases.push(Case::new(name, archive, code));
    let many_zeros = 64 << 20;
    case("bomb: nothing but zeros", zeros(many_zeros, b""), NOT_CANONICAL);
    case(
        "bomb: a manifest that is said to have 8 GiB",
        gzip(&changed("manifest.json", 0o77_777_777_777, |_| ())),
        TOO_LARGE,
    );
    case("bomb: a manifest of a GiB", zeros(many_zeros, &header("manifest.json", 1 << 30)), TOO_LARGE);
    case("bomb: zeros behind the end", zeros(many_zeros, &plain), NOT_CANONICAL);
    let many = (0..100_000).flat_map(|number| header(&format!("file-{number}"), 0)).collect::<Vec<_>>();
    case("bomb: a hundred thousand files", gzip(&[many.as_slice(), &end].concat()), "unexpected_file");
    let restores = (0..25_000).flat_map(|number| entry(&format!("restores/rst_{number:032x}.json"), b"[]"));
    let many = entry("organization_events.json", b"[]").into_iter().chain(restores).chain(end).collect::<Vec<_>>();
    case("bomb: more restores than an export has", gzip(&many), TOO_LARGE);
    let nested = gzip(&gzip(&plain));
    case("bomb: compressed twice", nested, NOT_CANONICAL);
    cases
}
