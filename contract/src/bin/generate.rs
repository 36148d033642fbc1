//! Writes the generated files below the root of the repository. With `--check` it names those that have drifted, with
//! `--breaking` what the API's document takes away from the clients of the last release, and with `--release` it makes
//! the document the one that later ones are compared with.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use walwarden_contract::ExitStatus;
use walwarden_contract::emit::{Artefact, COMMAND, DIRECTORIES, artefacts, breaking_changes};

/// The API's document.
const OPENAPI: &str = "openapi/walwarden.v1.json";
/// The API's document as it was last released, and what else may stand beside the generated files.
const RELEASED: &str = "openapi/released/walwarden.v1.json";
const RELEASES: &str = "openapi/released";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let root = root();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(&root, &artefacts()),
        ["--check"] => check(&root, &artefacts()),
        ["--breaking"] => breaking(&root),
        ["--release"] => release(&root),
        _ => Err(format!("usage: {COMMAND} [-- --check | --breaking | --release]")),
    };
    match outcome {
        Ok(text) => say(&mut io::stdout(), &text, ExitStatus::Ok),
        Err(text) => say(&mut io::stderr(), &text, ExitStatus::UserError),
    }
}

fn say(stream: &mut dyn Write, text: &str, status: ExitStatus) -> ExitCode {
    // A reader who has gone away changes nothing about the files.
    let _ = writeln!(stream, "{text}");
    status.into()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new(".")).to_owned()
}

fn write(root: &Path, artefacts: &[Artefact]) -> Result<String, String> {
    let mut written = 0;
    for artefact in artefacts.iter().filter(|artefact| differs(root, artefact)) {
        write_file(root, artefact)?;
        written += 1;
    }
    let strays = strays(root, artefacts);
    if strays.is_empty() {
        Ok(format!("{written} of {} generated files written", artefacts.len()))
    } else {
        Err(report_strays(&strays))
    }
}

fn check(root: &Path, artefacts: &[Artefact]) -> Result<String, String> {
    let mut problems = Vec::new();
    for artefact in artefacts.iter().filter(|artefact| differs(root, artefact)) {
        problems.push(format!("{} has drifted; run `{COMMAND}`", artefact.path));
    }
    let strays = strays(root, artefacts);
    if !strays.is_empty() {
        problems.push(report_strays(&strays));
    }
    if problems.is_empty() {
        Ok(format!("{} generated files are up to date", artefacts.len()))
    } else {
        Err(problems.join("\n"))
    }
}

fn current() -> Result<String, String> {
    let document = artefacts().into_iter().find(|artefact| artefact.path == OPENAPI);
    document.map(|document| document.contents).ok_or_else(|| format!("{OPENAPI} is not generated"))
}

fn breaking(root: &Path) -> Result<String, String> {
    let parse = |text: &str| serde_json::from_str(text).map_err(|error| format!("{RELEASED} is not JSON: {error}"));
    let released = fs::read_to_string(root.join(RELEASED)).map_err(|error| format!("{RELEASED}: {error}"))?;
    let changes = breaking_changes(&parse(&released)?, &parse(&current()?)?);
    if changes.is_empty() {
        Ok(format!("{OPENAPI} breaks nothing that {RELEASED} promised"))
    } else {
        Err(format!("{OPENAPI} breaks what {RELEASED} promised:\n{}", changes.join("\n")))
    }
}

fn release(root: &Path) -> Result<String, String> {
    // Whoever releases a breaking change has to remove the earlier promise by hand, and so to mean it.
    if root.join(RELEASED).exists() {
        breaking(root)?;
    }
    let released = Artefact { path: RELEASED, contents: current()? };
    write_file(root, &released)?;
    Ok(format!("{RELEASED} is what later documents are compared with"))
}

fn write_file(root: &Path, artefact: &Artefact) -> Result<(), String> {
    let path = root.join(artefact.path);
    let directory = path.parent().unwrap_or(root);
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, &artefact.contents))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

fn differs(root: &Path, artefact: &Artefact) -> bool {
    fs::read(root.join(artefact.path)).ok().as_deref() != Some(artefact.contents.as_bytes())
}

/// Files among the generated ones that nothing generates: left over, or written by hand in the wrong place.
fn strays(root: &Path, artefacts: &[Artefact]) -> Vec<String> {
    let known = |path: &str| artefacts.iter().any(|artefact| artefact.path == path);
    let mut strays: Vec<_> = DIRECTORIES
        .iter()
        .filter_map(|directory| Some((directory, fs::read_dir(root.join(directory)).ok()?)))
        .flat_map(|(directory, entries)| {
            entries.flatten().map(move |entry| format!("{directory}/{}", entry.file_name().display()))
        })
        .filter(|path| !known(path) && path != RELEASES)
        .collect();
    strays.sort_unstable();
    strays
}

fn report_strays(strays: &[String]) -> String {
    format!("nothing generates {}: delete it, or move it out of there", strays.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_files_are_the_generated_ones() {
        if let Err(problems) = check(&root(), &artefacts()) {
            panic!("{problems}");
        }
    }

    #[test]
    fn nothing_that_was_released_is_broken() {
        if let Err(problems) = breaking(&root()) {
            panic!("{problems}");
        }
    }

    #[test]
    fn a_changed_file_is_named_with_the_command_that_mends_it() {
        let mut artefacts = artefacts();
        artefacts[0].contents.push('x');
        let problems = check(&root(), &artefacts).expect_err("the file differs");
        assert!(problems.contains(artefacts[0].path) && problems.contains(COMMAND), "{problems}");
    }

    #[test]
    fn a_file_that_nothing_generates_is_named() {
        let mut artefacts = artefacts();
        let index = artefacts.iter().position(|artefact| artefact.path.starts_with(DIRECTORIES[0])).expect("a page");
        let gone = artefacts.remove(index);
        let problems = check(&root(), &artefacts).expect_err("the file is left over");
        assert!(problems.contains(gone.path), "{problems}");
    }
}
