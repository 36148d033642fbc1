//! Good and bad destinations of every provider.

use walwarden_contract::model::Encryption;
use walwarden_contract::{DestinationId, OrgId};

use super::*;
use crate::registry::destination::Connection;
use crate::store::destinations::Verification;
use crate::system::tests::manual;

fn destination(provider: Provider, region: Option<&str>, endpoint: Option<&str>) -> Result<Destination, RegistryError> {
    let (system, _) = manual();
    let mut destination = Destination {
        id: DestinationId::from_uuid(system.uuid()),
        org_id: OrgId::from_uuid(system.uuid()),
        name: "eu".to_owned(),
        provider: provider.as_str().to_owned(),
        endpoint: None,
        region: String::new(),
        bucket: "my-backups".to_owned(),
        addressing: String::new(),
        checksum_mode: String::new(),
        lock_mode: String::new(),
        retention_days: 0,
        trial: false,
        sealed_credentials: String::new(),
        role: None,
        encryption: String::new(),
        kms_key_id: None,
        verification: Verification::due(system.now()),
        created_at: system.now(),
        updated_at: system.now(),
    };
    let text = |text: Option<&str>| text.map(str::to_owned);
    let connection = Connection { endpoint: text(endpoint), region: text(region), ..Connection::default() };
    connection.with_defaults(provider)?.set(&mut destination);
    Ok(destination)
}

fn checked(provider: Provider, region: Option<&str>, endpoint: Option<&str>) -> Result<Destination, RegistryError> {
    let destination = destination(provider, region, endpoint)?;
    check(&destination, None).map(|()| destination)
}

fn refusal(result: Result<impl std::fmt::Debug, RegistryError>) -> (Field, String) {
    match result {
        Err(RegistryError::Invalid { field, problem }) => (field, problem),
        other => panic!("was not refused: {other:?}"),
    }
}

/// A provider, a region, an endpoint, and the endpoint that follows.
type Good = (Provider, Option<&'static str>, Option<&'static str>, Option<&'static str>);
/// A provider, a region, an endpoint, the field that is refused, and what is said.
type Bad = (Provider, Option<&'static str>, Option<&'static str>, Field, &'static str);

use Provider::{Aws, BackblazeB2, Gcs, Minio, S3Compatible, Wasabi};

#[test]
fn every_provider_has_its_own_row() {
    for provider in Provider::ALL {
        assert_eq!(rules(*provider).provider, *provider);
    }
    assert_eq!(ALL.len(), Provider::ALL.len());
}

#[test]
fn an_endpoint_of_the_region_is_taken_and_a_missing_one_follows_from_it() {
    let good: [Good; 22] = [
        (Aws, Some("eu-central-1"), None, None),
        (Aws, Some("us-gov-west-1"), None, None),
        (Aws, Some("eu-central-1"), Some("https://s3.eu-central-1.amazonaws.com"), None),
        (Aws, Some("eu-central-1"), Some("https://s3.dualstack.eu-central-1.amazonaws.com:443/"), None),
        (Aws, Some("us-east-1"), Some("https://s3.amazonaws.com"), None),
        (Aws, Some("us-east-1"), Some("https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com"), None),
        (Aws, Some("cn-north-1"), Some("https://s3.cn-north-1.amazonaws.com.cn"), None),
        (Aws, Some("eu-central-1"), Some("http://127.0.0.1:9000"), None),
        (Minio, None, Some("https://minio.example.com"), None),
        (Minio, Some("home"), Some("https://minio.example.com:9000"), None),
        (Gcs, None, None, Some("https://storage.googleapis.com")),
        (Gcs, Some("us-east1"), None, Some("https://storage.googleapis.com")),
        (Gcs, Some("eu"), Some("https://storage.googleapis.com"), None),
        (Wasabi, Some("ap-northeast-2"), None, Some("https://s3.ap-northeast-2.wasabisys.com")),
        (Wasabi, Some("eu-central-1"), Some("https://s3.eu-central-1.wasabisys.com"), None),
        (Wasabi, Some("eu-central-1"), Some("https://S3.EU-Central-1.wasabisys.com"), None),
        (Wasabi, Some("us-east-1"), Some("https://s3.wasabisys.com"), None),
        (BackblazeB2, Some("us-west-002"), None, Some("https://s3.us-west-002.backblazeb2.com")),
        (BackblazeB2, Some("eu-central-003"), Some("https://s3.eu-central-003.backblazeb2.com"), None),
        (S3Compatible, None, Some("https://s3.example.com"), None),
        (S3Compatible, Some("anywhere"), Some("http://[::1]:8333"), None),
        (S3Compatible, None, Some("https://amazonaws.com.example.com"), None),
    ];
    for (provider, region, endpoint, derived) in good {
        let made = checked(provider, region, endpoint);
        let made = made.unwrap_or_else(|error| panic!("{provider:?} {region:?} {endpoint:?}: {error}"));
        if derived.is_some() {
            assert_eq!(made.endpoint.as_deref(), derived);
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_with_what_to_change() {
    let bad: [Bad; 21] = [
        (Aws, None, None, Field::Region, "is required for aws"),
        (Aws, Some("us-west-002"), None, Field::Region, "look like eu-central-1"),
        (Aws, Some("us-east1"), None, Field::Region, "look like eu-central-1"),
        (Aws, Some("us-east-1"), Some("https://s3.eu-west-1.amazonaws.com"), Field::Endpoint, "region eu-west-1"),
        (Aws, Some("eu-west-1"), Some("https://s3.amazonaws.com"), Field::Endpoint, "region us-east-1"),
        (Aws, Some("eu-west-1"), Some("https://b.s3.eu-west-1.amazonaws.com"), Field::Endpoint, "without the bucket"),
        (Aws, Some("eu-west-1"), Some("https://s3.eu-west-1.wasabisys.com"), Field::Endpoint, "provider wasabi"),
        (Aws, Some("eu-west-1"), Some("https://s3.example.com"), Field::Endpoint, "provider s3_compatible"),
        (Minio, None, None, Field::Endpoint, "is required for minio"),
        (Minio, None, Some("http://minio.example.com"), Field::Endpoint, "https://"),
        (Minio, None, Some("https://s3.eu-west-1.amazonaws.com"), Field::Endpoint, "provider aws"),
        (Gcs, Some("us-east-1"), None, Field::Region, "look like us-east1"),
        (Gcs, None, Some("https://storage.example.com"), Field::Endpoint, "https://storage.googleapis.com"),
        (Wasabi, None, None, Field::Region, "is required for wasabi"),
        (Wasabi, Some("us-east-1"), Some("https://s3.eu-central-1.wasabisys.com"), Field::Endpoint, "eu-central-1"),
        (Wasabi, Some("eu-central-003"), None, Field::Region, "look like eu-central-1"),
        (BackblazeB2, Some("us-west-2"), None, Field::Region, "look like us-west-002"),
        (
            BackblazeB2,
            Some("us-west-001"),
            Some("https://s3.us-west-002.backblazeb2.com"),
            Field::Endpoint,
            "us-west-002",
        ),
        (S3Compatible, None, None, Field::Endpoint, "is required for s3_compatible"),
        (S3Compatible, None, Some("https://s3.us-west-002.backblazeb2.com"), Field::Endpoint, "provider backblaze_b2"),
        (S3Compatible, None, Some("https://storage.googleapis.com"), Field::Endpoint, "provider gcs"),
    ];
    for (provider, region, endpoint, field, says) in bad {
        let (found, problem) = refusal(checked(provider, region, endpoint));
        assert!(found == field && problem.contains(says), "{provider:?} {region:?} {endpoint:?}: {found:?} {problem}");
    }
}

/// Regions and an endpoint with which each provider is content.
fn content(provider: Provider) -> Destination {
    let region = match provider {
        Aws | Wasabi => Some("eu-central-1"),
        BackblazeB2 => Some("us-west-002"),
        Gcs | Minio | S3Compatible => None,
    };
    let endpoint = matches!(provider, Minio | S3Compatible).then_some("https://s3.example.com");
    checked(provider, region, endpoint).expect("fits")
}

#[test]
fn each_provider_has_the_locks_and_checksums_that_it_keeps() {
    for provider in Provider::ALL.iter().copied() {
        for mode in LockMode::ALL.iter().copied() {
            let kept = match (provider, mode) {
                (_, LockMode::None) => true,
                (Gcs, _) => false,
                (BackblazeB2, mode) => mode == LockMode::Compliance,
                (_, mode) => mode == LockMode::Governance,
            };
            let locked = Destination { lock_mode: mode.as_str().to_owned(), ..content(provider) };
            assert_eq!(check(&locked, None).is_ok(), kept, "{provider:?} {mode:?}");
        }
        let summed = Destination { checksum_mode: "crc32".to_owned(), ..content(provider) };
        assert_eq!(check(&summed, None).is_ok(), provider != Gcs, "{provider:?}");
        for (days, fits) in [(0, false), (1, true), (365, true), (366, false)] {
            let kept = Destination { retention_days: days, ..content(provider) };
            assert_eq!(check(&kept, None).is_ok(), fits, "{provider:?} {days}");
        }
    }
}

#[test]
fn each_provider_is_asked_only_for_the_encryption_that_it_has() {
    const KEY: &str = "arn:aws:kms:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
    for provider in Provider::ALL.iter().copied() {
        for method in Encryption::ALL.iter().copied() {
            let has = match (provider, method) {
                (_, Encryption::None) | (Aws | S3Compatible, _) => true,
                (Gcs, _) => false,
                (_, method) => method == Encryption::SseS3,
            };
            let kms_key_id = (method == Encryption::SseKms).then(|| KEY.to_owned());
            let encrypted = Destination { encryption: method.as_str().to_owned(), kms_key_id, ..content(provider) };
            match check(&encrypted, None) {
                Ok(()) => assert!(has, "{provider:?} {method:?}"),
                refused => {
                    let (field, problem) = refusal(refused);
                    assert!(!has && field == Field::Encryption && problem.contains("none"), "{provider:?} {problem}");
                }
            }
        }
    }
}

#[test]
fn a_key_and_the_method_that_takes_one_come_together() {
    let encrypted = |method: Encryption, key: Option<&str>| {
        let kms_key_id = key.map(str::to_owned);
        refusal(check(&Destination { encryption: method.as_str().to_owned(), kms_key_id, ..content(Aws) }, None))
    };
    assert_eq!(encrypted(Encryption::SseKms, None).0, Field::KmsKeyId);
    assert_eq!(encrypted(Encryption::SseS3, Some("key")).0, Field::KmsKeyId);
    assert_eq!(encrypted(Encryption::None, Some("key")).0, Field::KmsKeyId);
    assert_eq!(encrypted(Encryption::SseKms, Some("no key")).0, Field::KmsKeyId);
}

#[test]
fn another_method_takes_the_key_of_before_away() {
    let before = Destination {
        encryption: "sse_kms".to_owned(),
        kms_key_id: Some("my-key".to_owned()),
        ..content(S3Compatible)
    };
    let to = |encryption, kms_key_id: Option<&str>| {
        let mut changed = before.clone();
        let kms_key_id = kms_key_id.map(str::to_owned);
        Connection { encryption, kms_key_id, ..Connection::default() }.following(&before).set(&mut changed);
        (changed.encryption, changed.kms_key_id)
    };
    assert_eq!(to(Some(Encryption::SseS3), None), ("sse_s3".to_owned(), None));
    assert_eq!(to(None, Some("other")), ("sse_kms".to_owned(), Some("other".to_owned())));
    assert_eq!(to(Some(Encryption::SseKms), None), ("sse_kms".to_owned(), Some("my-key".to_owned())));
}

#[test]
fn a_bucket_has_a_name_that_its_provider_gives() {
    for (provider, bucket, fits) in [
        (Aws, "my.backups-1", true),
        (Aws, "my_backups", false),
        (Aws, "-backups", false),
        (Aws, "192.168.0.1", false),
        (Gcs, "my_backups", true),
        (BackblazeB2, "short", false),
        (BackblazeB2, "my.backups", false),
        (Minio, "a..b", false),
        (S3Compatible, "my_backups", true),
    ] {
        let named = Destination { bucket: bucket.to_owned(), ..content(provider) };
        assert_eq!(check(&named, None).is_ok(), fits, "{provider:?} {bucket}");
    }
}

#[test]
fn a_destination_from_before_these_rules_can_be_changed_where_it_does_not_break_them_anew() {
    let before =
        Destination { endpoint: Some("https://s3.us-west-002.backblazeb2.com".to_owned()), ..content(S3Compatible) };
    let longer = Destination { retention_days: 90, ..before.clone() };
    assert!(check(&longer, None).is_err() && check(&longer, Some(&before)).is_ok());
    let moved = Destination { region: "us-west-001".to_owned(), ..before.clone() };
    assert_eq!(refusal(check(&moved, Some(&before))).0, Field::Endpoint);
}

#[test]
fn an_endpoint_that_followed_from_the_region_follows_it_to_the_next() {
    let before = content(Wasabi);
    let to = |region: &str| Connection { region: Some(region.to_owned()), ..Connection::default() };
    let mut moved = before.clone();
    to("us-west-1").following(&before).set(&mut moved);
    assert_eq!(moved.endpoint.as_deref(), Some("https://s3.us-west-1.wasabisys.com"));
    let aliased = Destination { endpoint: Some("https://s3.wasabisys.com".to_owned()), ..before };
    let mut moved = aliased.clone();
    to("us-west-1").following(&aliased).set(&mut moved);
    assert_eq!(moved.endpoint, aliased.endpoint);
}

#[test]
fn plain_http_is_for_the_loopback_interface_only() {
    for endpoint in ["https://s3.example.com", "http://127.0.0.1:8333", "http://[::1]:9000", "http://localhost:9000/"] {
        assert!(check_endpoint(endpoint).is_ok(), "{endpoint}");
    }
    for endpoint in [
        "http://s3.example.com",
        "http://10.0.0.1:9000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://user:secret@s3.example.com",
        "https://s3.example.com/path",
        "https://s3.example.com?x=1",
        "s3.example.com",
        "ftp://s3.example.com",
        "",
    ] {
        assert!(check_endpoint(endpoint).is_err(), "{endpoint} was accepted");
    }
}
