//! Texts for a person: sizes, lists, and commands that can be pasted.

use std::fmt::{Display, Write};

use walwarden_contract::text::is_deceptive;

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

/// A command as one would type it.
pub(crate) fn shell(command: &[String]) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&byte);
    let word = |word: &String| {
        if word.chars().any(is_deceptive) {
            escaped(word)
        } else if !word.is_empty() && word.bytes().all(bare) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A word for bash and zsh in which nothing hostile stands as it is.
fn escaped(word: &str) -> String {
    let mut escaped = "$'".to_owned();
    for character in word.chars() {
        let _ = match character {
            '\\' | '\'' => write!(escaped, "\\{character}"),
            _ if is_deceptive(character) => write!(escaped, "\\U{:08x}", u32::from(character)),
            _ => write!(escaped, "{character}"),
        };
    }
    escaped + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_can_be_pasted() {
        let command = ["walwarden", "restore", "--target-file", "a b's", ""].map(str::to_owned);
        assert_eq!(shell(&command), r"walwarden restore --target-file 'a b'\''s' ''");
        let command = ["walwarden", "a\u{1b}'b\\\u{202e}"].map(str::to_owned);
        assert_eq!(shell(&command), r"walwarden $'a\U0000001b\'b\\\U0000202e'");
    }
}
