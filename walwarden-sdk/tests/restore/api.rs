//! The API and the bucket, as far as a restore machine sees them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use walwarden_contract::manifest::{self, Manifest, ManifestArtifact, ManifestRetention, ManifestSource};
use walwarden_contract::model::{
    ArtifactUrl, Restore, RestoreClaim, RestoreMode, RestoreReport, RestoreReportPayload, RestoreState,
};
use walwarden_contract::token::{self, TokenPayload};
use walwarden_contract::{
    BackupJobId, DatabaseId, DestinationId, ErrorBody, ErrorCode, OrgId, Problem, RestoreJobId, Timestamp,
};
use walwarden_sdk::{RestoreSessionClient, RetryPolicy, WalwardenClient};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// How the API and the bucket behave.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// The bucket's bytes differ from what the manifest commits to in this byte.
    pub(crate) flipped_byte: Option<usize>,
    /// A report of this state is refused with this code.
    pub(crate) refuses: Option<(RestoreState, ErrorCode)>,
    /// The use of the token is answered by something else than the API.
    pub(crate) loses_trigger: bool,
    /// Heartbeats are wanted this often.
    pub(crate) heartbeat_seconds: u32,
}

pub(crate) struct Api {
    server: MockServer,
    pub(crate) manifest_hash: String,
    token: SecretString,
    reports: Arc<Mutex<Vec<(RestoreState, RestoreReportPayload)>>>,
    sealed: Arc<AtomicBool>,
}

fn at() -> Timestamp {
    Timestamp::from_millis(1_769_824_800_000).expect("in range")
}

/// What the bucket and the API hold for one restore.
struct World {
    dump: Vec<u8>,
    claim: RestoreClaim,
    behaviour: Behaviour,
    reports: Arc<Mutex<Vec<(RestoreState, RestoreReportPayload)>>>,
    sealed: Arc<AtomicBool>,
}

impl Api {
    pub(crate) async fn start(dump: &[u8], source: ManifestSource, mode: RestoreMode, behaviour: Behaviour) -> Self {
        let server = MockServer::start().await;
        let key = SigningKey::from_bytes(&[7; 32]);
        let document = sign(dump, source, &key);
        let manifest_hash = manifest::manifest_hash(&document).expect("canonical");
        let payload = TokenPayload {
            org_id: OrgId::from_uuid(Uuid::from_u128(2)),
            database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
            manifest_hash: manifest_hash.clone(),
            mode,
            job_intent_id: RestoreJobId::from_uuid(Uuid::from_u128(5)),
            exp: at(),
        };
        let restore = Restore {
            id: payload.job_intent_id,
            database_id: payload.database_id,
            backup_job_id: BackupJobId::from_uuid(Uuid::from_u128(1)),
            mode: mode.into(),
            target_redacted_dsn: "postgresql://h/d".to_owned(),
            created_database: None,
            state: RestoreState::Claimed.into(),
            manifest_hash: manifest_hash.clone(),
            created_at: at(),
            finished_at: None,
            error: None,
        };
        let mut bytes = dump.to_vec();
        if let Some(position) = behaviour.flipped_byte {
            bytes[position] ^= 1;
        }
        let reports = Arc::new(Mutex::new(Vec::new()));
        let claim = RestoreClaim {
            restore,
            manifest: document,
            public_key_pem: key.verifying_key().to_public_key_pem(LineEnding::default()).expect("encodes"),
            download: ArtifactUrl { url: format!("{}/artifact?signature=x", server.uri()), expires_at: at() },
            heartbeat_seconds: behaviour.heartbeat_seconds.max(1),
        };
        let sealed = Arc::new(AtomicBool::new(false));
        let (noted, seal) = (Arc::clone(&reports), Arc::clone(&sealed));
        let world = World { dump: bytes, claim, behaviour, reports: noted, sealed: seal };
        Mock::given(any()).respond_with(move |request: &Request| world.answer(request)).mount(&server).await;
        let token = SecretString::from(token::issue(&payload, &[1; 32]));
        Self { server, manifest_hash, token, reports, sealed }
    }

    pub(crate) fn session(&self) -> RestoreSessionClient {
        let retry = RetryPolicy { min_delay: Duration::from_millis(1), ..RetryPolicy::default() };
        let builder = WalwardenClient::builder().base_url(self.server.uri()).timeout(Duration::from_secs(5));
        builder.retries(retry).restore_session(self.token.clone()).expect("a session")
    }

    /// From now on every report is too late.
    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::SeqCst);
    }

    /// The states as they were reported, without heartbeats.
    pub(crate) fn states(&self) -> Vec<&'static str> {
        let reports = self.reports.lock().expect("not poisoned");
        let mut states: Vec<_> = reports.iter().map(|(state, _)| state.as_str()).collect();
        states.dedup();
        states
    }

    pub(crate) fn reports(&self) -> Vec<(RestoreState, RestoreReportPayload)> {
        self.reports.lock().expect("not poisoned").clone()
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.expect("recorded")
    }
}

impl World {
    fn answer(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        if path == "/artifact" {
            return self.range(request);
        }
        match path.rsplit('/').next() {
            Some("trigger") if self.behaviour.loses_trigger => {
                ResponseTemplate::new(502).set_body_string("Bad Gateway")
            }
            Some("trigger") => ResponseTemplate::new(200).set_body_json(&self.claim.restore),
            Some("claim") => ResponseTemplate::new(200).set_body_json(&self.claim),
            Some("artifact-url") => ResponseTemplate::new(200).set_body_json(&self.claim.download),
            Some("states") => self.report(request),
            _ => refusal(ErrorCode::NotFound),
        }
    }

    fn report(&self, request: &Request) -> ResponseTemplate {
        let report: RestoreReport = request.body_json().expect("a report");
        if self.sealed.load(Ordering::SeqCst) {
            return refusal(ErrorCode::RestoreTimedOut);
        }
        match self.behaviour.refuses {
            Some((state, code)) if state == report.state => refusal(code),
            _ => {
                self.reports.lock().expect("not poisoned").push((report.state, report.payload));
                ResponseTemplate::new(200).set_body_json(&self.claim.restore)
            }
        }
    }

    fn range(&self, request: &Request) -> ResponseTemplate {
        let header = request.headers.get("range").and_then(|value| value.to_str().ok()).expect("a range");
        let (start, last) = header.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("one range");
        let (start, last): (usize, usize) = (start.parse().expect("a number"), last.parse().expect("a number"));
        let range = format!("bytes {start}-{last}/{}", self.dump.len());
        ResponseTemplate::new(206).insert_header("content-range", range).set_body_bytes(&self.dump[start..=last])
    }
}

fn refusal(code: ErrorCode) -> ResponseTemplate {
    ResponseTemplate::new(code.http_status()).set_body_json(Problem::from(ErrorBody::new(code, "as it is")))
}

fn sign(dump: &[u8], source: ManifestSource, key: &SigningKey) -> Value {
    let checksum_sha256 = hex::encode(Sha256::digest(dump));
    let manifest = Manifest {
        schema: manifest::SCHEMA.to_owned(),
        backup_job_id: BackupJobId::from_uuid(Uuid::from_u128(1)),
        org_id: OrgId::from_uuid(Uuid::from_u128(2)),
        database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
        destination_id: DestinationId::from_uuid(Uuid::from_u128(4)),
        artifact: ManifestArtifact {
            key: "x.dump".to_owned(),
            size_bytes: dump.len() as u64,
            checksum_sha256: checksum_sha256.clone(),
            format: "custom".to_owned(),
            compression: "gzip:1".to_owned(),
            part_size_bytes: dump.len() as u64,
            part_checksums: vec![checksum_sha256],
        },
        source,
        started_at: at(),
        finished_at: at(),
        retention: ManifestRetention { mode: "none".to_owned(), retain_until: None },
        encryption: None,
        key_id: manifest::key_id(&key.verifying_key()),
    };
    let signed = manifest::sign(&manifest, key).expect("signs");
    serde_json::from_slice(&signed.bytes).expect("is JSON")
}
