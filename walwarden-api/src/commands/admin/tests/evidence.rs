//! Reports, as an operator makes them.

use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey;
use sqlx::{Connection, Executor};

use super::*;
use crate::evidence::report::verify;
use crate::secrets::{KeySources, Keyring};

const REPORT: [&str; 5] = ["admin", "evidence", "report", "--framework", "iso27001"];

impl Installation {
    async fn report(&self, more: &[&str]) -> Result<Outcome, Failure> {
        self.run(&[REPORT.as_slice(), more].concat(), &[]).await
    }

    fn public_key(&self) -> VerifyingKey {
        let keyring = Keyring::load(&KeySources::in_directory(&self.data_dir())).expect("loads");
        VerifyingKey::from_public_key_pem(&keyring.public_key_pem()).expect("is a key")
    }

    async fn tamper(&self, sql: &'static str) {
        let url = format!("sqlite://{}", self.data_dir().join("walwarden.sqlite").display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.expect("connects");
        let changed = connection.execute(sql).await.expect("is SQL").rows_affected();
        assert!(changed > 0, "nothing was changed by {sql}");
    }
}

#[tokio::test]
async fn a_report_is_signed_by_the_installation_and_is_printed_as_it_was_signed() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let database = installation.database("shop", &destination).await;
    let outcome = installation.report(&["--period", "2026-01"]).await.expect("reports");
    let printed: Value = serde_json::from_str(&outcome.text).expect("is JSON");
    assert_eq!(printed, outcome.data["report"]);
    assert_eq!(verify(&printed, &installation.public_key()), Ok(text(&outcome.data["sha256"])));
    assert_eq!(printed["schema"], "walwarden.report.v1");
    assert_eq!(printed["facts"]["databases"]["listed"][0]["databaseId"], database.as_str());
    assert_eq!(printed["records"]["organizationBreak"], Value::Null);
    assert!(outcome.next.is_empty() && outcome.warnings.is_empty() && outcome.finding.is_none());
    let again = installation.report(&["--period", "2026-01"]).await.expect("reports");
    assert_eq!(again.text, outcome.text, "the same store at the same time is the same report");
}

#[tokio::test]
async fn a_page_comes_with_its_document_and_shows_its_hash() {
    let installation = Installation::new().await;
    let page = installation.directory.path().join("report.html");
    let path = page.to_str().expect("text");
    std::fs::write(&page, "older").expect("writes");
    let outcome = installation.report(&["--period", "2026-Q1", "--out", path]).await.expect("reports");
    let html = std::fs::read_to_string(&page).expect("is there");
    let document = std::fs::read(page.with_extension("json")).expect("is there");
    let received: Value = serde_json::from_slice(&document).expect("is JSON");
    assert_eq!(serde_json_canonicalizer::to_vec(&received).expect("canonical"), document);
    let hash = verify(&received, &installation.public_key()).expect("verifies");
    assert!(html.contains(&hash) && html.starts_with("<!DOCTYPE html>"));
    assert_eq!(outcome.data["sha256"], hash.as_str());
    assert!(outcome.text.contains("findings") && outcome.text.contains(&hash));
}

#[tokio::test]
async fn what_cannot_be_reported_is_refused_and_writes_nothing() {
    let installation = Installation::new().await;
    let directory = installation.directory.path().join("missing").join("report.json");
    let nowhere = directory.to_str().expect("text");
    let refused: [(&[&str], ErrorCode); 6] = [
        (&[], ErrorCode::UsageError),
        (&["--period", "yesterday"], ErrorCode::UsageError),
        (&["--period", "2026", "--format", "html", "--json"], ErrorCode::UsageError),
        (&["--period", "2026", "--format", "html", "--out", "report.json"], ErrorCode::UsageError),
        (&["--period", "2026", "--database", "db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3"], ErrorCode::NotFound),
        (&["--period", "2026", "--out", nowhere], ErrorCode::UsageError),
    ];
    for (words, code) in refused {
        let Failure(error) = installation.report(words).await.expect_err("is refused");
        assert_eq!(error.code, code, "{words:?}: {}", error.message);
    }
    let left: Vec<_> = std::fs::read_dir(installation.directory.path()).expect("lists").collect();
    assert_eq!(left.len(), 1, "only the data directory");
}

#[tokio::test]
async fn a_report_shows_no_secret() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    installation.database("shop", &destination).await;
    let issued = installation.run(&["admin", "key", "issue", "--name", "ci", "--scope", "backups:trigger"], &[]).await;
    let key = text(&issued.expect("issues").data["key"]);
    for format in ["json", "html"] {
        let outcome = installation.report(&["--period", "2026", "--format", format]).await.expect("reports");
        for secret in ["canary", "AKIA", "v1.sk_", &key] {
            assert!(!outcome.text.contains(secret), "{format} shows {secret}");
        }
        assert!(outcome.text.contains("backups:trigger"));
    }
}

#[tokio::test]
async fn a_chain_that_was_edited_is_not_passed_over() {
    let installation = Installation::new().await;
    installation.destination("eu").await;
    installation
        .tamper("UPDATE audit_events SET payload = '{\"name\":\"other\"}' WHERE kind = 'destination.created'")
        .await;
    let outcome = installation.report(&["--period", "2026"]).await.expect("reports");
    let report = &outcome.data["report"];
    assert!(report["records"]["organizationBreak"].is_string());
    let findings = report["findings"]["listed"].as_array().expect("a list");
    assert!(findings.iter().any(|finding| finding["code"] == "organization_chain_broken"), "{findings:?}");
    installation.tamper("DELETE FROM audit_events WHERE kind = 'destination.created'").await;
    let outcome = installation.report(&["--period", "2026"]).await.expect("reports");
    assert!(outcome.data["report"]["records"]["organizationBreak"].is_string(), "a tail that was cut");
}
