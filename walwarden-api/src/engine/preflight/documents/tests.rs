//! The documents of each provider, as its users read them.

use walwarden_contract::model::LockMode;
use walwarden_contract::{DestinationId, OrgId};

use super::super::{remedies, report, tls};
use super::*;
use crate::engine::storage::{StorageError, StorageErrorKind};
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
    assert_eq!(permissions.iter().filter(|it| it.proven_by.is_empty()).count(), 2);
    let (_, _, commands) = policies(Provider::Gcs);
    assert!(commands.iter().any(|command| command.ends_with("--role=roles/storage.objectUser")), "{commands:?}");
    let kept = documents(&target(Provider::Aws, LockMode::None), None).iam_policy.expect("a policy");
    assert!(!kept.to_string().contains("/db/*"), "{kept}");
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
    let target = target(Provider::Aws, LockMode::Governance);
    let printed = documents(&target, None).iam_policy.expect("a policy").to_string();
    let denied = StorageError { kind: StorageErrorKind::AccessDenied, message: String::new() };
    for check in checks_of_a_bucket() {
        let remedy = remedies::remedy(check, &denied, &target);
        let asked: Vec<_> = remedy.split('"').filter(|word| word.starts_with("s3:")).collect();
        assert!(!asked.is_empty(), "{check:?}: {remedy}");
        assert!(asked.iter().all(|action| printed.contains(&format!("\"{action}\""))), "{check:?}: {remedy}");
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
