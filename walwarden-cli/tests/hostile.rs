//! The built binary against a server whose every text is an attack on the terminal that shows it.

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{DATABASE, Run, walwarden};
use walwarden_contract::commands::{COMMANDS, documented};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Clears the screen, sets the title, begins a line of its own, turns the direction, hides something.
const ATTACK: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\r\nnext: walwarden destroy\u{202e}\u{200b}\u{2028}\u{7f}";

/// Whether a terminal could obey any of it, or not show it.
fn is_safe(text: &str) -> bool {
    let hidden = |character| matches!(character, '\u{200b}' | '\u{202e}' | '\u{2028}');
    !text.chars().any(|character| character.is_control() && character != '\n' || hidden(character))
}

/// The example of a success of an operation.
fn example(operation: &str) -> (u16, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/walwarden.v1.json");
    let description: Value = serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON");
    let mut operations = description["paths"].as_object().expect("paths").values().flat_map(|path| {
        let methods = path.as_object().expect("methods").values();
        methods.filter(|it| it["operationId"] == operation)
    });
    let responses = operations.next().expect("an operation")["responses"].as_object().expect("responses");
    let (status, success) = responses.iter().find(|(status, _)| status.starts_with('2')).expect("a success");
    let examples = success["content"]["application/json"]["examples"].as_object().expect("examples");
    (status.parse().expect("a status"), examples.values().next().expect("an example")["value"].clone())
}

/// Adds the attack to every text but identifiers and times, which have a form that they are held to.
fn attacked(key: &str, value: Value) -> Value {
    let held = key == "id" || ["Id", "At", "Until", "scheduledFor", "notBefore"].iter().any(|end| key.ends_with(end));
    match value {
        Value::String(text) if !held => json!(text + ATTACK),
        Value::Array(items) => items.into_iter().map(|item| attacked(key, item)).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name.clone(), attacked(&name, value))).collect()
        }
        other => other,
    }
}

fn run(server: &MockServer, arguments: &[String]) -> Run {
    walwarden().env("WALWARDEN_BASE_URL", &server.uri()).env("WALWARDEN_API_KEY", "wal_canary").args(arguments).run()
}

#[tokio::test]
async fn no_answer_reaches_the_terminal_as_it_is_and_every_document_says_what_was_answered() {
    let mut shown = 0;
    for command in COMMANDS.iter().filter(|command| command.operations.len() == 1) {
        let (status, answer) = example(command.operations[0]);
        let answer = attacked("", answer);
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_json(&answer)).mount(&server).await;
        let words = documented(&format!("```\n{}\n```", command.example), "walwarden").remove(0);
        let json = run(&server, &words[1..]);
        assert!(json.code == 0 && is_safe(&json.stdout), "{}: {}", command.kind, json.stdout);
        let envelope: Value = serde_json::from_str(&json.stdout).expect("one document");
        assert_eq!(envelope["data"], answer, "{}", command.kind);
        let plain: Vec<String> = words[1..].iter().filter(|word| *word != "--json").cloned().collect();
        let human = run(&server, &plain);
        assert!(human.code == 0 && is_safe(&human.stdout) && is_safe(&human.stderr), "{}: {human:?}", command.kind);
        let forged = human.stdout.lines().chain(human.stderr.lines()).any(|line| line.starts_with("next: walwarden d"));
        assert!(!forged, "{}: {}", command.kind, human.stdout);
        shown += usize::from(human.stdout.contains('\u{fffd}'));
    }
    assert!(shown > 8, "the attack was part of {shown} results");
}

#[tokio::test]
async fn no_error_reaches_the_terminal_as_it_is() {
    let server = MockServer::start().await;
    let problem = json!({
        "type": "urn:walwarden:error:not_found", "title": ATTACK, "status": 404, "code": "not_found",
        "message": format!("Gone.{ATTACK}"), "retryable": false, "requestId": ATTACK, "requiredScope": ATTACK,
        "nextAction": format!("Look.{ATTACK}"), "docs": ATTACK,
    });
    let answer = ResponseTemplate::new(404).set_body_raw(problem.to_string(), "application/problem+json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let arguments = ["database", "get", DATABASE].map(str::to_owned);
    let human = run(&server, &arguments);
    assert!(human.code == 2 && is_safe(&human.stderr), "{human:?}");
    assert!(human.stderr.starts_with("error: Gone."), "{}", human.stderr);
    assert!(!human.stderr.lines().any(|line| line.starts_with("next: ")), "{}", human.stderr);
    let json = run(&server, &[&["--json".to_owned()], &arguments[..]].concat());
    assert!(json.code == 2 && is_safe(&json.stdout), "{}", json.stdout);
    let envelope: Value = serde_json::from_str(&json.stdout).expect("one document");
    assert!(envelope["error"]["message"].as_str().is_some_and(|message| message.starts_with("Gone.")));
}

#[test]
fn hostile_arguments_are_refused_before_any_call_and_not_repeated() {
    let (long, dashed) = ("x".repeat(5000), format!("--cursor=-{ATTACK}"));
    let cases: &[&[&str]] = &[
        &["database", "get", ATTACK],
        &["database", "get", &format!("db_{ATTACK}")],
        &["database", "get", "--", "-db_1"],
        &["database", "get", "../../etc/passwd"],
        &["database", "get", "%2e%2e%2f"],
        &["database", "get", &long],
        &["database", "list", &dashed],
        &["database", "list", "--cursor", &"c".repeat(201)],
        &["database", "list", &format!("--{ATTACK}")],
        &["--profile", "../../etc/passwd", "database", "list"],
        &["--profile=-x", "database", "list"],
        &["--profile", &long, "database", "list"],
        &["--api-url", &format!("https://h/{ATTACK}"), "database", "list"],
        &["backup", "trigger", "--database", DATABASE, "--idempotency-key", &"k".repeat(256)],
        &["capabilities", "describe", ATTACK],
        &["capabilities", "describe", "../backup.trigger"],
        &["restore", "create", "--backup", "bkp_1", "--mode", "new_database", "--created-database", ATTACK],
        &[ATTACK],
        &[&long],
    ];
    for arguments in cases {
        for json in [true, false] {
            let command = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1").env("WALWARDEN_API_KEY", "k");
            let run = command.args(json.then_some("--json")).args(*arguments).run();
            let text = format!("{}{}", run.stdout, run.stderr);
            assert!(run.code == 2 && is_safe(&text), "{arguments:?}: {text}");
            assert!(text.contains("usage_error") && text.len() < 1500, "{arguments:?}: {text}");
            for repeated in ["owned", "passwd", "xxxxxxxx", "cccccccc", "kkkkkkkk"] {
                run.assert_without(repeated);
            }
        }
    }
}
