//! What a comparison finds while its bucket changes, while records cannot be read, and what the last report says of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use walwarden_contract::model::{InventoryFindingCode as Code, ReconciliationReport};

use super::fixture::{Fixture, HOUR};
use crate::jobs::inventory::{Scope, compare, keep, look};
use crate::jobs::retention::Keeper;
use crate::store::backups::BackupJob;

const EVERY: i64 = 24 * HOUR;

fn keeper(fixture: &Fixture) -> Keeper {
    let (store, system) = (fixture.state.store.clone(), fixture.state.system.clone());
    Keeper { store, system, keyring: Arc::clone(&fixture.state.keyring) }
}

/// A bucket that lists one object and one upload, and has neither when it is asked again unless `stays`.
async fn bucket(fixture: &Fixture, key: String, stays: bool) {
    let listed = Arc::new(AtomicBool::new(false));
    let answer = move |request: Request| {
        let (listed, key) = (Arc::clone(&listed), key.clone());
        async move {
            let again = is_uploads(&request) && listed.swap(true, Ordering::SeqCst);
            answer(&request, &key, stays || !again, stays)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    fixture.tamper(format!("UPDATE destinations SET endpoint = 'http://{address}'").leak()).await;
}

fn is_uploads(request: &Request) -> bool {
    request.uri().query().is_some_and(|query| query.contains("uploads"))
}

fn answer(request: &Request, key: &str, upload: bool, object: bool) -> Response {
    let listing = request.uri().query().is_some_and(|query| query.contains("list-type=2"));
    let begun = "<Initiated>2026-01-01T00:00:00.000Z</Initiated>";
    let (name, inner) = if is_uploads(request) {
        let upload = if upload {
            format!("<Upload><Key>{key}</Key><UploadId>u</UploadId>{begun}</Upload>")
        } else {
            String::new()
        };
        ("ListMultipartUploadsResult", upload)
    } else if listing {
        ("ListBucketResult", format!("<Contents><Key>{key}</Key><Size>3</Size></Contents>"))
    } else if request.method() == Method::HEAD && object {
        return (StatusCode::OK, "abc").into_response();
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    format!("<{name}><IsTruncated>false</IsTruncated>{inner}</{name}>").into_response()
}

fn key_of(job: &BackupJob) -> String {
    format!("org/{}/db/{}/backup/2026/01/31/{}.dump", job.org_id, job.database_id, job.id)
}

async fn codes(fixture: &Fixture) -> Vec<String> {
    let compared = compare(&keeper(fixture), fixture.org_id, Scope::default()).await.expect("compares");
    compared.report.findings.iter().map(|finding| finding.code.to_string()).collect()
}

#[tokio::test]
async fn what_goes_while_it_is_compared_is_no_leftover() {
    for stays in [true, false] {
        let fixture = Fixture::new().await;
        let job = fixture.completed_backup().await;
        fixture.tamper("UPDATE backup_jobs SET state = 'cancelled', manifest = NULL").await;
        fixture.tamper("DELETE FROM audit_events WHERE kind = 'backup.completed'").await;
        bucket(&fixture, key_of(&job), stays).await;
        let found = codes(&fixture).await;
        for code in [Code::LeftoverObject, Code::LeftoverUpload] {
            assert_eq!(found.contains(&code.as_str().to_owned()), stays, "{found:?}");
        }
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_a_finding_and_hides_no_other() {
    for sql in [
        "UPDATE backup_jobs SET state = 'lost' WHERE id = (SELECT MIN(id) FROM backup_jobs)",
        "UPDATE backup_jobs SET artifact = '{' WHERE id = (SELECT MIN(id) FROM backup_jobs)",
        "UPDATE backup_jobs SET finished_at = 'then' WHERE id = (SELECT MIN(id) FROM backup_jobs)",
        "UPDATE backup_jobs SET id = 'a' WHERE id = (SELECT MIN(id) FROM backup_jobs)",
        "INSERT INTO audit_streams (stream_id, org_id, seq, head) SELECT 'bkp_a', org_id, seq, head FROM audit_streams LIMIT 1",
        "UPDATE databases SET created_at = 'then'",
    ] {
        let fixture = Fixture::new().await;
        fixture.completed_backup().await;
        fixture.advance(1);
        let last = fixture.completed_backup().await;
        bucket(&fixture, "org/else".to_owned(), false).await;
        fixture.tamper(sql).await;
        let compared = compare(&keeper(&fixture), fixture.org_id, Scope::default()).await.expect("compares");
        let findings = compared.report.findings;
        assert!(findings.iter().any(|it| it.code == Code::RecordDisagrees), "{sql}: {findings:?}");
        let missed = findings.iter().any(|it| it.code == Code::MissingArtifact && it.backup_job_id == Some(last.id));
        assert!(missed, "{sql}: {findings:?}");
    }
    let fixture = Fixture::new().await;
    fixture.tamper("DELETE FROM databases").await;
    fixture.tamper("UPDATE destinations SET created_at = 'then'").await;
    assert_eq!(codes(&fixture).await, ["record_disagrees"]);
    fixture.tamper("UPDATE destinations SET id = 'a'").await;
    assert_eq!(codes(&fixture).await, ["record_disagrees"]);
}

async fn report(fixture: &Fixture) -> ReconciliationReport {
    let answer = fixture.get("/inventory/reconciliation", &fixture.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).expect("a report")
}

#[tokio::test]
async fn a_clean_report_does_not_stand_for_ever() {
    let fixture = Fixture::new().await;
    fixture.tamper("DELETE FROM databases").await;
    fixture.tamper("DELETE FROM destinations").await;
    fixture.advance(EVERY);
    look(&keeper(&fixture), EVERY).await.expect("looks").expect("is due");
    assert_eq!(report(&fixture).await.result.to_string(), "clean");
    // Whoever compares fails on its way, and says so where it can.
    fixture.advance(EVERY);
    fixture.tamper("ALTER TABLE destinations RENAME TO elsewhere").await;
    look(&keeper(&fixture), EVERY).await.expect_err("the store fails");
    assert_eq!(report(&fixture).await.result.to_string(), "incomplete");
    fixture.tamper("ALTER TABLE elsewhere RENAME TO destinations").await;
    fixture.advance(HOUR);
    look(&keeper(&fixture), EVERY).await.expect("looks").expect("is due soon");
    assert_eq!(report(&fixture).await.result.to_string(), "clean");
    // Or nobody compares any more.
    fixture.advance(2 * EVERY + 7 * HOUR);
    assert_eq!(report(&fixture).await.result.to_string(), "incomplete");
}

#[tokio::test]
async fn a_report_stands_although_the_organizations_chain_takes_no_event_and_is_raised_when_it_does() {
    let fixture = Fixture::new().await;
    bucket(&fixture, "else".to_owned(), false).await;
    fixture.tamper("UPDATE audit_streams SET seq = seq - 1 WHERE stream_id LIKE 'org_%'").await;
    let keep_one = async || {
        let compared = compare(&keeper(&fixture), fixture.org_id, Scope::default()).await.expect("compares");
        keep(&keeper(&fixture), fixture.org_id, &compared, EVERY).await.expect("keeps")
    };
    keep_one().await;
    assert_eq!(report(&fixture).await.finding_count, 1, "a stranger is in the bucket");
    fixture.tamper("UPDATE audit_streams SET seq = seq + 1 WHERE stream_id LIKE 'org_%'").await;
    assert_eq!((keep_one().await, keep_one().await), (1, 0));
    let chain = fixture.state.store.audit_chain(fixture.org_id, &fixture.org_id.to_string()).await.expect("reads");
    assert_eq!(chain.iter().filter(|event| event.kind.as_str() == "inventory.finding_detected").count(), 1);
}
