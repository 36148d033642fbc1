//! The built binary against a server that gives the answers which the API's description shows as examples.

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::{BACKUP, DATABASE, Run, walwarden};
use walwarden_contract::commands::{COMMANDS, documented};
use walwarden_contract::operations::BASE_PATH;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// They need a bucket and a Postgres server: the end-to-end tests check what they write.
const RUN_ELSEWHERE: [&str; 2] = ["restore.execute", "restore"];

fn description() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/walwarden.v1.json");
    serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
}

/// Whether a path has the form of a template, in which parameters stand in braces.
fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/').collect::<Vec<_>>(), path.split('/').collect::<Vec<_>>());
    let same = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

/// The example of a success; of several, the one whose job is completed.
fn example(description: &Value, request: &Request) -> (u16, Value) {
    let paths = description["paths"].as_object().expect("paths").iter();
    let path = request.url.path().strip_prefix(BASE_PATH).unwrap_or_default();
    let operation = paths
        .filter(|(template, _)| matches(template, path))
        .find_map(|(_, item)| item.get(request.method.as_str().to_ascii_lowercase()))
        .unwrap_or_else(|| panic!("{} {} is no operation", request.method, request.url.path()));
    let responses = operation["responses"].as_object().expect("responses");
    let (status, success) = responses.iter().find(|(status, _)| status.starts_with('2')).expect("a success");
    let examples = success["content"]["application/json"]["examples"].as_object().expect("examples");
    let values = || examples.values().map(|example| &example["value"]);
    let value = values().find(|value| value["state"] == "completed").or_else(|| values().next()).expect("an example");
    (status.parse().expect("a status"), value.clone())
}

async fn server() -> MockServer {
    let (server, description) = (MockServer::start().await, description());
    let answer = move |request: &Request| {
        let (status, body) = example(&description, request);
        ResponseTemplate::new(status).set_body_json(body)
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn run(server: &MockServer, arguments: &[String]) -> Run {
    let command = walwarden().env("WALWARDEN_BASE_URL", &server.uri()).env("WALWARDEN_API_KEY", "wal_canary");
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments).run()
}

#[tokio::test]
async fn the_example_of_every_command_succeeds_with_the_document_that_its_schema_describes() {
    let server = server().await;
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("error.json"), r#"{"code": "not_found"}"#).expect("written");
    for command in COMMANDS.iter().filter(|command| !RUN_ELSEWHERE.contains(&command.kind)) {
        let words = documented(&format!("```\n{}\n```", command.example), "walwarden").remove(0);
        let json = run(&server, &words[1..]);
        assert_eq!((json.code, json.stderr.as_str()), (0, ""), "{}: {}", command.kind, json.stdout);
        let envelope = json.envelope();
        assert_eq!((&envelope["ok"], &envelope["kind"]), (&json!(true), &json!(command.kind)));
        json.assert_without("wal_canary");
        let plain: Vec<String> = words.into_iter().skip(1).filter(|word| word != "--json").collect();
        let human = run(&server, &plain);
        assert_eq!((human.code, human.stderr.lines().any(|line| line.starts_with("error"))), (0, false));
        assert!(!human.stdout.contains('\u{1b}'), "colour although stdout is no terminal");
        assert!(!human.stdout.trim().is_empty() && !human.stdout.starts_with('{'), "{}", human.stdout);
    }
}

#[tokio::test]
async fn a_command_that_makes_one_call_puts_its_answer_into_data_as_it_is() {
    let (server, description) = (server().await, description());
    for command in COMMANDS.iter().filter(|command| command.operations.len() == 1) {
        let words = documented(&format!("```\n{}\n```", command.example), "walwarden").remove(0);
        let data = run(&server, &words[1..]).envelope()["data"].clone();
        let request = server.received_requests().await.expect("recorded").pop().expect("a request");
        assert_eq!(data, example(&description, &request).1, "{}", command.kind);
    }
}

#[tokio::test]
async fn what_is_queued_is_not_yet_completed() {
    let server = server().await;
    let arguments = ["--json", "backup", "trigger", "--database", DATABASE].map(str::to_owned);
    let envelope = run(&server, &arguments).envelope();
    assert!(envelope["data"]["triggered"].is_object() && envelope["data"].get("completed").is_none());
}

#[tokio::test]
async fn evidence_is_asked_for_with_the_flags_and_tables_show_what_it_says() {
    let server = server().await;
    let arguments = ["evidence", "list", "--database", DATABASE, "--limit", "3", "--cursor", "c"].map(str::to_owned);
    let listed = run(&server, &arguments);
    let request = server.received_requests().await.expect("recorded").pop().expect("a request");
    assert_eq!(request.url.query(), Some(&*format!("cursor=c&databaseId={DATABASE}&limit=3")));
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("BACKUP") && lines[1].contains("passed"), "{}", listed.stdout);
    let arguments = ["evidence", "get", BACKUP].map(str::to_owned);
    assert!(run(&server, &arguments).stdout.contains("integrity:    passed at"));
}

#[tokio::test]
async fn a_backup_that_nobody_refused_may_have_been_queued() {
    let answers = [
        (ResponseTemplate::new(202).set_body_json(json!({"nonsense": 1})), "unexpected_response", true),
        (problem("internal_error", 500, true), "internal_error", true),
        (problem("not_found", 404, false), "not_found", false),
    ];
    for (answer, code, unknown) in answers {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let flags = ["--wait", "--wait-timeout-ms", "60000"];
        let words = [&["--json", "backup", "trigger", "--database", DATABASE][..], &flags].concat();
        let envelope = run(&server, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).envelope();
        assert_eq!(envelope["error"]["code"], code);
        let next: Vec<String> = serde_json::from_value(envelope["next"][0].clone()).unwrap_or_default();
        assert_eq!(next.contains(&"--idempotency-key".to_owned()), unknown, "{envelope}");
        assert_eq!(flags.iter().all(|flag| next.contains(&(*flag).to_owned())), unknown, "{envelope}");
    }
}

fn problem(code: &str, status: u16, retryable: bool) -> ResponseTemplate {
    let body = json!({
        "type": format!("urn:walwarden:error:{code}"), "title": code, "status": status, "code": code,
        "message": "as it is", "retryable": retryable, "nextAction": "look", "docs": "docs",
    });
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}
