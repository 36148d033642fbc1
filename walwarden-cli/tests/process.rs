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
