//! What the tests of changes share: requests with any method, the organization's chain, and a search for secrets.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use walwarden_contract::audit::{AuditEvent, conforms};

use super::fixture::{Answer, Fixture};

pub(super) const CANARY: &str = "canary-of-a-secret";

/// What is logged while it is listened to.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Takes down everything that this thread logs until the guard is dropped.
    pub(super) fn listen(&self) -> (tracing::Dispatch, tracing::subscriber::DefaultGuard) {
        // With only one subscriber, a line that another test's thread reaches first is taken to interest nobody.
        let spare = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        (spare, tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no writer panicked")).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panicked").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a request with the fixture's key, an Idempotency-Key where one is given, and a body where there is one.
pub(super) async fn ask(
    fixture: &Fixture,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&Value>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", fixture.key));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let body = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    fixture.send(request.body(body).expect("a request")).await
}

/// The organization's chain, which must be whole.
pub(super) async fn chain(fixture: &Fixture) -> Vec<AuditEvent> {
    let org = fixture.org_id;
    let events = fixture.state.store.audit_chain(org, &org.to_string()).await.expect("reads the chain");
    conforms(&events).expect("the chain is whole");
    events
}

/// The kinds of the events after the first `seen`.
pub(super) async fn kinds_after(fixture: &Fixture, seen: usize) -> Vec<&'static str> {
    chain(fixture).await.iter().skip(seen).map(|event| event.kind.as_str()).collect()
}

/// Whether any file of the data directory holds `needle`: the store, its journal, whatever else was written.
pub(super) fn stored_in_the_clear(fixture: &Fixture, needle: &str) -> bool {
    let directory: &Path = &fixture.state.settings.data_dir;
    std::fs::read_dir(directory).expect("lists").any(|entry| {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("reads");
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

/// Refused with this code, and a message that names the field and repeats no secret.
pub(super) fn assert_refused(answer: &Answer, status: u16, code: &str, names: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
    let message = answer.json()["message"].as_str().expect("a message").to_owned();
    assert!(message.contains(names), "{message:?} does not name {names}");
    assert!(!answer.text.contains("canary"), "{}", answer.text);
}
