//! Texts for a person: tables, sizes, times, and commands that can be pasted.

use std::fmt::Display;

use comfy_table::{Table, presets};

/// A table with plain columns: fit for a narrow terminal, `grep` and `awk`.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell)));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}

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

/// Without control characters, which could rewrite a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || *character == '\n').collect()
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
        let text = table(["ID", "NAME"], [["1".to_owned(), "x\u{7}y".to_owned()]]);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\u{7}'));
    }
}
