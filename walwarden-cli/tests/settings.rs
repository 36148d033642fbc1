//! The built binary and its configuration file.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;
use support::{Walwarden, walwarden};
use tempfile::TempDir;
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SECRET: &str = "hunter2-canary";

struct Home(TempDir);

impl Home {
    fn new(profiles: &serde_json::Value) -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(home.file().parent().expect("a folder")).expect("created");
        fs::write(home.file(), json!({"profiles": profiles}).to_string()).expect("written");
        home.mode(0o600);
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".config/walwarden/config.json")
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.file(), fs::Permissions::from_mode(mode)).expect("set");
    }

    fn walwarden(&self) -> Walwarden {
        walwarden().env("HOME", self.0.path().to_str().expect("UTF-8"))
    }
}

#[tokio::test]
async fn a_profile_is_all_that_a_command_needs() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let destinations = ResponseTemplate::new(200).set_body_json(json!({"destinations": [], "nextCursor": "c"}));
    let asked = Mock::given(path("/api/v1/destinations")).and(header("Authorization", format!("Bearer {SECRET}")));
    asked.respond_with(destinations.clone()).expect(2).mount(&server).await;
    let asked = Mock::given(path("/api/v1/destinations")).and(header("Authorization", "Bearer other"));
    asked.respond_with(destinations).expect(1).mount(&other).await;
    let home = Home::new(&json!({
        "default": {"baseUrl": server.uri(), "apiKey": SECRET},
        "other": {"baseUrl": other.uri(), "apiKey": "other"},
    }));
    for flags in [&[][..], &["--profile", "default"]] {
        let run = home.walwarden().args(flags).args(["--json", "destination", "list"]).run();
        assert_eq!((run.code, &run.envelope()["warnings"]), (0, &json!([])), "{}", run.stdout);
        let again = [&["walwarden"], flags, &["destination", "list", "--cursor", "c"]].concat();
        assert_eq!(run.envelope()["next"], json!([again]), "it has to reach the same API");
        run.assert_without(SECRET);
    }
    let other = home.walwarden().env("WALWARDEN_PROFILE", "other").args(["--json", "destination", "list"]).run();
    assert_eq!(other.code, 0, "{}", other.stdout);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let home = Home::new(&json!({"default": {"baseUrl": "http://127.0.0.1:1", "apiKey": SECRET}}));
    home.mode(0o644);
    let run = home.walwarden().args(["--json", "database", "list"]).run();
    let error = run.envelope()["error"].clone();
    assert_eq!((run.code, &error["code"]), (2, &json!("config_invalid")));
    assert_eq!(error["nextAction"], format!("Run: chmod 600 {}", home.file().display()));
    run.assert_without(SECRET);
    let local = home.walwarden().args(["--json", "capabilities", "list"]).run();
    assert_eq!((local.code, &local.envelope()["warnings"]), (0, &json!([])), "a command that needs no setting");
}

#[test]
fn nothing_of_a_broken_file_is_repeated() {
    let home = Home::new(&json!({"default": {"baseUrl": 7, "apiKey": SECRET}}));
    for text in [&fs::read_to_string(home.file()).expect("readable"), SECRET, &format!("{{\"{SECRET}:\": 1}}")] {
        fs::write(home.file(), text).expect("written");
        let run = home.walwarden().args(["--json", "database", "list"]).run();
        assert_eq!((run.code, &run.envelope()["error"]["code"]), (2, &json!("config_invalid")), "{text}");
        run.assert_without(SECRET);
        let local = home.walwarden().args(["--json", "--profile", "none", "capabilities", "list"]).run();
        assert_eq!(local.code, 0);
    }
}
