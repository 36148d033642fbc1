//! Arguments that no command takes: they are refused before anything looks at them, and are not repeated.

use std::ffi::{OsStr, OsString};

use walwarden_contract::ErrorCode;
use walwarden_contract::text::steers;

use super::takes_value;
use crate::failure::Failure;

/// No value is longer, a path or a connection string included.
const LONGEST: usize = 4096;

/// Why these arguments are refused; `None` when they are not.
pub(crate) fn unacceptable(arguments: &[OsString]) -> Option<Failure> {
    let words = arguments.iter().enumerate().skip(1);
    let mut reasons = words.filter_map(|(at, argument)| Some((at, argument, fault(argument)?)));
    let (at, argument, fault) = reasons.next()?;
    let what = match (flag(argument), arguments[at - 1].to_str()) {
        (Some(flag), _) => format!("The value of `{flag}`"),
        (None, Some(before)) if takes_value(before) => format!("The value of `{before}`"),
        _ => format!("Argument {at}"),
    };
    Some(Failure::new(ErrorCode::UsageError, format!("{what} {fault}.")).untouched("Nothing was done."))
}

fn fault(argument: &OsStr) -> Option<String> {
    if argument.len() > LONGEST {
        return Some(format!("is longer than {LONGEST} bytes"));
    }
    // Bytes that are no text can only be a path; what is text in them is looked at.
    argument.to_string_lossy().chars().any(steers).then(|| "holds control characters".to_owned())
}

/// The flag in `--flag=value`.
fn flag(argument: &OsStr) -> Option<String> {
    let text = argument.to_string_lossy();
    let (flag, _) = text.split_once('=')?;
    takes_value(flag).then(|| flag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &[&str]) -> Option<String> {
        let arguments: Vec<OsString> = std::iter::once(&"walwarden").chain(words).map(OsString::from).collect();
        unacceptable(&arguments).map(|failure| failure.body.message)
    }

    #[test]
    fn control_characters_and_endless_values_are_refused_and_not_repeated() {
        let (long, fits) = ("x".repeat(LONGEST + 1), "x".repeat(LONGEST));
        let cases: &[(&[&str], &str)] = &[
            (&["database", "get", "db_\u{1b}[2J"], "Argument 3 holds control characters."),
            (&["--profile", "a\nb", "database", "list"], "The value of `--profile` holds control characters."),
            (&["database", "list", "--cursor=\u{9b}31m"], "The value of `--cursor` holds control characters."),
            (&["database", "list", "--cursor", "\u{202e}x"], "The value of `--cursor` holds control characters."),
            (&["restore", "create", "--created-database", &long], "The value of `--created-database` is longer than"),
            (&[&long], "Argument 1 is longer than 4096 bytes."),
            (&["--x\u{7}=1"], "Argument 1 holds control characters."),
        ];
        for (words, message) in cases {
            assert!(refused(words).is_some_and(|refused| refused.starts_with(message)), "{:?}", refused(words));
        }
        assert_eq!(refused(&["--config", &fits, "--profile", "Käse", "database", "list"]), None);
    }

    #[test]
    fn a_path_may_be_no_text() {
        use std::os::unix::ffi::OsStringExt;
        let path = |bytes: &[u8]| vec![OsString::from("walwarden"), OsString::from_vec(bytes.to_vec())];
        assert!(unacceptable(&path(b"/tmp/\xff")).is_none());
        assert!(unacceptable(&path(b"/tmp/\xff\x1b")).is_some());
    }
}
