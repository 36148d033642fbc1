//! The built binary without any server: usage, envelopes, exit codes, and secrets that stay where they are.

mod support;

use support::{BACKUP, DATABASE, walwarden};

const SECRET: &str = "hunter2-canary";

fn target() -> String {
    format!("postgresql://user:{SECRET}@127.0.0.1:1/app")
}

#[test]
fn every_mistake_is_one_envelope_and_exit_2() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("walwarden", &[], "usage_error"),
        ("walwarden", &["nonsense"], "usage_error"),
        ("backup", &["backup"], "usage_error"),
        ("backup.trigger", &["backup", "trigger"], "usage_error"),
        ("backup.trigger", &["backup", "trigger", "--database", "bkp_1"], "usage_error"),
        ("backup.trigger", &["backup", "trigger", "--database", DATABASE, "--wait-timeout-ms", "1"], "usage_error"),
        ("backup.trigger", &["backup", "trigger", "--database", DATABASE, "--idempotency-key", "a b"], "usage_error"),
        ("database.list", &["database", "list", "--limit", "0"], "usage_error"),
        ("database.list", &["database", "list", "--timeout-ms", "0"], "usage_error"),
        ("database.list", &["database", "list"], "config_invalid"),
        (
            "profile.validate",
            &["--api-url", "http://api.example.com", "--api-key", "k", "profile", "validate"],
            "config_invalid",
        ),
        ("profile.validate", &["--api-url", "https://127.0.0.1:1", "profile", "validate"], "config_invalid"),
        ("restore.create", &["restore", "create", "--backup", BACKUP], "usage_error"),
        ("restore.create", &["restore", "create", "--backup", BACKUP, "--mode", "new_database"], "usage_error"),
        ("restore.status", &["restore", "--manifest", "x", "--mode", "in_place", "status", "rst_1"], "usage_error"),
        (
            "restore.execute",
            &["restore", "execute", "--backup", BACKUP, "--mode", "both", "--target", "x"],
            "usage_error",
        ),
    ];
    for (kind, arguments, code) in cases {
        let run = walwarden().arg("--json").args(*arguments).run();
        let envelope = run.envelope();
        assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{arguments:?}: {}", run.stdout);
        assert_eq!(envelope["schemaVersion"], 1);
        assert_eq!(envelope["ok"], false);
        assert_eq!(envelope["kind"], *kind, "{arguments:?}");
        assert_eq!(envelope["error"]["code"], *code, "{arguments:?}: {}", run.stdout);
        assert!(envelope.get("data").is_none());
    }
}

#[test]
fn without_json_stdout_is_empty_and_stderr_says_what_next() {
    let run = walwarden().args(["database", "list"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.starts_with("error: No API address"), "{}", run.stderr);
    assert!(run.stderr.contains("next: "), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "colour although stderr is no terminal");
}

#[test]
fn an_in_place_restore_is_refused_before_any_call_unless_confirmed() {
    let arguments = ["--backup", BACKUP, "--mode", "in_place", "--target", &target()];
    for command in ["create", "execute"] {
        let run = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1").env("WALWARDEN_API_KEY", "k");
        let run = run.args(["--json", "restore", command]).args(arguments).run();
        assert_eq!(run.code, 2);
        assert_eq!(run.envelope()["error"]["code"], "confirmation_required", "{}", run.stdout);
        // What there is to consent to can be looked at.
        let next = run.envelope()["next"][0].as_array().cloned().unwrap_or_default();
        assert_eq!(next.last().is_some_and(|word| word == "--dry-run"), command == "execute", "{}", run.stdout);
        run.assert_without(SECRET);
    }
    let run = walwarden().args(["--json", "restore", "--manifest", &"ab".repeat(32)]).args(&arguments[2..]).run();
    assert_eq!(run.code, 2);
    let line = run.only_line();
    assert_eq!(line["state"], "rejected");
    assert_eq!(line["payload"]["error"]["code"], "confirmation_required");
    run.assert_without(SECRET);
}

#[test]
fn the_tokens_command_ends_in_exactly_one_line_whatever_is_wrong() {
    let hash = "ab".repeat(32);
    let full = ["--manifest", &hash, "--mode", "new_database", "--target", &target()];
    let malformed_token = format!("wrt1.{SECRET}");
    let cases: &[(&[&str], Option<&str>, &str)] = &[
        (&[], None, "usage_error"),
        (&["--manifest", &hash], None, "usage_error"),
        (&["--manifest", &hash, "--mode", "new_database"], None, "usage_error"),
        (&full[..5], None, "usage_error"),
        (&full, None, "config_invalid"),
        (&full, Some(&malformed_token), "token_invalid"),
        (&full, Some("wrt1.\u{7}"), "token_invalid"),
    ];
    for (arguments, token, code) in cases {
        let mut command = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1");
        if let Some(token) = token {
            command = command.env("WALWARDEN_TOKEN", token);
        }
        let run = command.args(["--json", "restore"]).args(*arguments).run();
        assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{}", run.stdout);
        let line = run.only_line();
        assert_eq!(line["state"], "rejected");
        assert_eq!(line["payload"]["error"]["code"], *code, "{arguments:?}: {}", run.stdout);
        assert!(run.stdout.starts_with(r#"{"state":"rejected","at":""#), "{}", run.stdout);
        run.assert_without(SECRET);
    }
}

#[test]
fn names_that_no_database_may_have_are_refused_before_any_call() {
    let run = walwarden().args(["--json", "restore", "create", "--backup", BACKUP, "--mode", "new_database"]);
    let run = run.args(["--target", "postgresql://u@h/postgres", "--created-database", "a;drop"]).run();
    assert_eq!(run.code, 2);
    assert_eq!(run.envelope()["error"]["code"], "usage_error");
}

#[test]
fn secrets_in_arguments_are_warned_about_and_never_repeated() {
    let run = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1");
    let run = run.args(["--api-key", SECRET, "--timeout-ms", "2000", "restore", "create", "--backup", BACKUP]);
    let run = run.args(["--mode", "new_database", "--target", &target()]).run();
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("--api-key is visible") && run.stderr.contains("the password in --target is visible"));
    run.assert_without(SECRET);
    for arguments in [["database", "get", &target()], ["restore", "create", &target()], ["nonsense", "x", &target()]] {
        walwarden().args(arguments).run().assert_without(SECRET);
        walwarden().arg("--json").args(arguments).run().assert_without(SECRET);
    }
}

#[test]
fn an_api_that_cannot_be_reached_is_retryable() {
    let run = walwarden().env("WALWARDEN_API_URL", "http://127.0.0.1:1").env("WALWARDEN_API_KEY", SECRET);
    let run = run.args(["--json", "profile", "validate"]).run();
    let envelope = run.envelope();
    assert_eq!(run.code, 1);
    assert_eq!(envelope["kind"], "profile.validate");
    assert_eq!(envelope["error"]["code"], "network_error");
    assert_eq!(envelope["error"]["retryable"], true);
    run.assert_without(SECRET);
}

#[test]
fn a_backup_that_may_have_been_queued_names_its_key() {
    let run = walwarden().env("WALWARDEN_BASE_URL", "http://127.0.0.1:1").env("WALWARDEN_API_KEY", "k");
    let run = run.args(["--json", "backup", "trigger", "--database", DATABASE, "--idempotency-key", "once"]).run();
    let next = run.envelope()["next"][0].clone();
    assert_eq!(
        next,
        serde_json::json!(["walwarden", "backup", "trigger", "--database", DATABASE, "--idempotency-key", "once"])
    );
}
