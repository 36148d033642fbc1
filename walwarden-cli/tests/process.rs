//! The built binary as a process: pipes, signals, environment, and what is not an error.

mod support;

use std::ffi::OsStr;

use serde_json::Value;
use support::{tool, walwarden};

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["--version"], &["backup", "trigger", "--help"], &["restore", "--help"]] {
        let run = walwarden().args(arguments).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(!run.stdout.is_empty());
        let run = walwarden().arg("--json").args(arguments).run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let envelope = run.envelope();
        assert_eq!((&envelope["kind"], &envelope["ok"]), (&Value::from("help"), &Value::from(true)));
    }
}

#[test]
fn a_reader_who_left_is_no_crash() {
    assert_eq!(walwarden().arg("--help").run_with_closed_stdout(), 0);
    assert_eq!(walwarden().args(["--json", "database", "list"]).run_with_closed_stdout(), 2);
}

#[test]
fn states_have_colours_on_a_terminal_that_takes_them() {
    let shown = |assignment: &str| {
        let command = format!("env -i TERM=xterm {assignment} {} capabilities list", env!("CARGO_BIN_EXE_walwarden"));
        let arguments = ["-q", "-e", "-c", &command, "/dev/null"].map(OsStr::new);
        tool("script", &arguments, "").map(|run| run.stdout.contains("\u{1b}[32mavailable\u{1b}[0m"))
    };
    // `script` gives the command a terminal; where it is missing, there is nothing to see.
    if let Some(coloured) = shown("A=") {
        assert!(coloured);
        for assignment in ["NO_COLOR=1", "CLICOLOR=0", "TERM=dumb"] {
            assert_eq!(shown(assignment), Some(false), "{assignment}");
        }
        assert_eq!(shown("NO_COLOR="), Some(true));
    }
}

#[test]
fn bad_environment_is_an_envelope_too() {
    let run = walwarden().env_bytes("WALWARDEN_BASE_URL", b"\xff\xfe").args(["--json", "database", "list"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (2, ""));
    assert_eq!(run.envelope()["error"]["code"], "config_invalid");
}

#[test]
fn an_interrupted_wait_is_cancelled_and_says_so() {
    let run = support::interrupted_against_a_silent_server(&["--json", "profile", "validate"]);
    assert_eq!(run.code, 4, "{}", run.stdout);
    let envelope = run.envelope();
    assert_eq!(envelope["error"]["code"], "cancelled");
    assert_eq!(envelope["kind"], "profile.validate");
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    for arguments in [&["--json", "capabilities", "list"][..], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device that is full");
        let run = walwarden().args(arguments).run_onto(full);
        assert_eq!(run.code, 1, "{arguments:?}");
    }
}

#[test]
fn json_that_is_asked_for_in_a_wrong_way_is_refused_in_json() {
    let run = walwarden().args(["--json=true", "database", "list"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (2, ""));
    assert_eq!(run.envelope()["error"]["code"], "usage_error");
    let run = walwarden().args(["--json", "database", "list", "--events", "jsonl"]).run();
    assert_eq!((run.code, run.envelope()["kind"].as_str()), (2, Some("database.list")));
}

#[test]
fn a_secret_that_never_comes_does_not_make_the_program_deaf() {
    let target = ["--target", "postgresql://u@h/d", "--mode", "new_database"];
    let manifest = "ab".repeat(32);
    let restore = [&["--json", "restore", "--manifest", &manifest][..], &target].concat();
    let cases = [("WALWARDEN_API_KEY_FILE", &["--json", "database", "list"][..]), ("WALWARDEN_TOKEN_FILE", &restore)];
    for (variable, arguments) in cases {
        let run = support::interrupted_at_a_silent_file(variable, arguments);
        assert_eq!(run.code, 4, "{variable}: {}", run.stdout);
        assert!(run.stdout.contains(r#""cancelled""#) && run.stderr.is_empty(), "{}", run.stdout);
    }
}
