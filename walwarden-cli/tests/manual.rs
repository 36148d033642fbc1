//! Completion scripts and manual pages, judged by the programs that read them where they are installed.

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;

use serde_json::json;
use support::{tool, walwarden};
use walwarden_contract::commands::COMMANDS;

/// Asks the script of bash what may stand where the last of these words begins.
fn completed(script: &str, words: &str) -> Vec<String> {
    let asked = format!(
        "{script}\nCOMP_WORDS=(walwarden {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
         _walwarden walwarden \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let run = tool("bash", &[], &asked).expect("bash is installed");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_script_of_bash_completes_commands_flags_and_values() {
    let script = walwarden().args(["completions", "bash"]).run().stdout;
    let parsed = tool("bash", &[OsStr::new("-n")], &script).expect("bash is installed");
    assert_eq!((parsed.code, parsed.stderr.as_str()), (0, ""));
    let cases: &[(&str, &[&str])] = &[
        ("back", &["backup"]),
        ("backup t", &["trigger"]),
        ("backup trigger --wait", &["--wait", "--wait-timeout-ms"]),
        ("restore create --mode n", &["new_database"]),
        ("--js", &["--json"]),
        ("completions f", &["fish"]),
    ];
    for (words, expected) in cases {
        assert_eq!(completed(&script, words), *expected, "{words}");
    }
}

#[test]
fn every_shell_has_a_script_that_knows_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = walwarden().args(["completions", shell]).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        for word in COMMANDS.iter().flat_map(|command| command.kind.split('.')) {
            assert!(run.stdout.contains(word), "{shell}: {word}");
        }
        let data = walwarden().args(["--json", "completions", shell]).run().envelope()["data"].clone();
        assert_eq!((&data["shell"], data["script"].as_str()), (&json!(shell), Some(run.stdout.as_str())));
    }
    for shell in ["zsh", "fish"] {
        let script = walwarden().args(["completions", shell]).run().stdout;
        if let Some(parsed) = tool(shell, &[OsStr::new("-n")], &script) {
            assert_eq!((parsed.code, parsed.stderr.as_str()), (0, ""), "{shell}");
        }
    }
}

#[test]
fn every_command_has_a_page_without_a_fault() {
    let folder = tempfile::tempdir().expect("a directory");
    let target = folder.path().join("share/man1");
    let run = walwarden().args(["--json", "man", "--directory"]).arg(&target).run();
    let listed = run.envelope()["data"]["pages"].as_array().expect("a list").clone();
    let listed: BTreeSet<_> = listed.iter().map(|page| page["file"].as_str().expect("a name").to_owned()).collect();
    let written = fs::read_dir(&target).expect("written").map(|entry| entry.expect("readable").file_name());
    assert_eq!(listed, written.map(|name| name.into_string().expect("UTF-8")).collect());
    for command in COMMANDS {
        assert!(listed.contains(&format!("walwarden-{}.1", command.kind.replace('.', "-"))), "{}", command.kind);
    }
    for name in &listed {
        let page = fs::read_to_string(target.join(name)).expect("readable");
        for part in [".TH walwarden", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS"] {
            assert!(page.lines().any(|line| line.starts_with(part)), "{name}: {part}");
        }
        let arguments = ["--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", "-"].map(OsStr::new);
        if let Some(rendered) = tool("man", &arguments, &page) {
            assert_eq!((rendered.code, rendered.stderr.as_str()), (0, ""), "{name}");
        }
        if let Some(checked) = tool("mandoc", &["-T", "lint", "-W", "error"].map(OsStr::new), &page) {
            assert_eq!(checked.code, 0, "{name}: {}", checked.stdout);
        }
    }
}

#[test]
fn without_a_folder_the_first_page_is_printed() {
    let text = walwarden().arg("man").run();
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    let data = walwarden().args(["--json", "man"]).run().envelope()["data"].clone();
    let page = json!([{"file": "walwarden.1", "text": text.stdout.trim_end()}]);
    assert_eq!((data.get("directory"), &data["pages"]), (None, &page));
}

#[test]
fn a_folder_that_cannot_be_written_is_a_mistake_of_the_caller() {
    let run = walwarden().args(["--json", "man", "--directory", "/dev/null/pages"]).run();
    assert_eq!((run.code, &run.envelope()["error"]["code"]), (2, &json!("usage_error")));
}
