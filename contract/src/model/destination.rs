//! Backup destinations: buckets that the customer owns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PreflightSummary;
use crate::id::DestinationId;
use crate::open::Open;
use crate::secret::Secret;
use crate::time::Timestamp;

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// Every choice.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The choice as it stands in JSON, flags and the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownChoice;
            fn from_str(text: &str) -> Result<Self, UnknownChoice> {
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or(UnknownChoice)
            }
        }
    };
}

/// The text names none of the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the choices")]
pub struct UnknownChoice;

choices! {
    /// What serves a bucket.
    Provider {
        /// Amazon S3.
        Aws = "aws",
        /// MinIO.
        Minio = "minio",
        /// Google Cloud Storage, over its S3 interface.
        Gcs = "gcs",
        /// Wasabi.
        Wasabi = "wasabi",
        /// Backblaze B2.
        BackblazeB2 = "backblaze_b2",
        /// Anything else that speaks S3.
        S3Compatible = "s3_compatible",
    }
}

choices! {
    /// Where a bucket's name stands in a URL.
    Addressing {
        /// In the path.
        Path = "path",
        /// In the host name.
        VirtualHost = "virtual_host",
    }
}

choices! {
    /// Whether uploads carry a CRC-32 that the provider checks.
    ChecksumMode {
        /// They do.
        Crc32 = "crc32",
        /// They do not; some S3-compatible servers refuse it.
        None = "none",
    }
}

choices! {
    /// How artifacts are locked.
    LockMode {
        /// Not at all.
        None = "none",
        /// Until the date, unless somebody with a special permission lifts the lock.
        Governance = "governance",
        /// Until the date, for everybody; only on Backblaze B2.
        Compliance = "compliance",
    }
}

choices! {
    /// What a bucket is asked to encrypt objects with, beyond what it does by itself.
    Encryption {
        /// Nothing is asked: the bucket encrypts as it does by default.
        None = "none",
        /// Keys of the provider's own.
        SseS3 = "sse_s3",
        /// A key of the owner's, held by the provider's key management.
        SseKms = "sse_kms",
    }
}

choices! {
    /// What preflight has found out about a destination.
    DestinationState {
        /// It was added or changed, and preflight has not passed since.
        Unverified = "unverified",
        /// Everything that a backup asks of it was tried out and holds. Only such a destination takes backups.
        Verified = "verified",
        /// Something that a backup asks of it does not hold.
        Failed = "failed",
    }
}

/// A destination, without its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// Its identifier.
    pub id: DestinationId,
    /// The name that the operator gave it.
    pub name: String,
    /// What serves the bucket.
    pub provider: Open<Provider>,
    /// The provider's endpoint; null where the region says it.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Where the bucket's name stands in a URL.
    pub addressing: Open<Addressing>,
    /// Whether uploads carry a checksum that the provider checks.
    pub checksum_mode: Open<ChecksumMode>,
    /// How artifacts are locked.
    pub lock_mode: Open<LockMode>,
    /// For how many days each artifact is locked; 0 without a lock.
    pub retention_floor_days: u32,
    /// What the bucket is asked to encrypt objects with.
    pub encryption: Open<Encryption>,
    /// The key of `sse_kms`, as it was given; null otherwise.
    pub kms_key_id: Option<String>,
    /// The role in the owner's account that is assumed; null where an access key is used.
    pub role_arn: Option<String>,
    /// What the role's trust policy has to ask for; the server made it, and nobody else can choose it.
    pub external_id: Option<String>,
    /// What preflight has found out about it. Only a verified destination takes backups.
    pub state: Open<DestinationState>,
    /// When preflight last passed; null while it has not since the last change.
    pub verified_at: Option<Timestamp>,
    /// The last preflight; null when there was none since the last change.
    pub preflight: Option<PreflightSummary>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A page of destinations, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DestinationList {
    /// The page.
    pub destinations: Vec<Destination>,
    /// Where the next page begins; null on the last.
    #[schemars(regex(pattern = crate::pattern::CURSOR))]
    pub next_cursor: Option<String>,
}

/// The body of `createDestination`. What is left out follows from the provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDestinationRequest {
    /// A name that no other destination has.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// What serves the bucket.
    pub provider: Provider,
    /// The bucket.
    #[schemars(length(min = 3, max = 63))]
    pub bucket: String,
    /// The provider's endpoint, where the region does not say it.
    #[schemars(length(min = 1, max = 512))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[schemars(length(min = 1, max = 64))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where the bucket's name stands in a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressing: Option<Addressing>,
    /// Whether uploads carry a checksum that the provider checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_mode: Option<LockMode>,
    /// For how many days each artifact is locked.
    #[schemars(range(min = 1, max = 365))]
    #[serde(default, deserialize_with = "crate::number::whole", skip_serializing_if = "Option::is_none")]
    pub retention_floor_days: Option<u32>,
    /// What the bucket is asked to encrypt objects with; `none` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The key of `sse_kms`, which needs one: its ARN, its id, or an alias's ARN.
    #[schemars(length(min = 1, max = 512))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Identifier of the access key, unless there is a role.
    #[schemars(length(min = 1, max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The access key's secret. It is sealed at once, and never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<Secret>,
    /// A role to assume in place of an access key; Amazon S3 only. The answer holds the external id that its trust policy
    /// has to ask for.
    #[schemars(length(min = 1, max = 512))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

/// The body of `updateDestination`: what is left out stays. The bucket of a destination does not change, because its
/// backups are in there.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateDestinationRequest {
    /// A name that no other destination has.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether uploads carry a checksum that the provider checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_mode: Option<LockMode>,
    /// For how many days each artifact is locked from now on.
    #[schemars(range(min = 1, max = 365))]
    #[serde(default, deserialize_with = "crate::number::whole", skip_serializing_if = "Option::is_none")]
    pub retention_floor_days: Option<u32>,
    /// What the bucket is asked to encrypt objects with from now on. Anything but `sse_kms` takes the key away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The key of `sse_kms` from now on: its ARN, its id, or an alias's ARN.
    #[schemars(length(min = 1, max = 512))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Identifier of a new access key; its secret comes with it.
    #[schemars(length(min = 1, max = 256))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The new access key's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<Secret>,
    /// A role to assume from now on, in place of the access key or the role before.
    #[schemars(length(min = 1, max = 512))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}
