use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePublicKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use serde_json::Value;
use uuid::Uuid;
use walwarden_contract::manifest::{ManifestArtifact, ManifestEncryption, ManifestRetention, ManifestSource};
use walwarden_contract::model::{ArtifactUrl, Restore, RestoreMode, RestoreState};
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, OrgId, RestoreJobId, Timestamp};

use super::*;

struct World {
    key: SigningKey,
    manifest: Manifest,
    token: TokenPayload,
    pinned: Option<String>,
    /// Changes the signed document behind the signature's back.
    tamper: fn(&mut Value),
    /// Changes the claim around it.
    claim: fn(&mut RestoreClaim),
}

fn pem(key: &SigningKey) -> String {
    key.verifying_key().to_public_key_pem(LineEnding::default()).expect("encodes")
}

impl World {
    fn new() -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let at = Timestamp::from_millis(1_769_824_800_000).expect("in range");
        let manifest = Manifest {
            schema: manifest::SCHEMA.to_owned(),
            backup_job_id: BackupJobId::from_uuid(Uuid::from_u128(1)),
            org_id: OrgId::from_uuid(Uuid::from_u128(2)),
            database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
            destination_id: DestinationId::from_uuid(Uuid::from_u128(4)),
            artifact: ManifestArtifact {
                key: "x.dump".to_owned(),
                size_bytes: 3,
                checksum_sha256: "aa".repeat(32),
                format: "custom".to_owned(),
                compression: "gzip:1".to_owned(),
                part_size_bytes: 3,
                part_checksums: vec!["aa".repeat(32)],
            },
            source: ManifestSource {
                database_name: "app".to_owned(),
                postgres_version: "15.18".to_owned(),
                pg_dump_version: "15.18 (Debian 15.18-0)".to_owned(),
            },
            started_at: at,
            finished_at: at,
            retention: ManifestRetention { mode: "none".to_owned(), retain_until: None },
            encryption: None,
            key_id: manifest::key_id(&key.verifying_key()),
        };
        let token = TokenPayload {
            org_id: manifest.org_id,
            database_id: manifest.database_id,
            manifest_hash: String::new(),
            mode: RestoreMode::NewDatabase,
            job_intent_id: RestoreJobId::from_uuid(Uuid::from_u128(5)),
            exp: at,
        };
        Self { key, manifest, token, pinned: None, tamper: |_| {}, claim: |_| {} }
    }

    fn verify(&self) -> Result<Manifest, ErrorCode> {
        let signed = manifest::sign(&self.manifest, &self.key).expect("signs");
        let mut document: Value = serde_json::from_slice(&signed.bytes).expect("is JSON");
        (self.tamper)(&mut document);
        let at = self.token.exp;
        let restore = Restore {
            id: self.token.job_intent_id,
            database_id: DatabaseId::from_uuid(Uuid::from_u128(3)),
            backup_job_id: BackupJobId::from_uuid(Uuid::from_u128(1)),
            mode: RestoreMode::NewDatabase.into(),
            target_redacted_dsn: "postgresql://h/d".to_owned(),
            created_database: None,
            state: RestoreState::Claimed.into(),
            manifest_hash: signed.hash.clone(),
            created_at: at,
            finished_at: None,
            error: None,
        };
        let download = ArtifactUrl { url: "http://127.0.0.1/".to_owned(), expires_at: at };
        let public_key_pem = pem(&self.key);
        let mut claim = RestoreClaim { restore, manifest: document, public_key_pem, download, heartbeat_seconds: 60 };
        (self.claim)(&mut claim);
        super::manifest(&claim, &self.token, &signed.hash, self.pinned.as_deref())
            .map_err(|error| error.code().known().expect("a known code"))
    }
}

fn encrypted(method: &str) -> ManifestEncryption {
    ManifestEncryption { method: method.to_owned(), algorithm: "AES256".to_owned(), kms_key_id: None }
}

#[test]
fn an_artifact_that_the_bucket_encrypts_is_read_as_any_other() {
    for method in ["sse_s3", "sse_kms"] {
        let mut world = World::new();
        world.manifest.encryption = Some(encrypted(method));
        assert_eq!(world.verify(), Ok(world.manifest.clone()), "{method}");
    }
}

#[test]
fn a_manifest_that_everyone_means_is_accepted() {
    let mut world = World::new();
    assert_eq!(world.verify(), Ok(world.manifest.clone()));
    world.pinned = Some(format!("\n{}\n", pem(&world.key)));
    assert_eq!(world.verify(), Ok(world.manifest.clone()));
}

#[test]
fn a_manifest_signed_by_anyone_else_is_refused() {
    let mut world = World::new();
    world.pinned = Some(pem(&SigningKey::from_bytes(&[8; 32])));
    assert_eq!(world.verify(), Err(ErrorCode::ManifestSignatureInvalid));
    world.pinned = Some("no key".to_owned());
    assert_eq!(world.verify(), Err(ErrorCode::ConfigInvalid));
    let mut world = World::new();
    world.tamper = |document| document["artifact"]["sizeBytes"] = 4.into();
    assert_eq!(world.verify(), Err(ErrorCode::ManifestSignatureInvalid));
    world.tamper = |document| drop(document.as_object_mut().and_then(|object| object.remove("signature")));
    assert_eq!(world.verify(), Err(ErrorCode::ManifestSignatureInvalid));
    world.tamper = |document| *document = Value::Null;
    assert_eq!(world.verify(), Err(ErrorCode::ManifestSignatureInvalid));
    let mut world = World::new();
    world.claim = |claim| claim.public_key_pem = "no key".to_owned();
    assert_eq!(world.verify(), Err(ErrorCode::UnexpectedResponse));
}

#[test]
fn a_genuine_manifest_of_another_backup_is_refused() {
    let changes: &[fn(&mut World)] = &[
        |world| world.manifest.backup_job_id = BackupJobId::from_uuid(Uuid::from_u128(9)),
        |world| world.manifest.database_id = DatabaseId::from_uuid(Uuid::from_u128(9)),
        |world| world.manifest.org_id = OrgId::from_uuid(Uuid::from_u128(9)),
        |world| world.manifest.artifact.format = "directory".to_owned(),
        |world| world.manifest.artifact.size_bytes = 0,
        |world| world.manifest.encryption = Some(encrypted("client_age")),
        |world| world.manifest.key_id = "wk_0000000000000000".to_owned(),
        |world| world.manifest.schema = "walwarden.manifest.v2".to_owned(),
        |world| world.manifest.source.database_name = String::new(),
        |world| world.token.mode = RestoreMode::InPlace,
        |world| world.token.database_id = DatabaseId::from_uuid(Uuid::from_u128(9)),
        |world| world.claim = |claim| claim.restore.manifest_hash = "00".repeat(32),
        |world| world.claim = |claim| claim.restore.id = RestoreJobId::from_uuid(Uuid::from_u128(9)),
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut world = World::new();
        change(&mut world);
        assert_eq!(world.verify(), Err(ErrorCode::ManifestInvalid), "change {index}");
    }
}

fn downloaded(archive: Result<ArchiveSummary, ArchiveError>, size_bytes: u64, checksum: &str) -> Downloaded {
    let file = tempfile::tempfile().expect("temporary file");
    Downloaded { file, size_bytes, checksum_sha256: checksum.to_owned(), archive }
}

#[test]
fn only_the_bytes_that_the_manifest_commits_to_pass() {
    let manifest = World::new().manifest;
    let newer = || Err(ArchiveError::UnsupportedVersion { major: 1, minor: 99 });
    let (right, wrong) = ("aa".repeat(32), "ab".repeat(32));
    let code =
        |downloaded| artifact(&downloaded, &manifest).map_err(|error| error.code().known().expect("a known code"));
    assert_eq!(code(downloaded(newer(), 3, &right)), Ok(None));
    assert_eq!(code(downloaded(newer(), 4, &right)), Err(ErrorCode::ArtifactChecksumMismatch));
    assert_eq!(code(downloaded(newer(), 3, &wrong)), Err(ErrorCode::ArtifactChecksumMismatch));
    let broken = || Err(ArchiveError::NotAnArchive);
    assert_eq!(code(downloaded(broken(), 3, &right)), Err(ErrorCode::ArchiveIncomplete));
    assert_eq!(code(downloaded(broken(), 3, &wrong)), Err(ErrorCode::ArtifactChecksumMismatch));
}

#[test]
fn an_older_pg_restore_is_refused() {
    let manifest = World::new().manifest;
    let version = |line: &str| ToolVersion::parse(line).expect("a version");
    let check = |line: &str| {
        tool_version(&version(line), &manifest).map_err(|error| error.code().known().expect("a known code"))
    };
    assert_eq!(check("pg_restore (PostgreSQL) 15.1"), Ok(()));
    assert_eq!(check("pg_restore (PostgreSQL) 17.6"), Ok(()));
    assert_eq!(check("pg_restore (PostgreSQL) 14.20"), Err(ErrorCode::ToolVersionUnsupported));
}
