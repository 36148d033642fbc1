//! `walwarden man`

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use roff::{Roff, roman};
use walwarden_contract::ErrorCode;
use walwarden_contract::model::cli::{ManData, ManPage};

use super::to_value;
use crate::cli::Cli;
use crate::context::Report;
use crate::failure::Failure;
use crate::output::neutral::line;

pub(crate) fn run(directory: Option<&Path>) -> Result<Report, Failure> {
    let mut tree = Cli::command();
    tree.build();
    let mut pages = Vec::new();
    render(&tree, &mut pages).map_err(|error| Failure::new(ErrorCode::InternalError, format!("No page: {error}.")))?;
    let Some(directory) = directory else {
        pages.truncate(1);
        let human = pages.first().and_then(|page| page.text.clone()).unwrap_or_default();
        return Ok(Report { data: to_value(&ManData { directory: None, pages }), human, next: Vec::new() });
    };
    write(directory, &mut pages).map_err(|error| {
        let message = format!("The pages cannot be written into {}: {error}.", directory.display());
        Failure::new(ErrorCode::UsageError, message)
    })?;
    let human = written(pages.len(), directory);
    let data = ManData { directory: Some(directory.display().to_string()), pages };
    Ok(Report { data: to_value(&data), human, next: Vec::new() })
}

pub(super) fn written(pages: usize, directory: &Path) -> String {
    line(&format!("{pages} pages written into {}.", directory.display()))
}

/// A command and all below it, as pages.
fn render(command: &clap::Command, pages: &mut Vec<ManPage>) -> io::Result<()> {
    let notes = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let page = Man::new(command.clone().after_help(None::<&str>));
    let man = page.manual("Walwarden").source(concat!("walwarden ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render(&mut text)?;
    let text = format!("{}{}", String::from_utf8_lossy(&text), as_they_stand(&notes).to_roff());
    let text = text.trim_end().to_owned();
    pages.push(ManPage { file: man.get_filename(), text: Some(text) });
    command.get_subcommands().try_for_each(|command| render(command, pages))
}

/// The lines below a command's help, which are not to be filled: they hold command lines and a table.
fn as_they_stand(notes: &str) -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["NOTES"]).control("nf", []);
    for line in notes.lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    section
}

/// Writes the texts of the pages into their files.
fn write(directory: &Path, pages: &mut [ManPage]) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for page in pages {
        fs::write(directory.join(&page.file), page.text.take().unwrap_or_default() + "\n")?;
    }
    Ok(())
}
