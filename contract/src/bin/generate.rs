//! Writes the generated files below the root of the repository, or with `--check` names those that have drifted.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use walwarden_contract::ExitStatus;
use walwarden_contract::emit::{Artefact, COMMAND, DIRECTORIES, artefacts};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let root = root();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => write(&root, &artefacts()),
        ["--check"] => check(&root, &artefacts()),
        _ => Err(format!("usage: {COMMAND} [-- --check]")),
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
        let path = root.join(artefact.path);
        let directory = path.parent().unwrap_or(root);
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, &artefact.contents))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
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
        .filter(|path| !known(path))
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
    fn a_changed_file_is_named_with_the_command_that_mends_it() {
        let mut artefacts = artefacts();
        artefacts[0].contents.push('x');
        let problems = check(&root(), &artefacts).expect_err("the file differs");
        assert!(problems.contains(artefacts[0].path) && problems.contains(COMMAND), "{problems}");
    }

    #[test]
    fn a_file_that_nothing_generates_is_named() {
        let mut artefacts = artefacts();
        let gone = artefacts.remove(0);
        let problems = check(&root(), &artefacts).expect_err("the file is left over");
        assert!(problems.contains(gone.path), "{problems}");
    }
}
