//! Free values and their bounds. What is refused is not repeated.

use std::num::NonZeroUsize;

use walwarden_contract::text::is_deceptive;
use walwarden_sdk::restore::MAX_JOBS;

/// A key that makes repeating a command harmless.
pub(super) fn idempotency_key(text: &str) -> Result<String, &'static str> {
    visible(text, 255).ok_or("must be 1 to 255 printable ASCII characters without spaces")
}

/// A place in a list.
pub(super) fn cursor(text: &str) -> Result<String, &'static str> {
    visible(text, 200).ok_or("must be the nextCursor of a page: 1 to 200 printable ASCII characters without spaces")
}

/// How many jobs run side by side.
pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= MAX_JOBS);
    jobs.ok_or_else(|| format!("must be a number from 1 to {MAX_JOBS}"))
}

fn visible(text: &str, longest: usize) -> Option<String> {
    let fits = (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}

/// A name that somebody chose: of a profile, or of a capability.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let plain = |character: char| !is_deceptive(character) && !character.is_whitespace() && !"/\\".contains(character);
    let fits = (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['-', '.']);
    if fits { Ok(text.to_owned()) } else { Err("must be a name of at most 64 bytes, without spaces or slashes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_flags_no_paths_and_no_tricks() {
        for good in ["default", "staging-2", "Käse", "backup.trigger", &"x".repeat(64)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-x", "..", "../x", "a/b", "a\\b", "a b", "a\u{200b}b", "a\u{1b}b", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn jobs_are_a_few() {
        assert!(jobs("1").is_ok() && jobs("256").is_ok());
        for bad in ["0", "257", "99999999999", "99999999999999999999999", "-1", "", "x"] {
            assert_eq!(jobs(bad), Err("must be a number from 1 to 256".to_owned()), "{bad:?}");
        }
    }

    #[test]
    fn opaque_values_are_bounded() {
        let (key, place) = ("k".repeat(255), "c".repeat(200));
        assert!(idempotency_key(&key).is_ok() && cursor(&place).is_ok() && cursor("-c").is_ok());
        assert!(idempotency_key(&(key + "k")).is_err() && cursor(&(place + "c")).is_err());
        for bad in ["", "a b", "ä", "\u{7}"] {
            assert!(idempotency_key(bad).is_err() && cursor(bad).is_err(), "{bad:?}");
        }
    }
}
