//! Canaries: secrets made for one test, which must then be found nowhere. They are searched for as they are and in every
//! encoding a leak could wear.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;

use crate::runtime::lock;

/// Random bytes as lower-case hex.
#[must_use]
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).expect("the kernel always has random bytes on Linux");
    hex::encode(buffer)
}

#[derive(Debug, Clone)]
struct Canary {
    label: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

/// The secrets of one test.
#[derive(Debug, Default)]
pub struct Canaries {
    known: Mutex<Vec<Canary>>,
}

impl Canaries {
    /// Makes a password of 128 random bits around characters that URLs, passfiles, JSON and shells treat specially.
    #[must_use]
    pub fn password(&self, label: &str) -> String {
        let secret = format!("Cn:/@%{}\\#", random_hex(16));
        self.register(label, &secret);
        secret
    }

    /// Makes an S3 secret key: 40 characters of letters and digits.
    #[must_use]
    pub fn secret_key(&self, label: &str) -> String {
        let secret = random_hex(20);
        self.register(label, &secret);
        secret
    }

    /// Adds a secret that came from elsewhere (an API key, a restore token, a presigned URL's signature). The label is what a
    /// failure names.
    pub fn register(&self, label: &str, secret: &str) {
        assert!(secret.len() >= 12, "canary {label} is too short to be told from chance");
        let canary = Canary { label: label.to_owned(), forms: forms(secret) };
        lock(&self.known).push(canary);
    }

    /// Where any of them is found, as one line each; the secret itself is not repeated.
    #[must_use]
    pub fn find(&self, place: &str, haystack: &[u8]) -> Vec<String> {
        let known = lock(&self.known).clone();
        let mut found = Vec::new();
        for canary in &known {
            for (encoding, needle) in &canary.forms {
                if let Some(at) = Finder::new(needle).find(haystack) {
                    found.push(format!("{} ({encoding}) in {place} at byte {at}", canary.label));
                    break;
                }
            }
        }
        found
    }

    /// Fails, naming label, encoding and place, when any of them is in any of the places.
    pub fn assert_nowhere(&self, places: &[Place<'_>]) -> Result<()> {
        let mut found = Vec::new();
        for place in places {
            match place {
                Place::Bytes(name, bytes) => found.extend(self.find(name, bytes)),
                Place::Argv(samples) => {
                    // Thousands of short samples: searched as one, and one by one only when there is something to name.
                    if self.find("the argvs", &samples.join(&b'\n')).is_empty() {
                        continue;
                    }
                    for argv in *samples {
                        let shown = String::from_utf8_lossy(argv.split(|byte| *byte == 0).next().unwrap_or_default())
                            .into_owned();
                        found.extend(self.find(&format!("the argv of {shown}"), argv));
                    }
                }
                Place::Path(path) => {
                    for file in files_below(path)? {
                        let Ok(bytes) = fs::read(&file) else { continue };
                        found.extend(self.find(&file.display().to_string(), &bytes));
                    }
                }
            }
        }
        if !found.is_empty() {
            bail!("secrets leaked:\n  {}", found.join("\n  "));
        }
        Ok(())
    }
}

/// Somewhere to search.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// Named bytes: captured output, a response body.
    Bytes(&'a str, &'a [u8]),
    /// What an [`ArgvSampler`](crate::argv::ArgvSampler) saw.
    Argv(&'a [Vec<u8>]),
    /// A file, or every file below a directory.
    Path(&'a Path),
}

/// Every regular file at or below `path`; links are not followed.
pub fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    let kind = fs::symlink_metadata(path).with_context(|| format!("cannot search {}", path.display()))?.file_type();
    if kind.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    if kind.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot search {}", path.display()))? {
            // A file that vanishes while we look held nothing that lasts.
            if let Ok(mut below) = files_below(&entry?.path()) {
                files.append(&mut below);
            }
        }
    }
    Ok(files)
}

fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("plain", secret.as_bytes().to_vec()),
        ("percent-encoded", percent_encode(secret).into_bytes()),
        ("hex", hex::encode(secret).into_bytes()),
    ];
    // `{:?}`, JSON and a passfile escape the same two characters in the same way, the passfile the colon as well.
    forms.push(("escaped", secret.replace('\\', "\\\\").into_bytes()));
    forms.push(("passfile-escaped", secret.replace('\\', "\\\\").replace(':', "\\:").into_bytes()));
    // Base64 of a text that contains the secret depends on where in a group of three it starts: all three, without the
    // characters at either end that also depend on the neighbours.
    for offset in 0..3_usize {
        let mut padded = vec![0_u8; offset];
        padded.extend_from_slice(secret.as_bytes());
        let first = [0, 2, 3][offset];
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let last = padded.len() / 3 * 4;
            forms.push(("base64", text.as_bytes()[first..last].to_vec()));
        }
    }
    // The random part alone survives any escaping of what stands around it.
    if let Some(core) = longest_alphanumeric_run(secret).filter(|core| core.len() >= 20) {
        forms.push(("in part", core.as_bytes().to_vec()));
    }
    forms
}

fn longest_alphanumeric_run(secret: &str) -> Option<&str> {
    secret.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|run| run.len())
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}
