//! Texts that somebody else wrote and a terminal will show.

/// Whether a character does more than show itself: it moves the cursor, starts an escape sequence, hides, or reorders what
/// stands around it.
#[must_use]
pub const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_kept() {
        assert!("Zürich, 東京, 👍🏽 “done” — 1 %".chars().all(|character| !is_deceptive(character)));
        assert!("\t\n\r\u{1b}\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}".chars().all(is_deceptive));
    }
}
