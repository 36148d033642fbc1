//! The verifier has no network code: neither in what it depends on, nor in what the linker left of it.

#![expect(clippy::disallowed_methods, reason = "nothing here outlives the test that starts it")]

use std::collections::BTreeSet;
use std::process::Command;

/// What `walwarden-verify` may depend on. None of these opens a connection. Whoever adds one here has looked.
const ALLOWED: &[&str] = &[
    "adler2",
    "anstream",
    "anstyle",
    "anstyle-parse",
    "anstyle-query",
    "base64",
    "base64ct",
    "bitflags",
    "block-buffer",
    "cfg-if",
    "clap",
    "clap_builder",
    "clap_derive",
    "clap_lex",
    "cmov",
    "colorchoice",
    "const-oid",
    "cpufeatures",
    "crc32fast",
    "crypto-common",
    "ctutils",
    "curve25519-dalek",
    "curve25519-dalek-derive",
    "der",
    "digest",
    "dyn-clone",
    "ed25519",
    "ed25519-dalek",
    "filetime",
    "flate2",
    "getrandom",
    "heck",
    "hex",
    "hmac",
    "hybrid-array",
    "is_terminal_polyfill",
    "itoa",
    "jiff",
    "jiff-core",
    "libc",
    "linux-raw-sys",
    "memchr",
    "miniz_oxide",
    "pem-rfc7468",
    "pkcs8",
    "proc-macro2",
    "quote",
    "ref-cast",
    "ref-cast-impl",
    "regex-lite",
    "rustix",
    "ryu-js",
    "schemars",
    "schemars_derive",
    "secrecy",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_derive_internals",
    "serde_json",
    "serde_json_canonicalizer",
    "sha2",
    "signature",
    "simd-adler32",
    "spki",
    "strsim",
    "subtle",
    "syn",
    "tar",
    "terminal_size",
    "thiserror",
    "thiserror-impl",
    "typenum",
    "unicode-ident",
    "utf8parse",
    "uuid",
    "walwarden-contract",
    "zeroize",
    "zmij",
];

fn tree(edges: &str, format: &str) -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--manifest-path", manifest, "--no-default-features", "--features", "verifier"])
        .args(["--edges", edges, "--prefix", "none", "--format", format])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn nothing_that_the_verifier_depends_on_has_network_code() {
    let found = tree("normal", "{p}");
    let found: BTreeSet<&str> = found.lines().filter_map(|line| line.split(' ').next()).collect();
    let strangers: Vec<_> = found.iter().filter(|name| !ALLOWED.contains(name)).collect();
    assert!(strangers.is_empty(), "walwarden-verify now depends on {strangers:?}");
    assert!(found.len() > 30, "{found:?}");
    // The one crate among them that has network calls has them behind a feature.
    let rustix = tree("normal", "{p} {f}");
    let features = rustix.lines().find(|line| line.starts_with("rustix ")).expect("clap asks the terminal's width");
    assert!(!features.split([' ', ',']).any(|feature| feature == "net"), "{features}");
}

#[test]
fn nothing_in_the_verifier_calls_the_network() {
    let output =
        Command::new("nm").args(["--dynamic", "--undefined-only", env!("CARGO_BIN_EXE_walwarden-verify")]).output();
    let output = output.expect("binutils are installed wherever Rust links");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let symbols = String::from_utf8(output.stdout).expect("text");
    let called: Vec<&str> =
        symbols.lines().filter_map(|line| line.split_whitespace().last()?.split('@').next()).collect();
    assert!(called.contains(&"read"), "{called:?}");
    for call in ["socket", "connect", "bind", "listen", "accept", "accept4", "sendto", "recvfrom", "getaddrinfo"] {
        assert!(!called.contains(&call), "walwarden-verify calls {call}");
    }
}
