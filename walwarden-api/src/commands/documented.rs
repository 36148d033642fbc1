//! Every command line of `walwarden-api` that is shown anywhere parses.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use walwarden_contract::ErrorCode;
use walwarden_contract::commands::documented;

use super::Arguments;

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
    let lines = documented(text, "walwarden-api");
    for words in &lines {
        let refused = Arguments::try_parse_from(words).err().filter(clap::Error::use_stderr);
        assert!(refused.is_none(), "{source}: {words:?}\n{}", refused.expect("refused"));
    }
    lines.len()
}

#[test]
fn every_documented_command_line_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for place in ["README.md", "CONTRIBUTING.md", "docs", "skills"] {
        pages(&root.join(place), &mut found);
    }
    let parse = |page: &PathBuf| parse_all(&page.display().to_string(), &fs::read_to_string(page).expect("readable"));
    let count: usize = found.iter().map(parse).sum();
    assert!(count > 0, "no command was found");
}

#[test]
fn every_example_of_the_help_parses() {
    fn visit(command: &clap::Command) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let text = format!("```\n{}\n```", help.replace("Example: ", "").replace("Start with: ", ""));
        parse_all(command.get_name(), &text);
        command.get_subcommands().for_each(visit);
    }
    visit(&Arguments::command());
}

#[test]
fn commands_that_errors_advise_are_commands() {
    for code in ErrorCode::ALL {
        let quoted = code.next_action().split('`').skip(1).step_by(2);
        for advice in quoted.filter_map(|advice| advice.strip_prefix("walwarden-api ")) {
            let mut command = &Arguments::command();
            for word in advice.split(' ') {
                command = command.find_subcommand(word).unwrap_or_else(|| panic!("{code}: {word:?} of {advice:?}"));
            }
        }
    }
}
