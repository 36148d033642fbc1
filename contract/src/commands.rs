//! The command line as data: what `walwarden` can be asked to do. The clap tree must say the same.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::operations::SchemaOf;
use crate::scope::Scope;

/// A flag, with or without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The flag with its dashes.
    pub name: &'static str,
    /// The placeholder of its value; `None` for a switch.
    pub value: Option<&'static str>,
    /// The values it takes, when they are few.
    pub choices: &'static [&'static str],
    /// Whether the command is refused without it.
    pub required: bool,
    /// What `--help` says about it.
    pub help: &'static str,
}

/// An argument that is found by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Positional {
    /// Its placeholder.
    pub name: &'static str,
    /// What `--help` says about it.
    pub help: &'static str,
}

/// One command.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// The envelope's `kind`: the words joined by dots.
    pub kind: &'static str,
    /// What `--help` says it does, in one line.
    pub summary: &'static str,
    /// What a caller must know beyond that; may be empty.
    pub note: &'static str,
    /// The scopes that the API key needs.
    pub scopes: &'static [Scope],
    /// The operations it calls, by id.
    pub operations: &'static [&'static str],
    /// Its arguments without a flag; all are required.
    pub positionals: &'static [Positional],
    /// Its own flags in groups, in the order of `--help`. [`GLOBAL_FLAGS`] come on top.
    pub flags: &'static [&'static [Flag]],
    /// The shape of the envelope's `data`, or of each line when the command [streams](Command::streams). A command that
    /// reads one thing writes the API's answer, as it is.
    pub output: SchemaOf,
    /// A command line that parses.
    pub example: &'static str,
}

impl Command {
    /// The words after `walwarden`, as typed.
    #[must_use]
    pub fn words(&self) -> String {
        self.kind.replace('.', " ")
    }

    /// Whether it writes one document for each state that is reached, instead of one envelope.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.kind == "restore"
    }

    /// Whether a failure may have `data` beside its `error`: what was found before it, or why.
    #[must_use]
    pub fn finds(&self) -> bool {
        self.kind == "verify-environment"
    }

    /// Its own flags, in the order of `--help`.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().flat_map(|group| group.iter())
    }

    /// The usage line as `--help` shows it. `[OPTIONS]` is always there, because [`GLOBAL_FLAGS`] are.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = format!("walwarden {} [OPTIONS]", self.words());
        for flag in self.flags().filter(|flag| flag.required) {
            usage.extend([" ", &flag.usage()]);
        }
        for positional in self.positionals {
            usage.extend([" <", positional.name, ">"]);
        }
        usage
    }
}

impl Flag {
    /// The flag with its placeholder.
    #[must_use]
    pub fn usage(&self) -> String {
        self.value.map_or_else(|| self.name.to_owned(), |value| format!("{} <{value}>", self.name))
    }

    const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, value: None, choices: &[], required: false, help }
    }

    const fn option(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), choices: &[], required: false, help }
    }

    const fn required(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value: Some(value), choices: &[], required: true, help }
    }
}

/// The flags of every command.
pub const GLOBAL_FLAGS: &[Flag] = &[
    Flag::switch("--json", "Write exactly one JSON document to stdout, and nothing to stderr"),
    Flag::option(
        "--profile",
        "NAME",
        "The profile of the configuration file that settings are taken from; `default` when absent",
    ),
    Flag::option("--config", "PATH", "The configuration file; `~/.config/walwarden/config.json` when absent"),
    Flag::option("--api-url", "URL", "The API's address, over `WALWARDEN_BASE_URL`"),
    Flag::option(
        "--api-key",
        "KEY",
        "The API key, over `WALWARDEN_API_KEY`; arguments are visible to other users of this machine",
    ),
    Flag::option("--timeout-ms", "MS", "How long one request may take"),
    Flag::switch("--allow-insecure-http", "Allow plain http to other machines; keys and tokens then travel in clear"),
];

/// The environment variables that the command line reads, with their meaning.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("WALWARDEN_BASE_URL", "The API's address. `WALWARDEN_API_URL` is its older name."),
    ("WALWARDEN_API_KEY", "The API key."),
    ("WALWARDEN_API_KEY_FILE", "A file that holds the API key."),
    ("WALWARDEN_CONFIG", "The configuration file. `--config` goes before it."),
    ("WALWARDEN_PROFILE", "The profile of the configuration file. `--profile` goes before it."),
    ("WALWARDEN_TIMEOUT_MS", "How long one request may take, in milliseconds. `--timeout-ms` goes before it."),
    ("WALWARDEN_TOKEN", "The restore token, for `walwarden restore --manifest`."),
    ("WALWARDEN_TOKEN_FILE", "A file that holds the restore token."),
    ("WALWARDEN_TARGET_DSN", "The restore target, in place of `--target`."),
    ("PGPASSWORD", "The target's password, when the target names none."),
    ("PGPASSFILE", "A libpq password file, when the target names no password."),
    ("NO_COLOR", "Any value: no colours. `CLICOLOR=0` and `TERM=dumb` say the same."),
];

const PAGE: &[Flag] = &[
    Flag::option("--limit", "LIMIT", "At most this many, 1 to 200; 50 when absent"),
    Flag::option("--cursor", "CURSOR", "The nextCursor of the page before"),
];
const BACKUP: &[Flag] = &[Flag::required("--backup", "BACKUP_ID", "The completed backup")];
const TARGET: &[Flag] = &[
    Flag::option(
        "--target",
        "DSN",
        "The target: a maintenance database for `new_database`, the database itself for `in_place`. It never leaves \
         this machine. Also read from `WALWARDEN_TARGET_DSN`",
    ),
    Flag::option("--target-file", "PATH", "A file that holds the target's connection string"),
    Flag { choices: &["new_database", "in_place"], ..Flag::required("--mode", "MODE", "How the target is treated") },
    Flag::option(
        "--created-database",
        "NAME",
        "With `new_database`: the database to create, when not the one named in the backup",
    ),
    Flag::switch(
        "--confirm-destructive",
        "Required for `in_place`: what the backup holds is dropped from the target database first. At a terminal, \
         `restore execute` and `restore --manifest` ask for the database's name instead",
    ),
];
const RUN: &[Flag] = &[
    Flag::option("--jobs", "N", "Parallel jobs of `pg_restore`; the number of cores, 8 at most, when absent"),
    Flag::option(
        "--work-dir",
        "DIR",
        "Where the artifact is kept meanwhile; the system's temporary directory when absent",
    ),
    Flag::option("--pubkey", "PATH", "The only public key (PEM) whose signature is accepted"),
    Flag::switch("--no-owner", "Leave everything owned by the restoring role"),
    Flag::switch("--no-acl", "Do not restore privileges"),
    Flag::switch("--no-analyze", "Do not run ANALYZE at the end"),
];
const PLAN: &[Flag] = &[
    Flag::switch("--dry-run", "Check tools and target, and say what would be done; nothing is opened, used or written"),
    Flag::option("--plan", "DIGEST", "Restore only if all is still as the dry run with this `planDigest` found it"),
];
const EVENTS: Flag = Flag {
    choices: &["jsonl"],
    ..Flag::option(
        "--events",
        "FORMAT",
        "Write every event as one line to stdout, the result last, and nothing to stderr",
    )
};
const BACKUP_ID: &[Positional] = &[Positional { name: "BACKUP_ID", help: "The backup job" }];

mod documented;
mod events;
mod output;
mod table;

pub use self::documented::documented;
#[cfg(feature = "generate")]
pub(crate) use self::events::events_of;
pub use self::events::events_schema;
pub use self::output::{HELP_KIND, NO_COMMAND_KIND, output_schema};
pub use self::table::COMMANDS;

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The command with this kind.
#[must_use]
pub fn command(kind: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{Auth, operation};

    #[test]
    fn commands_call_operations_that_exist_and_name_their_scopes() {
        for command in COMMANDS {
            let mut needed = Vec::new();
            for id in command.operations {
                let operation = operation(id).unwrap_or_else(|| panic!("{}: no operation {id}", command.kind));
                needed.extend(operation.scope());
                assert!(matches!(operation.auth, Auth::ApiKey(_)) || command.flags.contains(&RUN));
            }
            needed.sort_unstable();
            needed.dedup();
            let mut named = command.scopes.to_vec();
            named.sort_unstable();
            assert_eq!(named, needed, "{}", command.kind);
        }
    }

    #[test]
    fn examples_use_the_flags_that_there_are() {
        for command in COMMANDS {
            let words = format!("{} ", command.words());
            assert!(format!("{} ", command.example).contains(&words), "{}", command.example);
            for flag in command.flags().filter(|flag| flag.required) {
                assert!(command.example.contains(flag.name), "{}: {} is missing", command.kind, flag.name);
            }
            let known = |word: &str| command.flags().chain(GLOBAL_FLAGS).any(|flag| flag.name == word);
            for word in command.example.split_whitespace().filter(|word| word.starts_with("--")) {
                assert!(known(word), "{}: {word} is no flag", command.kind);
            }
        }
    }
}
