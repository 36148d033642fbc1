//! The commands in process, as a script would drive them, up to what they would print.

mod destinations;
mod evidence;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::commands::arguments::{Arguments, Command};
use crate::commands::{init, output::Outcome};
use crate::system::tests::manual;

struct Installation {
    directory: TempDir,
    system: System,
}

impl Installation {
    async fn new() -> Self {
        let installation = Self { directory: tempfile::tempdir().expect("a directory"), system: manual().0 };
        installation.run(&["init", "--organization", "acme"], &[]).await.expect("initializes");
        installation
    }

    fn data_dir(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    async fn run(&self, words: &[&str], env: &[(&str, &str)]) -> Result<Outcome, Failure> {
        let data_dir = format!("--data-dir={}", self.data_dir().display());
        let words = ["walwarden-api"].into_iter().chain(words.iter().copied()).chain([data_dir.as_str()]);
        let arguments = Arguments::try_parse_from(words)
            .map_err(|error| Failure::new(ErrorCode::UsageError, error.render().to_string()))?;
        let env: BTreeMap<_, _> = env.iter().copied().collect();
        let env = |name: &str| env.get(name).map(ToString::to_string);
        match arguments.command {
            Command::Init(init) => init::run(&arguments.common, &init, &self.system, &env).await,
            Command::Admin(admin) => execute(&arguments.common, admin, &self.system, &env).await,
            other => panic!("not a command of these tests: {other:?}"),
        }
    }

    async fn code(&self, words: &[&str], env: &[(&str, &str)]) -> ErrorCode {
        self.run(words, env).await.expect_err("is refused").0.code.known().expect("a known code")
    }

    async fn destination(&self, name: &str) -> String {
        let words = ["admin", "destination", "add", "--name", name, "--provider", "s3-compatible"];
        let more = ["--bucket", "backups", "--endpoint", "http://127.0.0.1:9", "--access-key-id", "AKIAEXAMPLE"];
        let more = [more.as_slice(), &["--skip-preflight"]].concat();
        let outcome = self.run(&[words.as_slice(), &more].concat(), &[SECRET]).await.expect("adds");
        text(&outcome.data["id"])
    }

    async fn database(&self, name: &str, destination: &str) -> String {
        let words = ["admin", "database", "add", "--no-check", "--name", name, "--destination", destination];
        text(&self.run(&words, &[SOURCE]).await.expect("adds").data["id"])
    }
}

const SECRET: (&str, &str) = ("WALWARDEN_SECRET_ACCESS_KEY", "canary-bucket-secret");
const SOURCE: (&str, &str) = ("WALWARDEN_SOURCE_DSN", "postgresql://u:canary-password@db.example:5432/shop");

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Whether any file below `path` holds `needle`.
fn found_below(path: &Path, needle: &str) -> bool {
    std::fs::read_dir(path).expect("lists").any(|entry| {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("reads");
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[tokio::test]
async fn init_makes_a_private_installation_and_never_touches_an_existing_one() {
    let installation = Installation { directory: tempfile::tempdir().expect("a directory"), system: manual().0 };
    let outcome = installation.run(&["init"], &[]).await.expect("initializes");
    assert_eq!(outcome.data["organizationName"], "default");
    assert!(text(&outcome.data["organizationId"]).starts_with("org_"));
    assert!(text(&outcome.data["publicKeyId"]).starts_with("wk_"));
    assert_eq!(outcome.data["store"], "sqlite");
    let mode = std::fs::metadata(installation.data_dir()).expect("exists").permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);

    let key = std::fs::read(installation.data_dir().join("sealing.key")).expect("reads");
    let Failure(error) = installation.run(&["init"], &[]).await.expect_err("refuses");
    assert_eq!(error.code, ErrorCode::ConfigInvalid);
    for name in ["sealing.key", "signing.key.pem", "token.key", "walwarden.sqlite"] {
        assert!(error.message.contains(name), "{}", error.message);
    }
    assert_eq!(std::fs::read(installation.data_dir().join("sealing.key")).expect("reads"), key);
}

#[tokio::test]
async fn init_makes_only_the_keys_that_are_not_given() {
    let other = Installation::new().await;
    let installation = Installation { directory: tempfile::tempdir().expect("a directory"), system: manual().0 };
    let path = other.data_dir().join("signing.key.pem");
    let given = ("WALWARDEN_SIGNING_KEY_FILE", path.to_str().expect("text"));
    let outcome = installation.run(&["init"], &[given]).await.expect("initializes");
    assert_eq!(outcome.data["keyFiles"].as_array().map(Vec::len), Some(2));
    assert!(!installation.data_dir().join("signing.key.pem").exists());
}

#[tokio::test]
async fn admin_before_init_says_so_and_creates_nothing() {
    let installation = Installation { directory: tempfile::tempdir().expect("a directory"), system: manual().0 };
    let Failure(error) = installation.run(&["admin", "key", "list"], &[]).await.expect_err("refuses");
    assert!(error.message.contains("walwarden-api init"), "{}", error.message);
    assert!(!installation.data_dir().exists());
}

#[tokio::test]
async fn no_secret_is_ever_shown_again_or_stored_in_the_clear() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let database = installation.database("shop", &destination).await;
    let commands: [&[&str]; 10] = [
        &["admin", "destination", "show", &destination],
        &["admin", "destination", "list"],
        &["admin", "destination", "update", &destination, "--retention-days", "90", "--access-key-id", "AKIAOTHER"],
        &["admin", "destination", "update", &destination, "--access-key-id", "AKIAOTHER", "--force"],
        &["admin", "secret", "rotate"],
        &["admin", "destination", "preflight", &destination],
        &["admin", "database", "show", &database],
        &["admin", "database", "list"],
        &["admin", "database", "update", &database, "--codec", "gzip:9"],
        &["admin", "database", "schedule", &database, "0 2 * * *"],
    ];
    for words in commands {
        let outcome = installation.run(words, &[]).await.expect("works");
        let shown = format!("{} {} {:?} {:?}", outcome.data, outcome.text, outcome.warnings, outcome.next);
        for secret in ["canary", "AKIA", "v1.sk_"] {
            assert!(!shown.contains(secret), "{words:?} shows {shown}");
        }
    }
    assert!(!found_below(&installation.data_dir(), "canary"));
}

#[tokio::test]
async fn secrets_are_not_taken_from_arguments() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let add = ["admin", "database", "add", "--no-check", "--name", "x", "--destination", &destination];
    let with = |more: &[&'static str]| [add.as_slice(), more].concat();
    let Failure(error) =
        installation.run(&with(&["--source", "postgresql://u:canary@h/d"]), &[]).await.expect_err("refuses");
    assert_eq!(error.code, ErrorCode::UsageError);
    assert!(!error.message.contains("canary"));
    assert_eq!(installation.code(&with(&[]), &[]).await, ErrorCode::UsageError);
    assert_eq!(installation.code(&with(&["--source", "postgresql://u@h"]), &[]).await, ErrorCode::UsageError);
    let both = [SOURCE, ("WALWARDEN_SOURCE_DSN_FILE", "/nowhere")];
    assert_eq!(installation.code(&with(&[]), &both).await, ErrorCode::ConfigInvalid);
    let outcome = installation.run(&with(&["--source", "postgresql://u@h/d"]), &[]).await.expect("adds");
    assert_eq!(outcome.data["databaseName"], "d");
    assert_eq!(outcome.data["codec"], "auto");
}

#[tokio::test]
async fn what_is_in_use_is_not_removed_and_the_refusal_names_its_users() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let database = installation.database("shop", &destination).await;
    let remove = ["admin", "destination", "remove", &destination];
    let Failure(error) = installation.run(&remove, &[]).await.expect_err("refuses");
    assert_eq!(error.code, ErrorCode::ResourceInUse);
    assert!(error.message.contains("shop") && error.message.contains(&database), "{}", error.message);
    installation.run(&["admin", "database", "remove", &database], &[]).await.expect("removes");
    installation.run(&remove, &[]).await.expect("removes");
    assert_eq!(installation.code(&remove, &[]).await, ErrorCode::NotFound);
    let names = installation.run(&["admin", "destination", "list"], &[]).await.expect("lists");
    assert_eq!(names.data, json!({ "destinations": [] }));
}

#[tokio::test]
async fn destinations_are_checked_as_a_whole() {
    let installation = Installation::new().await;
    let add = async |more: &[&str]| {
        let words = ["admin", "destination", "add", "--name", "x", "--bucket", "backups", "--access-key-id", "A"];
        let words = [words.as_slice(), &["--skip-preflight"]].concat();
        installation.run(&[words.as_slice(), more].concat(), &[SECRET]).await
    };
    let refused: [&[&str]; 12] = [
        &["--provider", "aws"],
        &["--provider", "minio"],
        &["--provider", "s3-compatible", "--endpoint", "http://s3.example.com"],
        &["--provider", "aws", "--region", "eu-central-1", "--lock-mode", "compliance"],
        &["--provider", "backblaze-b2", "--region", "us-west-004", "--lock-mode", "governance"],
        &["--provider", "gcs", "--lock-mode", "governance"],
        &["--provider", "aws", "--region", "eu-central-1", "--retention-days", "366"],
        &["--provider", "wasabi", "--region", "eu.example.com/"],
        &["--provider", "floppy"],
        &["--provider", "gcs", "--encryption", "sse_s3"],
        &["--provider", "aws", "--region", "eu-central-1", "--encryption", "sse_kms"],
        &["--provider", "aws", "--region", "eu-central-1", "--kms-key-id", "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"],
    ];
    for more in refused {
        let Failure(error) = add(more).await.expect_err("is refused");
        assert_eq!(error.code, ErrorCode::UsageError, "{more:?}");
    }
    let b2 = add(&["--provider", "backblaze-b2", "--region", "us-west-004", "--lock-mode", "compliance"]).await;
    let b2 = b2.expect("adds");
    assert_eq!(b2.data["endpoint"], "https://s3.us-west-004.backblazeb2.com");
    assert_eq!((&b2.data["addressing"], &b2.data["retentionDays"]), (&json!("virtual_host"), &json!(30)));
    assert_eq!((&b2.data["encryption"], &b2.data["kmsKeyId"]), (&json!("none"), &Value::Null));
    assert!(b2.warnings.is_empty());
    let Failure(error) = add(&["--provider", "aws", "--region", "eu-central-1"]).await.expect_err("the name is taken");
    assert_eq!(error.code, ErrorCode::NameTaken);
}

#[tokio::test]
async fn a_schedule_shows_its_next_three_runs_and_can_be_taken_away() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let database = installation.database("shop", &destination).await;
    let schedule = ["admin", "database", "schedule", &database];
    let set = installation.run(&[schedule.as_slice(), &[" 0 3  * * * "]].concat(), &[]).await.expect("sets");
    assert_eq!(set.data["schedule"], "0 3 * * *");
    let runs = ["2026-01-31T03:00:00.000Z", "2026-02-01T03:00:00.000Z", "2026-02-02T03:00:00.000Z"];
    assert_eq!(set.data["nextRuns"], json!(runs));
    assert_eq!(set.data["nextRunAt"], runs[0]);
    for cron in ["@daily", "0 3 * *", "0 0 3 * * *", "99 * * * *"] {
        assert_eq!(installation.code(&[schedule.as_slice(), &[cron]].concat(), &[]).await, ErrorCode::UsageError);
    }
    let none = installation.run(&[schedule.as_slice(), &["--none"]].concat(), &[]).await.expect("takes away");
    assert_eq!((&none.data["schedule"], &none.data["nextRunAt"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_key_is_shown_once_and_can_be_revoked() {
    let installation = Installation::new().await;
    let issue = ["admin", "key", "issue", "--name", "ci", "--scope", "backups:trigger", "--scope", "databases:read"];
    let issued =
        installation.run(&[issue.as_slice(), &["--expires-in-days", "2"]].concat(), &[]).await.expect("issues");
    let key = text(&issued.data["key"]);
    assert_eq!(key.len(), 68);
    assert_eq!(issued.data["expiresAt"], "2026-02-02T02:00:00.000Z");
    assert_eq!(issued.data["scopes"], json!(["databases:read", "backups:trigger"]));
    assert!(!found_below(&installation.data_dir(), &key));

    let id = text(&issued.data["id"]);
    let revoked = installation.run(&["admin", "key", "revoke", &id], &[]).await.expect("revokes");
    assert_eq!(revoked.data["state"], "revoked");
    let list = installation.run(&["admin", "key", "list"], &[]).await.expect("lists");
    assert_eq!(list.data["keys"][0]["state"], "revoked");
    assert!(!list.text.contains(&key) && !list.data.to_string().contains(&key));
    assert_eq!(
        installation.code(&["admin", "key", "issue", "--name", "x", "--scope", "*"], &[]).await,
        ErrorCode::UsageError
    );
    assert_eq!(installation.code(&["admin", "key", "issue", "--name", "x"], &[]).await, ErrorCode::UsageError);
}

#[test]
fn every_commands_help_has_an_example() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        if command.get_subcommands().next().is_some() {
            command
                .get_subcommands()
                .filter(|command| command.get_name() != "help")
                .for_each(|command| walk(command, &path));
            return;
        }
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.contains("Example") && help.contains("walwarden-api"), "{path} has no example");
    }
    let root = <Arguments as clap::CommandFactory>::command();
    walk(&root, "");
    root.debug_assert();
}
