//! `--events jsonl` whatever happens: a version line first, exactly one result last, nothing on stderr.

mod support;

use serde_json::{Value, json};
use support::{BACKUP, DATABASE, Run, interrupted_against_a_silent_server, walwarden};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const TRIGGER: [&str; 7] = ["backup", "trigger", "--database", DATABASE, "--wait", "--events", "jsonl"];
const EXECUTE: [&str; 10] = [
    "restore",
    "execute",
    "--backup",
    BACKUP,
    "--mode",
    "new_database",
    "--target",
    "postgresql://u@127.0.0.1:1/postgres",
    "--events",
    "jsonl",
];

fn run(arguments: &[&str]) -> Run {
    walwarden().args(arguments).run()
}

/// The two lines of a command that did nothing, and what it ended with.
fn refused(run: &Run, kind: &str, code: &str) {
    let lines = run.events();
    let version = json!({"type": "version", "schemaVersion": 1, "kind": kind, "version": env!("CARGO_PKG_VERSION")});
    assert_eq!((lines.len(), &lines[0]), (2, &version), "{}", run.stdout);
    assert_eq!((&lines[1]["kind"], &lines[1]["ok"]), (&json!(kind), &Value::from(false)));
    assert_eq!(lines[1]["error"]["code"], code, "{}", run.stdout);
}

#[test]
fn a_mistake_is_a_version_and_a_result_even_where_events_are_unknown() {
    let with = |words: &[&'static str]| [&TRIGGER[..], words].concat();
    let cases: &[(&[&str], &str)] = &[
        (&with(&["--bogus"]), "backup.trigger"),
        (&with(&["--events", "jsonl"]), "backup.trigger"),
        (&with(&["--wait-timeout-ms", "soon"]), "backup.trigger"),
        (&["backup", "trigger", "--events", "jsonl"], "backup.trigger"),
        (&["backup", "trigger", "--database", DATABASE, "--events", "jsonl"], "backup.trigger"),
        (&["backup", "trigger", "--database", DATABASE, "--events=jsonl"], "backup.trigger"),
        (&["restore", "execute", "--events", "jsonl"], "restore.execute"),
        (&["restore", "--manifest", "x", "--events", "jsonl"], "restore"),
        (&["database", "list", "--events", "jsonl"], "database.list"),
        (&["backup", "--events", "jsonl"], "backup"),
        (&["--events", "jsonl"], "walwarden"),
        (&["nonsense", "--events", "jsonl"], "walwarden"),
        (&with(&["--idempotency-key", "a\u{7}"]), "backup.trigger"),
    ];
    for (arguments, kind) in cases {
        let run = run(arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stdout);
        refused(&run, kind, "usage_error");
    }
}

#[test]
fn another_format_is_a_mistake_that_is_not_told_in_events() {
    for format in ["json", "JSONL", ""] {
        let mut arguments = vec!["--json", "backup", "trigger", "--database", DATABASE, "--wait", "--events", format];
        let json = run(&arguments);
        assert_eq!((json.code, &json.envelope()["error"]["code"]), (2, &json!("usage_error")), "{}", json.stdout);
        let human = run(&arguments.split_off(1));
        assert_eq!((human.code, human.stdout.as_str()), (2, ""));
    }
    // Behind the end of flags it is no flag.
    let run = run(&["--json", "database", "get", "--", "--events", "jsonl"]);
    assert_eq!((run.code, &run.envelope()["kind"]), (2, &json!("database.get")));
}

#[test]
fn together_with_json_it_is_events() {
    let run = walwarden().arg("--json").args(TRIGGER).run();
    assert_eq!(run.code, 2);
    refused(&run, "backup.trigger", "config_invalid");
    let lines = walwarden().args(TRIGGER).arg("--help").run();
    assert_eq!((lines.code, &lines.events()[1]["kind"]), (0, &json!("help")));
}

#[test]
fn refusals_before_any_call_are_results() {
    refused(&run(&EXECUTE), "restore.execute", "config_invalid");
    let in_place: Vec<&str> =
        EXECUTE.iter().map(|word| if *word == "new_database" { "in_place" } else { word }).collect();
    let run = run(&in_place);
    assert_eq!(run.code, 2);
    refused(&run, "restore.execute", "confirmation_required");
}

#[test]
fn a_server_that_is_not_there_or_silent_is_a_result() {
    for (arguments, kind) in [(&TRIGGER[..], "backup.trigger"), (&EXECUTE[..], "restore.execute")] {
        let run = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1").env("WALWARDEN_API_KEY", "k");
        let run = run.args(arguments).run();
        assert_eq!(run.code, 1, "{}", run.stdout);
        refused(&run, kind, "network_error");
        let run = interrupted_against_a_silent_server(arguments);
        assert_eq!(run.code, 4, "{}", run.stdout);
        refused(&run, kind, "cancelled");
    }
}

#[test]
fn a_reader_who_left_changes_no_exit_code() {
    for arguments in [&TRIGGER[..], &EXECUTE, &["nonsense", "--events", "jsonl"]] {
        assert_eq!(walwarden().args(arguments).run_with_closed_stdout(), 2);
    }
}

/// A job that is queued, runs, and ends as asked.
async fn server(ending: Value) -> MockServer {
    let server = MockServer::start().await;
    let job = |changes: &Value| {
        let mut job = json!({
            "id": BACKUP, "databaseId": DATABASE, "destinationId": "dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
            "trigger": "adhoc", "state": "queued", "attempt": 0, "maxAttempts": 3,
            "attemptHistory": [], "notBefore": "2026-01-31T02:00:00.000Z",
            "createdAt": "2026-01-31T02:00:00.000Z", "startedAt": null, "finishedAt": null, "dismissedAt": null,
            "artifact": null, "error": null,
        });
        for (name, value) in changes.as_object().expect("an object") {
            job[name] = value.clone();
        }
        ResponseTemplate::new(200).set_body_json(job)
    };
    let queued = json!({"backupJobId": BACKUP, "databaseId": DATABASE, "state": "queued"});
    let answers = [
        ResponseTemplate::new(202).set_body_json(queued),
        job(&json!({})),
        job(&json!({"state": "running", "attempt": 1})),
        job(&ending),
    ];
    for answer in answers {
        Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    server
}

/// `type` and `state` of every line.
fn told(lines: &[Value]) -> Vec<String> {
    let word = |line: &Value, name: &str| line[name].as_str().map(str::to_owned);
    lines.iter().map(|line| word(line, "state").or_else(|| word(line, "type")).unwrap_or_default()).collect()
}

#[tokio::test]
async fn every_state_of_a_backup_is_told_once() {
    let failed = json!({"code": "dump_failed", "message": "no", "retryable": true, "nextAction": "x", "docs": "y"});
    let artifact = json!({
        "key": "k", "sizeBytes": 1, "checksumSha256": "ab".repeat(32), "compression": "gzip:1",
        "manifestHash": "cd".repeat(32),
    });
    let endings = [
        (json!({"state": "completed", "attempt": 1, "artifact": artifact}), 0),
        (json!({"state": "failed_terminal", "attempt": 1, "error": failed}), 3),
        // A newer server has other words.
        (json!({"state": "completed", "attempt": 1, "artifact": artifact, "trigger": "dreamt"}), 0),
    ];
    for (ending, code) in endings {
        let server = server(ending.clone()).await;
        let command = walwarden().env("WALWARDEN_BASE_URL", &server.uri()).env("WALWARDEN_API_KEY", "wal_canary");
        let run = tokio::task::spawn_blocking(|| command.args(TRIGGER).run()).await.expect("it ran");
        assert_eq!(run.code, code, "{}", run.stdout);
        run.assert_without("wal_canary");
        let newer = ending["trigger"] == "dreamt";
        let lines = if newer { parsed(&run) } else { run.events() };
        let state = ending["state"].as_str().expect("a state");
        assert_eq!(told(&lines), ["version", "queued", "running", state, "result"]);
        assert_eq!(lines[2]["attempt"], 1);
        assert!(lines[1..4].iter().all(|line| line["backupJobId"] == BACKUP && line["at"].is_string()));
        assert_eq!(lines[4]["ok"], code == 0);
        assert!(code != 0 || lines[4]["data"]["completed"]["id"] == BACKUP, "{}", run.stdout);
    }
}

/// Lines that hold words which the schema of this version does not know.
fn parsed(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON Lines")).collect()
}
