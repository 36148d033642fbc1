//! Texts for a person: details, sizes, and commands that can be pasted.

use std::fmt::Display;

/// `name: value` lines.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    let lines: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{:width$} {}", format!("{name}:"), plain(value))).collect();
    lines.join("\n")
}

/// What there is, or a dash.
pub(crate) fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A size in the unit that fits it.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// A size in the unit that fits it, and to the byte.
pub(crate) fn exact_size(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} bytes") } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

/// What there is, separated by commas, or a dash.
pub(crate) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "-".to_owned() } else { items.join(", ") }
}

/// Without control characters, which could rewrite a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || *character == '\n').collect()
}

/// The same on one line.
pub(crate) fn line(text: &str) -> String {
    plain(&text.replace(['\n', '\r', '\t'], " "))
}

/// A command as one would type it.
pub(crate) fn shell(command: &[String]) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&byte);
    let word = |word: &String| {
        if !word.is_empty() && word.bytes().all(bare) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted() {
        let command = ["walwarden", "restore", "--target-file", "a b's", ""].map(str::to_owned);
        assert_eq!(shell(&command), r"walwarden restore --target-file 'a b'\''s' ''");
    }

    #[test]
    fn terminals_are_not_rewritten() {
        assert_eq!(plain("a\u{1b}[2Jb\rc\nd"), "a[2Jbc\nd");
        assert_eq!(line("a\r\nb\tc"), "a  b c");
    }
}
