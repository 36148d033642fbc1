//! The documents of each provider, as its users read them.

use walwarden_contract::model::{Encryption, LockMode};
use walwarden_contract::{DestinationId, OrgId};

use super::super::{remedies, report, tls};
use super::*;
use crate::engine::storage::{KeyProblem, StorageError, StorageErrorKind};
use crate::store::destinations::Role;

fn target(provider: Provider, lock_mode: LockMode) -> Target {
    Target {
        id: DestinationId::from_uuid(uuid::Uuid::from_u128(1)),
        org_id: OrgId::from_uuid(uuid::Uuid::from_u128(2)),
        provider,
        endpoint: None,
        region: "eu-central-1".to_owned(),
        bucket: "my-backups".to_owned(),
        role: None,
        lock_mode,
        retention_days: 30,
        encryption: Encryption::None,
        kms_key_id: None,
        expires: false,
    }
}

fn shown(documents: &Documents) -> String {
    let json = |document: &Option<Value>| document.as_ref().map_or("-".to_owned(), |it| format!("{it:#}"));
    format!(
        "IAM\n{}\n\nTRUST\n{}\n\nBUCKET\n{}\n\nLIFECYCLE\n{}\n\nTERRAFORM\n{}\n\nCOMMANDS\n{}\n",
        json(&documents.iam_policy),
        json(&documents.trust_policy),
        json(&documents.bucket_policy),
        json(&documents.lifecycle),
        documents.terraform.as_deref().unwrap_or("-"),
        documents.commands.join("\n"),
    )
}

#[test]
fn documents_for_amazon_with_a_lock() {
    insta::assert_snapshot!(shown(&documents(&target(Provider::Aws, LockMode::Governance), None)));
}

#[test]
fn documents_for_amazon_with_a_role_and_without_a_lock() {
    let trusted = TrustedPrincipal {
        arn: "arn:aws:iam::123456789012:role/walwarden".to_owned(),
        external_id: "wal-0f1e2d3c4b5a69788796a5b4".to_owned(),
    };
    insta::assert_snapshot!(shown(&documents(&target(Provider::Aws, LockMode::None), Some(&trusted))));
}

#[test]
fn documents_where_old_backups_are_deleted() {
    let policies = |provider| {
        let documents = documents(&target(provider, LockMode::None).expiring(true), None);
        (documents.iam_policy, documents.permissions, documents.commands)
    };
    let (policy, permissions, _) = policies(Provider::Aws);
    let policy = policy.expect("a policy");
    let statement = &policy["Statement"].as_array().expect("statements").last().expect("one")["Resource"];
    assert!(statement.as_str().is_some_and(|resource| resource.ends_with("/db/*")), "{policy}");
    assert_eq!(permissions.iter().filter(|it| it.proven_by.is_empty()).count(), 3);
    let (_, _, commands) = policies(Provider::Gcs);
    assert!(commands.iter().any(|command| command.ends_with("--role=roles/storage.objectUser")), "{commands:?}");
    let kept = documents(&target(Provider::Aws, LockMode::None), None).iam_policy.expect("a policy");
    assert!(!kept.to_string().contains("/db/*"), "{kept}");
}

const KEY: &str = "arn:aws:kms:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

fn with_key(key: &str) -> Target {
    let (encryption, kms_key_id) = (Encryption::SseKms, Some(key.to_owned()));
    Target { encryption, kms_key_id, ..target(Provider::Aws, LockMode::Governance) }
}

#[test]
fn documents_for_amazon_with_a_key_of_the_owners() {
    insta::assert_snapshot!(shown(&documents(&with_key(KEY), None)));
}

/// No policy can name an alias as its resource.
#[test]
fn documents_name_the_key_behind_an_alias_by_the_alias_it_carries() {
    let documents = documents(&with_key("arn:aws:kms:eu-central-1:210987654321:alias/walwarden"), None);
    let policy = documents.iam_policy.expect("a policy").to_string();
    assert!(policy.contains(r#""Resource":"arn:aws:kms:eu-central-1:210987654321:key/*""#), "{policy}");
    assert!(policy.contains(r#""kms:ResourceAliases":"alias/walwarden""#), "{policy}");
    assert!(!documents.bucket_policy.expect("a policy").to_string().contains("kms"));
    let terraform = documents.terraform.expect("Terraform");
    assert!(
        terraform.contains("enable_key_rotation = true") && terraform.contains(r#"= "alias/walwarden""#),
        "{terraform}"
    );
    assert!(terraform.contains("kms_master_key_id = aws_kms_key.walwarden.arn"), "{terraform}");
}

#[test]
fn documents_name_a_key_by_its_id_in_the_account_of_the_role() {
    let id = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
    let role = Role { arn: "arn:aws-cn:iam::210987654321:role/w".to_owned(), external_id: "wal-0011".to_owned() };
    let target = Target { role: Some(role), region: "cn-north-1".to_owned(), ..with_key(id) };
    let policy = documents(&target, None).iam_policy.expect("a policy").to_string();
    assert!(policy.contains(&format!("arn:aws-cn:kms:cn-north-1:210987654321:key/{id}")), "{policy}");
    assert!(policy.contains("s3.cn-north-1.amazonaws.com.cn"), "{policy}");
    let unknown = documents(&with_key(id), None).iam_policy.expect("a policy").to_string();
    assert!(unknown.contains(&format!("arn:aws:kms:eu-central-1:<account>:key/{id}")), "{unknown}");
}

#[test]
fn keys_stand_in_no_document_where_the_provider_has_no_such_policies() {
    let target = Target { provider: Provider::S3Compatible, ..with_key("my-key") };
    assert!(!shown(&documents(&target, None)).contains("kms:"));
}

#[test]
fn documents_for_minio() {
    insta::assert_snapshot!(shown(&documents(&target(Provider::Minio, LockMode::Governance), None)));
}

#[test]
fn documents_for_google() {
    insta::assert_snapshot!(shown(&documents(&target(Provider::Gcs, LockMode::None), None)));
}

#[test]
fn documents_for_backblaze() {
    insta::assert_snapshot!(shown(&documents(&target(Provider::BackblazeB2, LockMode::Compliance), None)));
}

#[test]
fn the_bucket_policy_that_is_printed_is_the_one_that_preflight_wants() {
    for region in ["eu-central-1", "cn-north-1", "us-gov-west-1"] {
        let target = Target { region: region.to_owned(), ..target(Provider::Aws, LockMode::Governance) };
        let printed = documents(&target, None).bucket_policy.expect("a policy").to_string();
        assert!(tls::is_required(&printed, &target.arn()), "{printed}");
    }
}

/// Those that an access key has: a role's own check is about its trust policy.
fn checks_of_a_bucket() -> impl Iterator<Item = PreflightCheckId> {
    report::ALL.into_iter().filter(|check| *check != PreflightCheckId::AssumeRole)
}

#[test]
fn a_role_that_is_refused_is_told_the_statement_with_its_own_external_id() {
    let role = Role { arn: "arn:aws:iam::210987654321:role/w".to_owned(), external_id: "wal-0011".to_owned() };
    let target = Target { role: Some(role), ..target(Provider::Aws, LockMode::Governance) };
    for kind in [StorageErrorKind::AccessDenied, StorageErrorKind::Unsupported] {
        let remedy =
            remedies::remedy(PreflightCheckId::AssumeRole, &StorageError { kind, message: String::new() }, &target);
        assert!(remedy.contains("role/w") && remedy.contains(r#""sts:ExternalId":"wal-0011""#), "{remedy}");
    }
}

/// Every statement that a remedy asks for is a part of the printed policy.
#[test]
fn a_remedy_asks_for_nothing_that_the_printed_policy_does_not_grant() {
    for target in [target(Provider::Aws, LockMode::Governance), with_key(KEY)] {
        let printed = documents(&target, None).iam_policy.expect("a policy").to_string();
        for kind in [StorageErrorKind::AccessDenied, StorageErrorKind::Key(KeyProblem::Denied)] {
            let of_key = matches!(kind, StorageErrorKind::Key(_));
            if of_key && target.encryption == Encryption::None {
                continue;
            }
            for check in checks_of_a_bucket() {
                if target.encryption != Encryption::None && check == PreflightCheckId::DefaultEncryption {
                    continue;
                }
                let denied = StorageError { kind, message: String::new() };
                let remedy = remedies::remedy(check, &denied, &target);
                let permission = |word: &&str| word.starts_with("s3:") || word.starts_with("kms:");
                let asked: Vec<_> = remedy.split('"').filter(permission).collect();
                assert!(!asked.is_empty(), "{check:?}: {remedy}");
                let granted = |action: &&str| printed.contains(&format!("\"{action}\""));
                assert!(asked.iter().all(granted), "{check:?}: {remedy}");
            }
        }
    }
}

#[test]
fn remedies_name_the_command_or_the_line() {
    let told = |provider, lock_mode, check, kind| {
        let error = StorageError { kind, message: String::new() };
        let remedy = remedies::remedy(check, &error, &target(provider, lock_mode));
        format!("{} {check:?} {kind:?}\n  {remedy}\n", provider.as_str())
    };
    let (denied, wrong) = (StorageErrorKind::AccessDenied, StorageErrorKind::Unsupported);
    let mut lines = Vec::new();
    for check in checks_of_a_bucket() {
        lines.push(told(Provider::Aws, LockMode::Governance, check, denied));
        lines.push(told(Provider::Aws, LockMode::Governance, check, wrong));
    }
    for check in [PreflightCheckId::Bucket, PreflightCheckId::PutObject, PreflightCheckId::MultipartUpload] {
        lines.push(told(Provider::Gcs, LockMode::None, check, denied));
        lines.push(told(Provider::BackblazeB2, LockMode::Compliance, check, denied));
    }
    for provider in [Provider::Minio, Provider::Wasabi] {
        lines.push(told(provider, LockMode::Governance, PreflightCheckId::ObjectLock, StorageErrorKind::LockRefused));
    }
    insta::assert_snapshot!(lines.concat());
}
