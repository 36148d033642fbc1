//! One table: every permission that a destination's access key needs, and the check that proves it. Preflight's remedies and the
//! printed policies are both made of it.

use serde_json::{Value, json};
use walwarden_contract::model::{Encryption, PreflightCheckId as Check, Provider};

use super::kms;
use super::target::Target;

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// The bucket itself.
    Bucket,
    /// Everything that is written.
    Objects,
    /// Probes alone: nothing that this key can delete is a backup, unless a database is to have its old backups deleted.
    Probes,
    /// Backups.
    Backups,
    /// The key of the owner's that the bucket encrypts with.
    Key,
}

/// One permission.
pub(super) struct Permission {
    /// The action in a policy, as Amazon and those who follow it name it.
    pub(super) action: &'static str,
    /// The capabilities of a Backblaze application key.
    capability: Option<&'static str>,
    /// The role of a Google service account.
    role: Option<&'static str>,
    pub(super) on: On,
    /// Whether it is needed for locks alone.
    locks: bool,
    /// Whether it is needed for the deletion of old backups alone.
    expires: bool,
    /// The checks that would fail without it. Deleting a backup is proven by no check: it would take a backup to try.
    pub(super) proven_by: &'static [Check],
}

const fn always(action: &'static str, on: On, proven_by: &'static [Check]) -> Permission {
    Permission { action, capability: None, role: None, on, locks: false, expires: false, proven_by }
}

const fn for_locks(action: &'static str, on: On, proven_by: &'static [Check]) -> Permission {
    Permission { locks: true, ..always(action, on, proven_by) }
}

/// Of the key management, and by way of the bucket alone.
const fn for_a_key(action: &'static str, proven_by: &'static [Check]) -> Permission {
    always(action, On::Key, proven_by)
}

const fn for_expiry(action: &'static str) -> Permission {
    Permission { expires: true, ..always(action, On::Backups, &[]) }
}

impl Permission {
    const fn backblaze(self, capability: &'static str) -> Self {
        Self { capability: Some(capability), ..self }
    }

    const fn google(self, role: &'static str) -> Self {
        Self { role: Some(role), ..self }
    }
}

const READS_BUCKET: &str = "roles/storage.legacyBucketReader";
const CREATES: &str = "roles/storage.objectCreator";
const DELETES: &str = "roles/storage.objectUser";
const VIEWS: &str = "roles/storage.objectViewer";

/// Every permission. Without `ListBucket`, an object that is not there is refused instead of missed.
pub(super) const TABLE: [Permission; 19] = [
    always("s3:ListBucket", On::Bucket, &[Check::Bucket]).backblaze("listBuckets,listFiles").google(READS_BUCKET),
    always("s3:PutObject", On::Objects, &[Check::PutObject, Check::MultipartUpload])
        .backblaze("writeFiles")
        .google(CREATES),
    always("s3:GetObject", On::Objects, &[Check::GetObject, Check::HeadObject]).backblaze("readFiles").google(VIEWS),
    for_locks("s3:GetBucketObjectLockConfiguration", On::Bucket, &[Check::ObjectLockConfiguration])
        .backblaze("readBucketRetentions"),
    for_locks("s3:PutObjectRetention", On::Objects, &[Check::ObjectLock, Check::MultipartUpload])
        .backblaze("writeFileRetentions"),
    for_locks("s3:GetObjectRetention", On::Objects, &[Check::ObjectLock]).backblaze("readFileRetentions"),
    for_locks("s3:GetBucketVersioning", On::Bucket, &[Check::Versioning]).backblaze("listBuckets"),
    always("s3:GetBucketPublicAccessBlock", On::Bucket, &[Check::PublicAccessBlock]),
    always("s3:GetBucketPolicy", On::Bucket, &[Check::TlsOnly]),
    always("s3:GetEncryptionConfiguration", On::Bucket, &[Check::DefaultEncryption]).backblaze("readBucketEncryption"),
    always("s3:ListBucketMultipartUploads", On::Bucket, &[Check::MultipartUpload])
        .backblaze("listFiles")
        .google(READS_BUCKET),
    always("s3:AbortMultipartUpload", On::Objects, &[Check::MultipartUpload]).backblaze("writeFiles").google(CREATES),
    always("s3:DeleteObject", On::Probes, &[Check::Cleanup]).backblaze("deleteFiles"),
    always("s3:DeleteObjectVersion", On::Probes, &[Check::Cleanup]).backblaze("deleteFiles"),
    // A version is asked for by name where something stands in front of it.
    for_expiry("s3:GetObjectVersion").backblaze("readFiles").google(VIEWS),
    for_expiry("s3:DeleteObject").backblaze("deleteFiles").google(DELETES),
    for_expiry("s3:DeleteObjectVersion").backblaze("deleteFiles").google(DELETES),
    for_a_key("kms:GenerateDataKey", &[Check::PutObject, Check::MultipartUpload]),
    // The parts of an upload are put together by it too.
    for_a_key("kms:Decrypt", &[Check::GetObject]),
];

impl Permission {
    /// Whether a destination needs it: what no check of its provider asks for is not asked for either.
    fn needed(&self, target: &Target) -> bool {
        let asked = match self.action {
            "s3:GetBucketPublicAccessBlock" | "s3:GetBucketPolicy" => target.provider == Provider::Aws,
            // Where encryption is asked for, what counts is what the bucket tells of the probe.
            "s3:GetEncryptionConfiguration" => target.encryption == Encryption::None,
            _ if self.on == On::Key => target.provider == Provider::Aws && target.encryption == Encryption::SseKms,
            _ => true,
        };
        asked && (target.locks() || !self.locks) && (target.expires || !self.expires)
    }

    /// What the provider calls it; `None` where it has no such permission.
    pub(super) const fn name(&self, target: &Target) -> Option<&'static str> {
        match target.provider {
            Provider::Gcs => self.role,
            Provider::BackblazeB2 => self.capability,
            Provider::Aws | Provider::Minio | Provider::Wasabi | Provider::S3Compatible => Some(self.action),
        }
    }
}

/// The permissions that a destination needs.
pub(super) fn needed(target: &Target) -> impl Iterator<Item = &'static Permission> {
    TABLE.iter().filter(|permission| permission.needed(target))
}

/// The statement about the key, where there is one.
pub(super) fn of_the_key(target: &Target) -> Option<Value> {
    statements(needed(target).filter(|permission| permission.on == On::Key), target).pop()
}

/// Those of a check.
fn of(check: Check, target: &Target) -> impl Iterator<Item = &'static Permission> {
    needed(target).filter(move |permission| permission.proven_by.contains(&check))
}

fn resource(on: On, target: &Target) -> String {
    match on {
        On::Bucket => target.arn(),
        On::Objects => format!("{}/org/{}/*", target.arn(), target.org_id),
        On::Probes => format!("{}/org/{}/preflight/*", target.arn(), target.org_id),
        On::Backups => format!("{}/org/{}/db/*", target.arn(), target.org_id),
        On::Key => kms::resource(target),
    }
}

/// A statement that allows some permissions, all on the same.
fn statement(on: On, actions: &[&str], target: &Target) -> Value {
    let sid = match on {
        On::Bucket => "WalwardenBucket",
        On::Objects => "WalwardenObjects",
        On::Probes => "WalwardenProbes",
        On::Backups => "WalwardenRetention",
        On::Key => "WalwardenKey",
    };
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource(on, target) });
    if on == On::Key {
        statement["Condition"] = kms::condition(target);
    }
    statement
}

/// A statement for each kind of resource.
pub(super) fn statements<'a>(permissions: impl Iterator<Item = &'a Permission>, target: &Target) -> Vec<Value> {
    let permissions: Vec<_> = permissions.collect();
    let on = |on| permissions.iter().filter(move |permission| permission.on == on).map(|permission| permission.action);
    [On::Bucket, On::Objects, On::Probes, On::Backups, On::Key]
        .into_iter()
        .filter_map(|kind| {
            let actions: Vec<_> = on(kind).collect();
            (!actions.is_empty()).then(|| statement(kind, &actions, target))
        })
        .collect()
}

fn each_once(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The capabilities that a Backblaze application key needs.
pub(super) fn capabilities<'a>(permissions: impl Iterator<Item = &'a Permission>) -> Vec<&'static str> {
    each_once(permissions.filter_map(|permission| permission.capability).flat_map(|names| names.split(',')))
}

/// The roles that a Google service account needs. None of them deletes, but the one for the deletion of old backups.
pub(super) fn roles<'a>(permissions: impl Iterator<Item = &'a Permission>) -> Vec<&'static str> {
    each_once(permissions.filter_map(|permission| permission.role))
}

/// What lets a check pass whose permission is missing; `None` where the provider has no permission for it.
pub(super) fn remedy(check: Check, target: &Target) -> Option<String> {
    let (what, all) = match target.provider {
        Provider::Gcs => {
            let bind = |role| {
                let bucket = &target.bucket;
                format!(
                    "`gcloud storage buckets add-iam-policy-binding gs://{bucket} --member=serviceAccount:<account> --role={role}`"
                )
            };
            let all: Vec<_> = roles(of(check, target)).into_iter().map(bind).collect();
            ("Give the service account its roles, or correct the HMAC key", all)
        }
        Provider::BackblazeB2 => {
            let all = capabilities(of(check, target)).into_iter().map(str::to_owned).collect();
            ("Make an application key for the bucket with these capabilities, or correct the key", all)
        }
        Provider::Aws | Provider::Minio | Provider::Wasabi | Provider::S3Compatible => {
            let all = statements(of(check, target), target).iter().map(Value::to_string).collect();
            ("Add to the policy of the access key, or correct the key", all)
        }
    };
    (!all.is_empty()).then(|| format!("{what}: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::preflight::report::ALL;

    #[test]
    fn every_check_proves_a_permission_and_every_permission_is_proven() {
        // What lets a role be assumed is its trust policy.
        for check in ALL.into_iter().filter(|check| *check != Check::AssumeRole) {
            assert!(TABLE.iter().any(|permission| permission.proven_by.contains(&check)), "{check:?}");
        }
        assert!(TABLE.iter().all(|permission| permission.expires == permission.proven_by.is_empty()));
    }

    #[test]
    fn what_may_be_deleted_is_no_backup_unless_old_backups_are_to_go() {
        let deleting = || TABLE.iter().filter(|permission| permission.action.contains("Delete"));
        for permission in deleting() {
            let on = if permission.expires { On::Backups } else { On::Probes };
            assert!(permission.on == on && permission.expires == (on == On::Backups), "{}", permission.action);
        }
        let harmless = |permission: &Permission| permission.action == "s3:GetObjectVersion";
        let mut of_backups = TABLE.iter().filter(|it| it.on == On::Backups);
        assert!(of_backups.all(|it| it.expires && (it.action.contains("Delete") || harmless(it))));
        assert_eq!(deleting().count(), 4);
    }
}
