//! The configuration file: profiles, each an address and the secrets it is spoken to with. Errors repeat nothing of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{MAX_TIMEOUT_MS, invalid};
use crate::failure::Failure;
use crate::output::text;

/// No file with profiles is larger.
const MAX_BYTES: u64 = 1 << 20;
const MEMBERS: [&str; 5] = ["baseUrl", "apiKey", "apiKeyFile", "timeoutMs", "allowInsecureHttp"];
/// Reading or writing for the group or for everybody.
const OPEN_TO_OTHERS: u32 = 0o066;

/// What one profile sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) allow_insecure_http: bool,
}

/// What there is at a path.
pub(super) enum Found {
    NoFile,
    /// A file that is in order, without a profile of that name.
    NoProfile,
    Profile(Profile),
}

/// Reads a file and the profile of this name in it.
pub(super) fn read(path: &Path, name: &str) -> Result<Found, Failure> {
    // A pipe without a writer must not hold the command up.
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Found::NoFile);
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    check(path, &file)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(path, "is larger than 1 MiB"));
    }
    Ok(parse(path, &bytes, name)?.map_or(Found::NoProfile, Found::Profile))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    refused(path, &format!("cannot be read: {error}"))
}

fn refused(path: &Path, reason: &str) -> Failure {
    invalid(format!("{} {reason}.", path.display()))
}

/// Refuses what is no file, or a file in which others could have put, or found, an API key.
fn check(path: &Path, file: &File) -> Result<(), Failure> {
    let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(refused(path, "is not a regular file"));
    }
    check_access(path, metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw())
}

fn check_access(path: &Path, mode: u32, owner: u32, user: u32) -> Result<(), Failure> {
    let mend = |command: &str| {
        let path = path.display().to_string();
        text::shell(&command.split(' ').map(str::to_owned).chain([path]).collect::<Vec<_>>())
    };
    let (reason, mended) = if owner != user && owner != 0 {
        let mended = mend(&format!("chown {user}"));
        let mended = format!("Name a file of your own with --config, or run as root: {mended}");
        ("belongs to another user, who can change what it says".to_owned(), mended)
    } else if mode & OPEN_TO_OTHERS != 0 {
        let reason = format!("can be read or written by others than its owner (mode {:04o})", mode & 0o7777);
        (reason, format!("Run: {}", mend("chmod 600")))
    } else {
        return Ok(());
    };
    let mut failure = invalid(format!("{} {reason}. {mended}", path.display()));
    failure.body.next_action = mended;
    Err(failure)
}

fn parse(path: &Path, bytes: &[u8], name: &str) -> Result<Option<Profile>, Failure> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| {
        refused(path, &format!("is no JSON document: error at line {} column {}", error.line(), error.column()))
    })?;
    let members = object(path, "the document", &document)?;
    known(path, "the document", members, &["profiles"])?;
    let profiles = members.get("profiles").map_or(Ok(None), |it| object(path, "`profiles`", it).map(Some))?;
    let mut found = None;
    for (key, value) in profiles.into_iter().flatten() {
        let named = if key == name { "the profile in use" } else { "a profile" };
        let profile = profile(path, named, value)?;
        if key == name {
            found = Some(profile);
        }
    }
    Ok(found)
}

fn profile(path: &Path, named: &str, value: &Value) -> Result<Profile, Failure> {
    let members = object(path, named, value)?;
    known(path, named, members, &MEMBERS)?;
    let wrong =
        |member: &str, expected: &str| refused(path, &format!("holds a `{member}` in {named} that is {expected}"));
    let text = |member: &str| match members.get(member) {
        None => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(wrong(member, "no text, or empty")),
    };
    let timeout = match members.get("timeoutMs") {
        None => None,
        Some(value) => {
            let millis = value.as_u64().filter(|millis| (1..=MAX_TIMEOUT_MS).contains(millis));
            Some(millis.ok_or_else(|| wrong("timeoutMs", &format!("no whole number from 1 to {MAX_TIMEOUT_MS}")))?)
        }
    };
    let allow_insecure_http = match members.get("allowInsecureHttp") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| wrong("allowInsecureHttp", "neither true nor false"))?,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    Ok(Profile {
        base_url: text("baseUrl")?,
        api_key: text("apiKey")?.map(SecretString::from),
        api_key_file: text("apiKeyFile")?.map(|file| folder.join(file)),
        timeout: timeout.map(Duration::from_millis),
        allow_insecure_http,
    })
}

fn object<'a>(path: &Path, what: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Failure> {
    value.as_object().ok_or_else(|| refused(path, &format!("is not in its format: {what} is no object")))
}

fn known(path: &Path, what: &str, members: &Map<String, Value>, known: &[&str]) -> Result<(), Failure> {
    let Some(unknown) = members.keys().find(|member| !known.contains(&member.as_str())) else { return Ok(()) };
    let name = if is_name(unknown) { format!(" `{unknown}`") } else { String::new() };
    let known = known.iter().map(|member| format!("`{member}`")).collect::<Vec<_>>().join(", ");
    Err(refused(path, &format!("has an unknown member{name} in {what}; known: {known}")))
}

/// Whether a text is the name of a member, and no secret that was put in the place of one.
fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && !text.starts_with("wal_")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use walwarden_contract::ErrorCode;

    use super::*;

    fn parsed(text: &str) -> Result<Option<Profile>, Failure> {
        parse(Path::new("/home/u/walwarden/config.json"), text.as_bytes(), "default")
    }

    #[test]
    fn a_profile_is_read_whole_and_relative_files_lie_beside_it() {
        let text = r#"{"profiles": {"other": {}, "default": {"baseUrl": " https://h ", "apiKey": "wal_1",
            "apiKeyFile": "key", "timeoutMs": 5, "allowInsecureHttp": true}}}"#;
        let profile = parsed(text).expect("it fits").expect("it is there");
        assert_eq!(profile.base_url.as_deref(), Some("https://h"));
        assert_eq!(profile.api_key.expect("a key").expose_secret(), "wal_1");
        assert_eq!(profile.api_key_file.as_deref(), Some(Path::new("/home/u/walwarden/key")));
        assert_eq!((profile.timeout, profile.allow_insecure_http), (Some(Duration::from_millis(5)), true));
        assert!(parsed("{}").expect("it fits").is_none());
        assert!(parsed(r#"{"profiles": {"other": {}}}"#).expect("it fits").is_none());
    }

    #[test]
    fn what_does_not_fit_is_named_and_values_are_not_repeated() {
        let long = format!(r#"{{"profiles": {{"default": {{"hunter2{}": 1}}}}}}"#, "a".repeat(64));
        let cases = [
            ("hunter2", "error at line 1 column 1"),
            (r#"["hunter2"]"#, "the document is no object"),
            (r#"{"profile": {}}"#, "unknown member `profile` in the document; known: `profiles`"),
            (r#"{"profiles": {"default": "hunter2"}}"#, "the profile in use is no object"),
            (r#"{"profiles": {"hunter2": {"url": 1}}}"#, "unknown member `url` in a profile"),
            (r#"{"profiles": {"default": {"api_key": "hunter2"}}}"#, "unknown member `api_key` in the profile in use"),
            (r#"{"profiles": {"default": {"wal_hunter2": 1}}}"#, "unknown member in the profile in use"),
            (&long, "unknown member in the profile in use"),
            (r#"{"profiles": {"default": {"timeoutMs": "hunter2"}}}"#, "`timeoutMs`"),
            (r#"{"profiles": {"default": {"timeoutMs": 0}}}"#, "`timeoutMs`"),
            (r#"{"profiles": {"default": {"timeoutMs": 86400001}}}"#, "`timeoutMs`"),
            (r#"{"profiles": {"default": {"apiKey": ["hunter2"]}}}"#, "`apiKey`"),
            (r#"{"profiles": {"default": {"baseUrl": " "}}}"#, "`baseUrl`"),
            (r#"{"profiles": {"default": {"allowInsecureHttp": "hunter2"}}}"#, "`allowInsecureHttp`"),
        ];
        for (text, said) in cases {
            let failure = parsed(text).expect_err(text);
            assert_eq!(failure.body.code, ErrorCode::ConfigInvalid);
            assert!(failure.body.message.contains(said), "{}", failure.body.message);
            assert!(!failure.body.message.contains("hunter2"), "{}", failure.body.message);
        }
    }

    #[test]
    fn a_file_that_others_can_read_or_change_is_refused_with_what_mends_it() {
        let path = Path::new("/home/a b/config.json");
        for (mode, owner) in [(0o600, 1000), (0o400, 1000), (0o711, 1000), (0o600, 0)] {
            assert!(check_access(path, mode, owner, 1000).is_ok(), "{mode:o} of {owner}");
        }
        for mode in [0o640, 0o620, 0o604, 0o602, 0o644, 0o100_666] {
            let failure = check_access(path, mode, 1000, 1000).expect_err("open to others");
            assert_eq!(failure.body.next_action, "Run: chmod 600 '/home/a b/config.json'");
            assert!(failure.body.message.ends_with(&failure.body.next_action), "{}", failure.body.message);
        }
        let failure = check_access(path, 0o600, 1001, 1000).expect_err("of somebody else");
        assert!(failure.body.message.contains("another user"), "{}", failure.body.message);
        assert!(check_access(path, 0o644, 0, 1000).is_err());
    }
}
