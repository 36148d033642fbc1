//! Texts that somebody else wrote and a person or a program will see.

use std::sync::LazyLock;

use regex_lite::Regex;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// What looks like a secret wherever it comes from, and what stays of it.
static SECRETS: LazyLock<Vec<(Regex, String)>> = LazyLock::new(|| {
    let patterns = [
        // The password of a connection string, to the last @ of the word: it may hold one itself.
        (r"(://[^\s/:@]*:)\S*@", format!("${{1}}{REDACTED}@")),
        // Members of key=value connection strings and of queries, presigned URLs among them.
        (
            r"(?i)\b(password|passwd|pwd|secret|token|api_?key|x-amz-(?:signature|credential|security-token))(\s*=\s*)('[^']*'|[^\s&'\x22,;]+)",
            format!("${{1}}${{2}}{REDACTED}"),
        ),
        (r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{8,}", format!("${{1}}{REDACTED}")),
        (r"\bwal_[0-9a-f]{32,}", REDACTED.to_owned()),
        (r"\bwrt1\.[A-Za-z0-9_.-]+", REDACTED.to_owned()),
    ];
    patterns
        .map(|(pattern, stays)| (Regex::new(pattern).expect("the patterns are constants, and tested"), stays))
        .into()
});

/// The text without what looks like a secret: passwords of connection strings, API keys, restore tokens, signatures of
/// presigned URLs.
#[must_use]
pub fn redact(text: &str) -> String {
    let redact =
        |text: String, (pattern, stays): &(Regex, String)| pattern.replace_all(&text, stays.as_str()).into_owned();
    SECRETS.iter().fold(text.to_owned(), redact)
}

/// Whether a character steers a terminal, begins a line, or turns the direction of what follows.
#[must_use]
pub fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Whether a character takes no room, so that two texts look alike, or one hides in another. Joined emoji lose their
/// joints by it; variation selectors, of which many emoji are made, are let through.
fn hides(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2065}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a character does more than show itself: it steers, or it hides.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    steers(character) || hides(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_repeated() {
        let key = format!("wal_{}", "0a".repeat(32));
        let cases = [
            (
                "cannot reach postgresql://u:p@ss/w@h:5432/d?x=1 now",
                "cannot reach postgresql://u:[redacted]@h:5432/d?x=1 now",
            ),
            ("host=h password=hunter2 user=u", "host=h password=[redacted] user=u"),
            ("password = 'hun ter2' x", "password = [redacted] x"),
            ("https://b/k?X-Amz-Signature=ab&X-Amz-Date=1", "https://b/k?X-Amz-Signature=[redacted]&X-Amz-Date=1"),
            ("authorization: Bearer abcdefgh.ij", "authorization: Bearer [redacted]"),
            ("wrt1.e30.AA-_: refused", "[redacted]: refused"),
            (
                "The token: copy it whole, wal_ walwarden https://h:1/x a@b",
                "The token: copy it whole, wal_ walwarden https://h:1/x a@b",
            ),
        ];
        for (text, shown) in cases {
            assert_eq!(redact(text), shown);
        }
        assert_eq!(redact(&format!("key '{key}'")), "key '[redacted]'");
    }

    #[test]
    fn what_people_write_is_kept() {
        assert!("Zürich, 東京, 👍🏽 “done” — 1 %".chars().all(|character| !is_deceptive(character)));
        assert!("\t\n\r\u{1b}\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}".chars().all(is_deceptive));
    }
}
