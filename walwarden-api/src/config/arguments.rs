//! The flags of the settings, made from their table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::table::{Group, SETTINGS};

/// What flags set, by [`Setting::flag_key`].
pub(super) type Flags = BTreeMap<String, String>;

fn augment(command: Command, group: Group) -> Command {
    SETTINGS
        .iter()
        .filter(|setting| setting.group == group)
        .fold(command, |command, setting| command.arg(setting.argument()))
}

fn collect(matches: &ArgMatches, group: Group) -> Flags {
    let settings = SETTINGS.iter().filter(|setting| setting.group == group);
    let given = settings.filter_map(|setting| {
        let key = setting.flag_key();
        let value = matches.get_one::<String>(&key)?.clone();
        Some((key, value))
    });
    given.collect()
}

/// The settings that every command takes.
#[derive(Debug, Clone, Default)]
pub struct CommonArguments {
    /// The configuration file.
    pub config: Option<PathBuf>,
    pub(super) flags: Flags,
}

/// The settings that only `serve` takes.
#[derive(Debug, Clone, Default)]
pub struct ServeArguments {
    pub(super) flags: Flags,
}

impl CommonArguments {
    /// As if `--data-dir` had been given.
    #[must_use]
    pub fn with_data_dir(data_dir: &std::path::Path) -> Self {
        let flags = BTreeMap::from([("data_dir".to_owned(), data_dir.display().to_string())]);
        Self { config: None, flags }
    }
}

impl Args for CommonArguments {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("PATH")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Configuration file in TOML [env: WALWARDEN_CONFIG]")
            .help_heading("Settings")
            .global(true);
        augment(command.arg(config), Group::Common)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CommonArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { config: matches.get_one("config").cloned(), flags: collect(matches, Group::Common) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServeArguments {
    fn augment_args(command: Command) -> Command {
        augment(command, Group::Serve)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { flags: collect(matches, Group::Serve) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
