//! What is made of command lines with mistakes.

use walwarden_contract::commands::COMMANDS;

use super::*;
use crate::cli;

const DATABASE: &str = "db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";
const BACKUP: &str = "bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";

fn arguments(text: &str) -> Vec<OsString> {
    let text = text.replace("DB", DATABASE).replace("BKP", BACKUP);
    text.split_whitespace().map(OsString::from).collect()
}

/// The kind, the message and the commands of a refusal.
fn refused(line: &str) -> (String, String, Vec<String>) {
    let arguments = arguments(line);
    let error = cli::parse(&arguments).expect_err(line);
    let Refusal::Usage { kind, failure } = refusal(&error, &arguments) else { panic!("{line} asks for a text") };
    assert_eq!(failure.body.code, ErrorCode::UsageError, "{line}");
    let next = failure.next.iter().map(|words| {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let error = cli::parse(&words).err();
        assert!(error.is_none_or(|error| error.kind() == ErrorKind::DisplayHelp), "{line}: {words:?} does not parse");
        words.iter().map(|word| word.to_str().expect("UTF-8")).collect::<Vec<_>>().join(" ")
    });
    (kind, failure.body.message.clone(), next.collect())
}

#[test]
fn the_kind_is_found_in_broken_command_lines() {
    let cases = [
        ("walwarden", "walwarden"),
        ("walwarden --json", "walwarden"),
        ("walwarden --json backup trigger --bogus", "backup.trigger"),
        ("walwarden --api-url backup database list", "database.list"),
        ("walwarden backup --timeout-ms x status", "backup.status"),
        ("walwarden backup --profile list status", "backup.status"),
        ("walwarden restore --created-database create --bogus", "restore"),
        ("walwarden restore --manifest x", "restore"),
        ("walwarden nonsense", "walwarden"),
    ];
    for (line, expected) in cases {
        assert_eq!(kind(&arguments(line)), expected, "{line}");
    }
}

#[test]
fn a_mistyped_word_is_answered_with_the_command_that_was_meant() {
    let cases = [
        ("walwarden databse list", "`database`", "walwarden database list"),
        ("walwarden database lst", "`list`", "walwarden database list"),
        ("walwarden --json databse lst --limt=5", "`database`", "walwarden --json database list --limit=5"),
        ("walwarden backup list --databse DB", "`--database`", "walwarden backup list --database DB"),
        ("walwarden backup list --databse=DB", "`--database`", "walwarden backup list --database=DB"),
        ("walwarden --josn database list", "`--json`", "walwarden --json database list"),
        ("walwarden --profile lst database lst", "`list`", "walwarden --profile lst database list"),
        ("walwarden bakup list", "`backup`", "walwarden backup list --help"),
        ("walwarden backup lst", "`list`", "walwarden backup list --help"),
        ("walwarden restore exceute", "`execute`", "walwarden restore execute --help"),
        (
            "walwarden restore create --backup BKP --target-file x --mode new-database",
            "`new_database`",
            "walwarden restore create --backup BKP --target-file x --mode new_database",
        ),
        (
            "walwarden restore create --backup BKP --target-file x --mode=inplace",
            "`in_place`",
            "walwarden restore create --backup BKP --target-file x --mode=in_place",
        ),
    ];
    for (line, meant, command) in cases {
        let (_, message, next) = refused(line);
        assert!(message.contains(&format!("did you mean {meant}?")), "{line}: {message}");
        assert_eq!(next, [command.replace("DB", DATABASE).replace("BKP", BACKUP)], "{line}");
    }
}

#[test]
fn a_mistyped_word_is_found_in_every_command() {
    for command in COMMANDS {
        let words = command.words();
        for at in words.match_indices(|character: char| character.is_ascii_lowercase()).map(|(at, _)| at).skip(1) {
            let mistyped = format!("walwarden {}{}", &words[..at], &words[at + 1..]);
            if let Err(error) = cli::parse(&arguments(&mistyped))
                && error.kind() == ErrorKind::InvalidSubcommand
            {
                let (_, message, next) = refused(&mistyped);
                let meant = next.first().is_some_and(|next| next.starts_with(&format!("walwarden {words}")));
                assert!(meant || message.contains("did you mean"), "{mistyped}: {message} {next:?}");
            }
        }
    }
}

#[test]
fn what_is_missing_is_named_with_the_help_that_tells_more() {
    let cases = [
        ("walwarden", "`walwarden` has `profile`, `database`,", "walwarden --help"),
        ("walwarden --json backup", "`backup` has `list`, `trigger`, `status`", "walwarden --json backup --help"),
        ("walwarden database get", "needs `<DATABASE_ID>`", "walwarden database get --help"),
        ("walwarden restore", "one of its commands: `create`, `execute`, `status`", "walwarden restore --help"),
    ];
    for (line, said, command) in cases {
        let (_, message, next) = refused(line);
        assert!(message.contains(said), "{line}: {message}");
        assert_eq!(next, [command], "{line}");
    }
}

#[test]
fn nothing_is_offered_when_it_is_not_certain_what_was_meant() {
    let lines = [
        "walwarden nonsense",
        "walwarden backup sta",
        "walwarden database list --limit 0",
        "walwarden database get x",
        "walwarden database list --bogus",
        "walwarden backup list --database",
        "walwarden databse get hunter2",
        "walwarden database list more",
    ];
    for line in lines {
        assert_eq!(refused(line).2, Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_mistake_within_restore_is_told_in_an_envelope_once_it_is_clear_which_command_was_meant() {
    assert_eq!(refused("walwarden restore exceute").0, "restore.execute");
    assert_eq!(refused("walwarden restore bogus").0, "restore");
    assert_eq!(refused("walwarden restore").0, "restore");
}

#[test]
fn what_may_be_secret_is_neither_said_nor_offered() {
    let url = "--api-url https://h";
    let target = "--backup BKP --mode new-database --target";
    let cases = [
        ("walwarden --api-key hunter2 databse list", Some("walwarden database list")),
        ("walwarden --api-kye hunter2 database list", Some("walwarden database list")),
        ("walwarden --api-kye=hunter2 database list", Some("walwarden database list")),
        (&format!("walwarden {url} databse list"), Some("walwarden --api-url https://h database list")),
        ("walwarden --api-url https://u:hunter2@h databse list", None),
        ("walwarden --profile wal_hunter2 databse list", None),
        ("walwarden nonsense postgresql://u:hunter2@h/d", None),
        ("walwarden wal_hunter2", None),
        ("walwarden database get --x=postgresql://u:hunter2@h/d", None),
        ("walwarden database get wrt1.hunter2", None),
        (
            &format!("walwarden restore create {target} postgresql://u:hunter2@h/d"),
            Some("walwarden restore create --backup BKP --mode new_database --target postgresql://u@h:5432/d"),
        ),
        (&format!("walwarden restore create {target} host=h_password=hunter2"), None),
    ];
    for (line, command) in cases {
        let (_, message, next) = refused(line);
        assert!(!message.contains("hunter2"), "{line}: {message}");
        assert_eq!(next.first().cloned(), command.map(|command| command.replace("BKP", BACKUP)), "{line}");
    }
}

#[test]
fn a_word_that_cannot_be_a_mistyped_one_is_not_repeated() {
    for word in ["\u{1b}[2J", "\u{202e}list", "a b", &"x".repeat(33), "--\u{7}"] {
        let arguments = ["walwarden", word].map(OsString::from);
        let error = cli::parse(&arguments).expect_err("refused");
        let Refusal::Usage { failure, .. } = refusal(&error, &arguments) else { panic!("refused") };
        assert!(failure.body.message.starts_with("That is no "), "{}", failure.body.message);
    }
}
