//! Commands that call nothing: they need neither an address nor a key.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use support::{DATABASE, Run, walwarden};
use walwarden_contract::ErrorCode;
use walwarden_contract::capabilities::{CAPABILITIES, Status};

fn scratch(name: &str, contents: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).expect("written");
    path
}

fn explain(path: &Path) -> Run {
    walwarden().args(["--json", "explain-error", "--from-json"]).arg(path).run()
}

#[test]
fn the_compact_list_fits_a_small_context_and_leaves_out_no_capability() {
    let run = walwarden().args(["--json", "capabilities", "list", "--compact"]).run();
    assert!(run.code == 0 && run.stdout.len() < 8_000, "{} bytes", run.stdout.len());
    let compact = run.envelope()["data"]["capabilities"].as_array().expect("a list").clone();
    let whole = walwarden().args(["--json", "capabilities", "list"]).run().envelope();
    for list in [&compact, whole["data"]["capabilities"].as_array().expect("a list")] {
        let ids: Vec<&str> = list.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
        assert_eq!(ids, CAPABILITIES.iter().map(|capability| capability.id).collect::<Vec<_>>());
    }
    let gated = |entry: &&serde_json::Value| entry["humanGate"] == "confirmation_required";
    assert!(compact.iter().filter(gated).count() > 0, "what a person must consent to is never left out");
}

#[test]
fn every_capability_is_described_with_the_schemas_of_its_tool() {
    for capability in CAPABILITIES {
        let run = walwarden().args(["--json", "capabilities", "describe", capability.id]).run();
        let described = run.envelope()["data"]["capability"].clone();
        assert_eq!((run.code, &described["id"]), (0, &serde_json::json!(capability.id)));
        let tool = capability.tool && capability.status == Status::Available;
        assert_eq!(described["tool"]["inputSchema"].is_object(), tool, "{}", capability.id);
    }
    let unknown = walwarden().args(["--json", "capabilities", "describe", "hunter2"]).run();
    assert_eq!((unknown.code, unknown.envelope()["error"]["code"].as_str()), (2, Some("usage_error")));
    assert_eq!(unknown.envelope()["next"][0], serde_json::json!(["walwarden", "capabilities", "list"]));
    unknown.assert_without("hunter2");
}

#[test]
fn every_code_is_explained() {
    for code in ErrorCode::ALL {
        let run = explain(&scratch("code.json", format!(r#"{{"code": "{code}"}}"#).as_bytes()));
        let explained = run.envelope()["data"]["explanation"].clone();
        assert_eq!((run.code, explained["code"].as_str()), (0, Some(code.as_str())));
        assert_eq!(explained["exitCode"], code.exit().code());
        assert_eq!(explained["nextAction"], code.next_action());
    }
}

#[test]
fn what_a_command_has_written_is_explained_from_stdin() {
    let failed = walwarden().args(["--json", "database", "get", DATABASE]).run();
    let file = File::open(scratch("failed.json", failed.stdout.as_bytes())).expect("readable");
    let run = walwarden().args(["explain-error", "--from-json", "-"]).input(file).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.starts_with("code:        config_invalid\n"), "{}", run.stdout);
}

#[test]
fn what_cannot_be_explained_is_a_mistake_of_the_caller() {
    let large = format!(r#"{{"code": "not_found", "message": "{}"}}"#, "x".repeat(64 << 10));
    let cases = [
        scratch("unknown.json", br#"{"code": "teapot"}"#),
        scratch("none.json", b"{}"),
        scratch("text.json", b"hunter2"),
        scratch("large.json", large.as_bytes()),
        PathBuf::from("/nonexistent/error.json"),
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
    ];
    for path in cases {
        let run = explain(&path);
        assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{}", path.display());
        assert_eq!(run.envelope()["error"]["code"], "usage_error", "{}", path.display());
        run.assert_without("hunter2");
    }
}
