//! Databases, destinations and signing keys as they are registered: what is checked, sealed and written is the same whether the API or a
//! local command asks for it. Neither HTTP nor a command line.

pub mod database;
pub mod destination;
pub mod resealing;
pub mod signing_keys;
pub mod source_check;

use walwarden_contract::ErrorCode;
use walwarden_contract::model::SourceCheckReport;

use crate::secrets::SealError;
use crate::store::StoreError;

/// What a refused value was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The record's name.
    Name,
    /// The source's connection string.
    Source,
    /// When to back up.
    Schedule,
    /// The compression.
    Codec,
    /// The bucket.
    Bucket,
    /// The provider's endpoint.
    Endpoint,
    /// The region.
    Region,
    /// Whether uploads carry a checksum.
    ChecksumMode,
    /// How artifacts are locked.
    LockMode,
    /// For how many days.
    Retention,
    /// What the bucket is asked to encrypt with.
    Encryption,
    /// The key of that.
    KmsKeyId,
    /// For how many days backups are kept.
    Keeping,
    /// The access key's identifier.
    AccessKeyId,
    /// The access key itself.
    SecretAccessKey,
    /// The role in place of an access key.
    RoleArn,
}

impl Field {
    /// The member of a request's body.
    #[must_use]
    pub const fn json(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Source => "sourceDsn",
            Self::Schedule => "schedule",
            Self::Codec => "codec",
            Self::Bucket => "bucket",
            Self::Endpoint => "endpoint",
            Self::Region => "region",
            Self::ChecksumMode => "checksumMode",
            Self::LockMode => "lockMode",
            Self::Retention => "retentionFloorDays",
            Self::Encryption => "encryption",
            Self::KmsKeyId => "kmsKeyId",
            Self::Keeping => "retentionDays",
            Self::AccessKeyId => "accessKeyId",
            Self::SecretAccessKey => "secretAccessKey",
            Self::RoleArn => "roleArn",
        }
    }

    /// The flag of a command; what has several ways in goes by its own name.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Name => "--name",
            Self::Source => "the source",
            Self::Schedule => "the schedule",
            Self::Codec => "--codec",
            Self::Bucket => "--bucket",
            Self::Endpoint => "--endpoint",
            Self::Region => "--region",
            Self::ChecksumMode => "--checksum-mode",
            Self::LockMode => "--lock-mode",
            Self::Retention | Self::Keeping => "--retention-days",
            Self::Encryption => "--encryption",
            Self::KmsKeyId => "--kms-key-id",
            Self::AccessKeyId => "--access-key-id",
            Self::SecretAccessKey => "the access key's secret",
            Self::RoleArn => "--role-arn",
        }
    }
}

/// Why something is not registered as asked. Never holds a value that was handed in.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A value cannot be used.
    #[error("{} {problem}", field.json())]
    Invalid {
        /// Which one.
        field: Field,
        /// What is wrong, continuing a sentence that begins with the field's name.
        problem: String,
    },
    /// Another record has the name.
    #[error("another {0} of this organization already has that name")]
    NameTaken(&'static str),
    /// What depends on the record.
    #[error("{0}")]
    InUse(String),
    /// A source was looked at, and a backup of it cannot work.
    #[error("the source cannot be backed up as it is")]
    Refused(Box<SourceCheckReport>),
    /// The present credentials cannot be opened to keep a part of them.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// The store failed, or has no such record.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate(what) => Self::NameTaken(what),
            StoreError::InUse(_) => Self::InUse(error.to_string()),
            other => Self::Store(other),
        }
    }
}

impl RegistryError {
    fn invalid(field: Field, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }

    /// The catalog's code of a refusal; none when what failed is the store or a key.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Invalid { .. } => Some(ErrorCode::UnprocessableRequest),
            Self::NameTaken(_) => Some(ErrorCode::NameTaken),
            Self::InUse(_) => Some(ErrorCode::ResourceInUse),
            Self::Refused(_) => Some(ErrorCode::SourceCheckFailed),
            Self::Sealed(_) | Self::Store(_) => None,
        }
    }
}

/// What is wrong with a name that a person gives, continuing a sentence that begins with what it was given for.
#[must_use]
pub fn name_problem(name: &str) -> Option<&'static str> {
    let length = name.chars().count();
    let fits = (1..=100).contains(&length) && !name.chars().any(char::is_control) && name.trim() == name;
    (!fits).then_some("has 1 to 100 characters, none of them a control character, and no space around it")
}

/// Checks a record's name.
///
/// # Errors
/// [`RegistryError::Invalid`].
pub fn check_name(name: &str) -> Result<(), RegistryError> {
    name_problem(name).map_or(Ok(()), |problem| Err(RegistryError::invalid(Field::Name, problem)))
}
