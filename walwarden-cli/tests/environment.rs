//! `verify-environment` against a server that is wrong in one way at a time.

mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Run, walwarden};
use walwarden_contract::capabilities::{MIN_CLIENT_VERSION, SURFACE_VERSION};
use walwarden_contract::model::cli::FindingCode;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const SCOPES: [&str; 6] =
    ["databases:read", "destinations:read", "backups:trigger", "evidence:read", "restores:write", "restores:read"];

fn profile() -> Value {
    json!({
        "orgId": "org_01928c3e5f7a7c3e8d2b4a6f90c1e2d3", "orgName": "Shop", "apiKeyName": "ci",
        "apiKeyId": "key_01928c3e5f7a7c3e8d2b4a6f90c1e2d3", "clientKind": "service", "scopes": SCOPES,
        "expiresAt": null, "serverVersion": "0.1.0", "surfaceVersion": SURFACE_VERSION,
        "minClientVersion": MIN_CLIENT_VERSION,
    })
}

/// One backup of this size, dumped by this version from a server of that one.
fn evidence(size: u64, dumped: &str, served: &str) -> Value {
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/walwarden.v1.json");
    let description: Value =
        serde_json::from_str(&std::fs::read_to_string(description).expect("readable")).expect("JSON");
    let examples = &description["paths"]["/evidence"]["get"]["responses"]["200"]["content"]["application/json"];
    let example = examples["examples"].as_object().expect("examples").values().next().expect("an example");
    let mut list = example["value"].clone();
    list["evidence"][0]["artifact"]["sizeBytes"] = json!(size);
    list["evidence"][0]["source"] = json!({"pgDumpVersion": dumped, "postgresVersion": served});
    list
}

async fn server(profile: ResponseTemplate, evidence: Value) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/api/v1/profile")).respond_with(profile).mount(&server).await;
    let evidence = ResponseTemplate::new(200).set_body_json(evidence);
    Mock::given(path("/api/v1/evidence")).respond_with(evidence).mount(&server).await;
    server
}

fn verify(server: &MockServer, arguments: &[&str]) -> Run {
    let command = walwarden().env("WALWARDEN_BASE_URL", &server.uri()).env("WALWARDEN_API_KEY", "wal_canary");
    let run = command.args(["--json", "verify-environment"]).args(arguments).run();
    assert_eq!(run.stderr, "");
    run.assert_without("canary");
    run
}

/// What was found about one thing: its status and code.
fn found(run: &Run, check: &str) -> (String, String) {
    let envelope = run.envelope();
    let findings = envelope["data"]["findings"].as_array().expect("findings");
    let finding = findings.iter().find(|finding| finding["check"] == check).expect(check);
    let needs_fix = matches!(finding["status"].as_str(), Some("warning" | "failed"));
    assert!(!needs_fix || finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{finding}");
    let text = |member: &str| finding[member].as_str().expect("a word").to_owned();
    (text("status"), text("code"))
}

fn is(status: &str, code: FindingCode) -> (String, String) {
    (status.to_owned(), code.as_str().to_owned())
}

#[tokio::test]
async fn a_sound_environment_passes_with_every_check_looked_at() {
    let server = server(ResponseTemplate::new(200).set_body_json(profile()), evidence(1, "10.1", "10.1")).await;
    let run = verify(&server, &["--loop", "backup", "--loop", "restore"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let data = &run.envelope()["data"];
    assert_eq!(data["findings"].as_array().map(Vec::len), Some(12));
    assert_ne!(data["result"], "failed");
    for (check, code) in [
        ("settings", FindingCode::SettingsFound),
        ("tls", FindingCode::TlsNotNeeded),
        ("api", FindingCode::ApiAnswers),
        ("contract", FindingCode::ContractCompatible),
        ("key", FindingCode::KeyValid),
        ("backup_scopes", FindingCode::ScopesGranted),
        ("restore_scopes", FindingCode::ScopesGranted),
        ("clock", FindingCode::ClockAgrees),
        ("disk", FindingCode::DiskSuffices),
    ] {
        assert_eq!(found(&run, check), is("passed", code));
    }
}

#[tokio::test]
async fn what_the_server_says_is_judged() {
    let with = |member: &str, value: Value| {
        let mut profile = profile();
        profile[member] = value;
        ResponseTemplate::new(200).set_body_json(profile)
    };
    let cases = [
        (with("surfaceVersion", json!("2.0.0")), "contract", is("failed", FindingCode::ContractIncompatible), 3),
        (with("minClientVersion", json!("99.0.0")), "contract", is("failed", FindingCode::ContractIncompatible), 3),
        (with("expiresAt", json!("2020-01-01T00:00:00.000Z")), "key", is("warning", FindingCode::KeyExpiresSoon), 0),
        (with("scopes", json!(&SCOPES[..4])), "restore_scopes", is("warning", FindingCode::ScopesMissing), 0),
        (with("scopes", json!(&SCOPES[1..5])), "backup_scopes", is("failed", FindingCode::ScopesMissing), 2),
        (with("scopes", json!([])), "restore_scopes", is("failed", FindingCode::ScopesMissing), 2),
        (ResponseTemplate::new(404), "api", is("failed", FindingCode::ApiFailed), 3),
        (
            with("orgName", json!("x")).insert_header("date", "Sat, 31 Jan 2026 02:00:00 GMT"),
            "clock",
            is("warning", FindingCode::ClockOff),
            0,
        ),
    ];
    for (answer, check, expected, code) in cases {
        let server = server(answer, evidence(1, "10.1", "10.1")).await;
        let run = verify(&server, &[]);
        assert_eq!((found(&run, check), run.code), (expected, code), "{}", run.stdout);
    }
}

#[tokio::test]
async fn what_a_loop_needs_of_this_machine_fails_only_when_the_loop_is_asked_for() {
    let answer = || ResponseTemplate::new(200).set_body_json(profile());
    let newer = server(answer(), evidence(1 << 60, "99.1", "98.2")).await;
    for (arguments, status, code) in [(&[][..], "warning", 0), (&["--loop", "restore"], "failed", 2)] {
        let run = verify(&newer, arguments);
        assert_eq!(found(&run, "pg_restore"), is(status, FindingCode::ToolOutdated));
        assert_eq!(found(&run, "disk"), is(status, FindingCode::DiskShort));
        assert_eq!(found(&run, "pg_dump").0, "warning", "only the worker needs it");
        assert_eq!(run.code, code, "{}", run.stdout);
    }
    let run = walwarden().env("PATH", "/nonexistent").env("WALWARDEN_BASE_URL", &newer.uri());
    let run = run.env("WALWARDEN_API_KEY", "k").args(["--json", "verify-environment", "--loop", "restore"]).run();
    assert_eq!((found(&run, "psql"), run.code), (is("failed", FindingCode::ToolMissing), 2));
    assert_eq!(run.envelope()["error"]["code"], "tool_missing");
}

#[test]
fn settings_are_named_with_their_sources_and_never_shown() {
    let run = walwarden().args(["--json", "verify-environment"]).run();
    assert_eq!((found(&run, "settings"), run.code), (is("failed", FindingCode::SettingsInvalid), 2));
    assert_eq!(
        (found(&run, "api"), found(&run, "pg_dump").0.as_str() == "skipped"),
        (is("skipped", FindingCode::NotChecked), false)
    );
    let run = walwarden().env("WALWARDEN_BASE_URL", "https://u:canary@h").env("WALWARDEN_API_KEY", "wal_canary");
    let run = run.args(["--json", "verify-environment"]).run();
    assert_eq!(run.code, 2);
    run.assert_without("canary");
    let human = walwarden().env("WALWARDEN_API_KEY", "wal_canary").arg("verify-environment").run();
    assert!(
        human.code == 2 && human.stdout.contains("What to do:") && human.stderr.contains("error:"),
        "{}",
        human.stdout
    );
    human.assert_without("canary");
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_not_said_to_be_in_order() {
    let server = MockServer::start().await;
    let sound = ResponseTemplate::new(200).set_body_json(profile());
    Mock::given(path("/api/v1/profile")).respond_with(sound).mount(&server).await;
    Mock::given(path("/api/v1/evidence")).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let run = verify(&server, &["--loop", "restore"]);
    assert_eq!((found(&run, "disk"), run.code), (is("warning", FindingCode::NotChecked), 0), "{}", run.stdout);
}

#[tokio::test]
async fn a_place_that_nothing_can_be_kept_in_is_no_room() {
    let server = server(ResponseTemplate::new(200).set_body_json(profile()), evidence(1, "10.1", "10.1")).await;
    for place in ["/etc/passwd", "/bin/sh", "/nonexistent"] {
        let run = verify(&server, &["--loop", "restore", "--work-dir", place]);
        assert_eq!((found(&run, "disk"), run.code), (is("failed", FindingCode::DiskShort), 2), "{place}");
    }
}

#[tokio::test]
async fn an_api_that_answers_with_an_error_has_answered() {
    let server = server(ResponseTemplate::new(404), evidence(1, "10.1", "10.1")).await;
    let run = verify(&server, &[]);
    assert_eq!(found(&run, "tls"), is("passed", FindingCode::TlsNotNeeded));
    assert!(run.stdout.contains("the API answered with an error"), "{}", run.stdout);
}
