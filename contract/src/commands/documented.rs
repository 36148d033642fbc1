//! The command lines that pages show, so that tests can prove that each of them parses.

/// What stands for the 32 digits of an identifier that a page leaves out.
const DIGITS: &str = "01928c3e5f7a7c3e8d2b4a6f90c1e2d3";
/// What may stand before a program's name in a line of shell.
const BEFORE: &[&str] = &["", "$", "$(", "|", "&&", "||", ";", "!", "if", "then", "do"];

/// The command lines of `program` in the code of a page, as argument vectors with the program's name first. What
/// a reader has to fill in is filled in: `db_...`, `<BACKUP_ID>` and `"$backup_id"` become identifiers. Usage lines
/// (with `[OPTIONS]`) are left out.
#[must_use]
pub fn documented(markdown: &str, program: &str) -> Vec<Vec<String>> {
    let lines = code_lines(markdown);
    let starts = |line: &str| -> Vec<Vec<String>> {
        line.match_indices(&format!("{program} "))
            .filter(|(at, _)| may_stand_before(&line[..*at]))
            .map(|(at, _)| words(&line[at..]))
            .collect()
    };
    lines.iter().filter(|line| !line.contains("[OPTIONS]")).flat_map(|line| starts(line)).collect()
}

/// The lines of code blocks, those that end in a backslash joined with the next, and the command lines in running text.
fn code_lines(markdown: &str) -> Vec<String> {
    let (mut lines, mut inside, mut open) = (Vec::<String>::new(), false, false);
    for line in markdown.lines().map(str::trim) {
        if line.starts_with("```") {
            (inside, open) = (!inside, false);
        } else if inside {
            let text = line.strip_suffix('\\');
            match lines.last_mut().filter(|_| open) {
                Some(last) => last.extend([" ", text.unwrap_or(line)]),
                None => lines.push(text.unwrap_or(line).to_owned()),
            }
            open = text.is_some();
        } else {
            // In running text, a whole command line shows itself by its `--json`; the rest names commands only.
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.contains(" --json "));
            lines.extend(spans.map(str::to_owned));
        }
    }
    lines
}

fn may_stand_before(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let assignment = last
        .split_once('=')
        .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'));
    BEFORE.contains(&last) || last.ends_with("$(") || assignment && !text.ends_with('=')
}

/// The words of one command, up to a redirection, a pipe, a comment or its end.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(character);
            }
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (_, '$') => {
                let name = |character: &char| character.is_ascii_alphanumeric() || "_{}".contains(*character);
                let name: String = std::iter::from_fn(|| characters.next_if(name)).collect();
                word.get_or_insert_default().push_str(&stand_in(&name));
            }
            (None, '<') => {
                let name: String = std::iter::from_fn(|| characters.next_if(|character| *character != '>')).collect();
                if characters.next().is_none() {
                    break;
                }
                word.get_or_insert_default().push_str(&stand_in(&name));
            }
            (None, '#') if word.is_none() => break,
            (None, '|' | ';' | '&' | ')') => break,
            (None, '>') => {
                word = word.filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
                break;
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words.into_iter().map(|word| fill_in(&word)).collect()
}

/// A value for a variable or a placeholder of this name.
fn stand_in(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let kinds = [("database", "db_"), ("backup", "bkp_"), ("restore", "rst_"), ("destination", "dst_")];
    match kinds.iter().find(|(kind, _)| name.contains(kind)) {
        Some((_, prefix)) => format!("{prefix}{DIGITS}"),
        None if name.contains("hash") || name.contains("manifest") => DIGITS.repeat(2),
        None => "stand-in".to_owned(),
    }
}

/// An identifier whose digits are left out.
fn fill_in(word: &str) -> String {
    let prefix = word.strip_suffix("...").or_else(|| word.strip_suffix('…')).filter(|prefix| prefix.ends_with('_'));
    prefix.map_or_else(|| word.to_owned(), |prefix| format!("{prefix}{DIGITS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_where_a_shell_would_run_them() {
        let page = r#"
Prose with walwarden list in it.
```bash
export WALWARDEN_BASE_URL=https://h   # walwarden is there
walwarden --json backup trigger --database "$WALWARDEN_DATABASE_ID" \
  --wait > backup.json   # and wait
id="$(walwarden evidence get bkp_... 2>/dev/null | jq .)"
WALWARDEN_TOKEN=wrt1.… walwarden restore --manifest <hash> --target 'a b'
walwarden one | walwarden two
walwarden usage [OPTIONS] <ID>
walwarden-api serve
```
    walwarden indented
"#;
        let hash = DIGITS.repeat(2);
        let expected: Vec<Vec<String>> = [
            vec!["walwarden", "--json", "backup", "trigger", "--database", &format!("db_{DIGITS}"), "--wait"],
            vec!["walwarden", "evidence", "get", &format!("bkp_{DIGITS}")],
            vec!["walwarden", "restore", "--manifest", &hash, "--target", "a b"],
            vec!["walwarden", "one"],
            vec!["walwarden", "two"],
        ]
        .map(|words| words.into_iter().map(str::to_owned).collect())
        .into();
        assert_eq!(documented(page, "walwarden"), expected);
        assert_eq!(documented(page, "walwarden-api"), [["walwarden-api", "serve"]]);
    }
}
