//! Every command line that is shown anywhere parses.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use walwarden_contract::commands::{COMMANDS, documented};

use super::*;

/// Pages below a folder, or the page itself.
fn pages(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("readable");
        entries.for_each(|entry| pages(&entry.expect("readable").path(), found));
    } else if path.extension().is_some_and(|extension| extension == "md") {
        found.push(path.to_owned());
    }
}

/// How many commands of a text parse; all of them must.
fn parse_all(source: &str, text: &str) -> usize {
    let lines = documented(text, "walwarden");
    for words in &lines {
        let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        let parsed = parse(&arguments);
        let refused = parsed.err().filter(clap::Error::use_stderr);
        assert!(refused.is_none(), "{source}: {words:?}\n{}", refused.expect("refused"));
    }
    lines.len()
}

fn fenced(text: &str) -> String {
    format!("```\n{}\n```", text.replace("Example: ", ""))
}

#[test]
fn every_documented_command_line_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for place in ["README.md", "CONTRIBUTING.md", "docs", "skills"] {
        pages(&root.join(place), &mut found);
    }
    let in_page = |page: &PathBuf| {
        let text = fs::read_to_string(page).expect("readable");
        (page.display().to_string(), parse_all(&page.display().to_string(), &text))
    };
    let counts: Vec<(String, usize)> = found.iter().map(in_page).collect();
    for name in ["README.md", "reference/cli.md", "reference/exit-codes.md", "SKILL.md"] {
        assert!(counts.iter().any(|(page, count)| page.ends_with(name) && *count > 0), "no command found in {name}");
    }
}

#[test]
fn every_example_parses() {
    fn visit(command: &clap::Command) {
        let leaf = command.get_subcommands().next().is_none();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let found = parse_all(command.get_name(), &fenced(&help));
        assert!(!leaf || found > 0, "{} shows no command", command.get_name());
        command.get_subcommands().for_each(visit);
    }
    for command in COMMANDS {
        assert_eq!(parse_all(command.kind, &fenced(command.example)), 1, "{}", command.kind);
    }
    visit(&Cli::command());
}
