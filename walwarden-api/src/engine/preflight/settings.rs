//! The checks that ask a bucket for its settings, as far as its provider tells them.

use walwarden_contract::model::{PreflightCheckId as Check, Provider};

use super::report::{Notes, Verdict};
use super::target::Target;
use super::{remedies, tls};
use crate::engine::storage::{Bucket, ObjectHead, StorageError, StorageErrorKind};

/// How much a provider tells about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// It has to: an answer that is refused is a permission that is missing.
    Must,
    /// Many of its servers do not.
    May,
    /// It has no way to, and this is why.
    Never(&'static str),
}

/// How much a provider tells about a check's subject.
pub(super) const fn telling(provider: Provider, check: Check) -> Telling {
    match (provider, check) {
        (Provider::Aws, _) => Telling::Must,
        (Provider::Gcs, Check::ObjectLockConfiguration | Check::ObjectLock) => Telling::Never(
            "its S3 interface does not show the bucket's retention policy, which locks all objects alike",
        ),
        (Provider::Gcs, Check::DefaultEncryption) => Telling::Never(
            "Google Cloud Storage encrypts everything, and its S3 interface does not show with which key",
        ),
        (Provider::Gcs, Check::Versioning) => Telling::Never("its S3 interface is not asked about versions"),
        (_, Check::TlsOnly) => Telling::Never(
            "only Amazon S3 is asked for a policy that refuses plain HTTP; see to it that the server does not offer it",
        ),
        _ => Telling::May,
    }
}

fn bad(kind: StorageErrorKind, message: String) -> Verdict {
    Verdict::Bad(StorageError { kind, message })
}

fn not_ready(message: impl Into<String>) -> Verdict {
    bad(StorageErrorKind::Unsupported, message.into())
}

/// Whether the bucket is there, in the region that the destination names.
pub(super) async fn exists(bucket: &Bucket, target: &Target, notes: &mut Notes) {
    let verdict = bucket.look().await.map(|region| match region {
        Some(region) if region == target.region => Verdict::Good(format!("the bucket is in the region {region}")),
        // Google tells its region in capitals, and `auto` is none.
        Some(region) if target.provider != Provider::Aws => Verdict::Good(format!("the bucket is there, in {region}")),
        Some(region) => {
            not_ready(format!("the bucket is in the region {region}, and the destination names {}", target.region))
        }
        None => Verdict::Good("the bucket is there, and names no region".to_owned()),
    });
    notes.told(Check::Bucket, verdict);
}

/// Whether the bucket locks objects, and none of them in a mode that the destination does not have.
pub(super) async fn lock_configuration(bucket: &Bucket, target: &Target, notes: &mut Notes) {
    if let Telling::Never(because) = telling(target.provider, Check::ObjectLockConfiguration) {
        return notes.look_yourself(Check::ObjectLockConfiguration, because, remedies::retention_policy(target));
    }
    if !target.locks() {
        return notes.not_looked_at(Check::ObjectLockConfiguration, "the destination asks for no lock");
    }
    if notes.skipped(Check::ObjectLockConfiguration) {
        return;
    }
    let verdict = bucket.default_retention().await.map(|found| match found {
        None => Verdict::Good("Object Lock is enabled, without a default retention".to_owned()),
        Some(found) if found.mode == Some(target.lock_mode) => Verdict::Good(format!(
            "Object Lock is enabled, and locks probes too: {} for {} by default",
            target.lock_mode.as_str(),
            found.period
        )),
        Some(found) => bad(
            StorageErrorKind::LockRefused,
            format!(
                "Object Lock is enabled with a default retention of {} for {}, and the destination asks for {}",
                found.mode.map_or("an unknown mode", walwarden_contract::model::LockMode::as_str),
                found.period,
                target.lock_mode.as_str()
            ),
        ),
    });
    notes.told(Check::ObjectLockConfiguration, verdict);
}

/// Locks hold versions: without versions there are no locks.
pub(super) async fn versioning(bucket: &Bucket, target: &Target, notes: &mut Notes) {
    if !target.locks() {
        return notes.not_looked_at(Check::Versioning, "the destination asks for no lock");
    }
    if notes.skipped(Check::Versioning) {
        return;
    }
    let verdict = bucket.versioning().await.map(|status| match status.as_deref() {
        Some("Enabled") => Verdict::Good("versioning is Enabled".to_owned()),
        Some(other) => not_ready(format!("versioning is {other}")),
        None => not_ready("the bucket keeps no versions"),
    });
    notes.told(Check::Versioning, verdict);
}

/// Amazon says which public access it blocks. Elsewhere a stranger tries to read the probe.
pub(super) async fn public_access(bucket: &Bucket, probe: &str, target: &Target, notes: &mut Notes) {
    if notes.skipped(Check::PublicAccessBlock) {
        return;
    }
    let verdict = if target.provider == Provider::Aws {
        bucket.public_access_block().await.map(|block| match block {
            None => not_ready("the bucket blocks no public access"),
            Some(block) => {
                let off: Vec<_> = block.settings.iter().filter(|(_, on)| !on).map(|(name, _)| *name).collect();
                if off.is_empty() {
                    Verdict::Good("all four kinds of public access are blocked".to_owned())
                } else {
                    not_ready(format!("public access is not blocked by {}", off.join(", ")))
                }
            }
        })
    } else {
        bucket.is_public(probe).await.map(|public| {
            if public {
                not_ready("the probe can be read without any credentials")
            } else {
                Verdict::Good("reading the probe without credentials was refused".to_owned())
            }
        })
    };
    notes.told(Check::PublicAccessBlock, verdict);
}

/// Whether the bucket's policy refuses plain HTTP.
pub(super) async fn tls_only(bucket: &Bucket, target: &Target, notes: &mut Notes) {
    if let Telling::Never(because) = telling(target.provider, Check::TlsOnly) {
        return notes.not_verifiable(Check::TlsOnly, because.to_owned());
    }
    if notes.skipped(Check::TlsOnly) {
        return;
    }
    let verdict = bucket.policy().await.map(|policy| match policy {
        None => not_ready("the bucket has no policy, so nothing refuses plain HTTP"),
        Some(policy) if tls::is_required(&policy, &target.arn()) => {
            Verdict::Good("the bucket's policy denies everything that comes over plain HTTP".to_owned())
        }
        Some(_) => not_ready("no statement of the bucket's policy denies everything that comes over plain HTTP"),
    });
    notes.told(Check::TlsOnly, verdict);
}

/// What was asked for is proven by what the bucket tells of the probe. Its default counts where nothing was asked for.
pub(super) async fn encryption(bucket: &Bucket, probe: Option<&ObjectHead>, target: &Target, notes: &mut Notes) {
    if !bucket.encryption().is_asked() {
        return default_encryption(bucket, target, notes).await;
    }
    let Some(probe) = probe else {
        return notes.not_looked_at(Check::DefaultEncryption, "the bucket did not tell of the probe");
    };
    match bucket.encryption().proven_by(&probe.encryption) {
        Ok(_) => notes.passed(
            Check::DefaultEncryption,
            format!("the probe is encrypted as asked for: the bucket tells of {}", probe.encryption.told()),
        ),
        Err(error) => notes.failed(Check::DefaultEncryption, &error),
    }
}

/// Whether what is written is encrypted without asking for it.
async fn default_encryption(bucket: &Bucket, target: &Target, notes: &mut Notes) {
    if let Telling::Never(because) = telling(target.provider, Check::DefaultEncryption) {
        return notes.not_verifiable(Check::DefaultEncryption, because.to_owned());
    }
    if notes.skipped(Check::DefaultEncryption) {
        return;
    }
    let verdict = bucket.default_encryption().await.map(|algorithm| match algorithm {
        Some(algorithm) => Verdict::Good(format!("the bucket encrypts with {algorithm} by default")),
        None if target.provider == Provider::Aws => not_ready("the bucket has no default encryption"),
        None => Verdict::Unclear("the bucket tells of no default encryption; its disks may be encrypted".to_owned()),
    });
    notes.told(Check::DefaultEncryption, verdict);
}
