//! The clap tree against itself and against the contract.

use clap::CommandFactory;
use walwarden_contract::commands::{self, COMMANDS};

use super::*;

/// Name, placeholder, requirement, choices and help.
type FlagFacts = (String, Option<String>, bool, Vec<String>, String);

/// Every flag of a command, its globals left out.
fn flags(command: &clap::Command) -> Vec<FlagFacts> {
    let own = command.get_arguments().filter(|argument| {
        let id = argument.get_id().as_str();
        !argument.is_global_set() && !argument.is_positional() && !matches!(id, "help" | "version")
    });
    own.map(facts).collect()
}

fn facts(argument: &clap::Arg) -> FlagFacts {
    let takes_value = argument.get_action().takes_values();
    let value = argument.get_value_names().filter(|_| takes_value).map(|names| names[0].to_string());
    let choices = argument.get_possible_values().into_iter().filter(|_| takes_value);
    let choices = choices.map(|choice| choice.get_name().to_owned()).collect();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let name = format!("--{}", argument.get_long().expect("every flag has a long name"));
    (name, value, argument.is_required_set(), choices, help)
}

/// The same of a flag as the contract has it.
fn expected(flag: &commands::Flag) -> FlagFacts {
    let choices: Vec<String> = flag.choices.iter().map(|choice| (*choice).to_owned()).collect();
    (flag.name.to_owned(), flag.value.map(str::to_owned), flag.required, choices, flag.help.to_owned())
}

fn leaves(command: &clap::Command, words: &[&str], found: &mut Vec<(String, clap::Command)>) {
    for child in command.get_subcommands() {
        let words: Vec<&str> = words.iter().copied().chain([child.get_name()]).collect();
        if child.get_subcommands().next().is_none() || child.get_name() == "restore" {
            found.push((words.join("."), child.clone()));
        }
        leaves(child, &words, found);
    }
}

#[test]
fn the_tree_says_what_the_contract_says() {
    let mut found = Vec::new();
    // Placeholders that clap derives are known once it has built the tree.
    let mut tree = Cli::command();
    tree.build();
    leaves(&tree, &[], &mut found);
    let mut kinds: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
    let mut known: Vec<&str> = COMMANDS.iter().map(|command| command.kind).collect();
    kinds.sort_unstable();
    known.sort_unstable();
    assert_eq!(kinds, known);
    for (kind, command) in &found {
        let contract = commands::command(kind).expect("compared above");
        assert_eq!(flags(command), contract.flags().map(expected).collect::<Vec<_>>(), "{kind}");
        if kind != "restore" {
            assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some(contract.summary), "{kind}");
        }
        let positionals: Vec<String> = command
            .get_positionals()
            .map(|argument| argument.get_value_names().map(|names| names[0].to_string()).unwrap_or_default())
            .collect();
        let expected: Vec<&str> = contract.positionals.iter().map(|positional| positional.name).collect();
        assert_eq!(positionals, expected, "{kind}");
    }
}

#[test]
fn the_flags_of_every_command_are_those_of_the_contract() {
    let mut tree = Cli::command();
    tree.build();
    let globals: Vec<FlagFacts> = tree.get_arguments().filter(|argument| argument.is_global_set()).map(facts).collect();
    assert_eq!(globals, commands::GLOBAL_FLAGS.iter().map(expected).collect::<Vec<_>>());
}

#[test]
fn every_flag_before_a_subcommand_of_restore_is_noticed() {
    let mut tree = Cli::command();
    tree.build();
    let restore = tree.find_subcommand("restore").expect("a command");
    let own = restore.get_arguments().filter(|argument| !argument.is_global_set() && argument.get_id() != "help");
    let mut looked_at = 0;
    for argument in own {
        let mut words = vec![
            "walwarden".to_owned(),
            "restore".to_owned(),
            format!("--{}", argument.get_long().unwrap_or_default()),
        ];
        if argument.get_action().takes_values() {
            let choice = argument.get_possible_values().first().map(|choice| choice.get_name().to_owned());
            words.push(choice.unwrap_or_else(|| "1".to_owned()));
        }
        words.extend(["status", "rst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3"].map(str::to_owned));
        let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        let Command::Restore(restore) = parse(&words).expect("parses").command else { panic!("{words:?}") };
        assert!(restore.legacy.is_given(), "{words:?}");
        looked_at += 1;
    }
    assert_eq!(looked_at, 12);
}

#[test]
fn the_tree_is_consistent_and_every_command_has_an_example() {
    fn visit(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        let leaf = command.get_subcommands().next().is_none();
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(!leaf || help.contains("Example"), "{path} has no example");
        command.get_subcommands().for_each(|command| visit(command, &path));
    }
    Cli::command().debug_assert();
    visit(&Cli::command(), "");
}
