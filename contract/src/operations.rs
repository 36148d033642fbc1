//! Every operation of the API, as data.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::error::ErrorCode;
use crate::model;
use crate::scope::Scope;

mod rules;

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes.
    Post,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// How a caller proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Auth {
    /// An API key as bearer token, with this scope if one is named.
    ApiKey(Option<Scope>),
    /// The restore token of the job in the path, as bearer token.
    RestoreToken,
}

/// Makes the schema of a request or response type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its `operationId`, also the SDK method's name in camel case.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// The path under [`BASE_PATH`], with parameters in braces.
    pub path: &'static str,
    /// One line for the reference.
    pub summary: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// The status of a success.
    pub success: u16,
    /// Whether it takes `limit` and `cursor`.
    pub paged: bool,
    /// The body it takes.
    pub request: Option<SchemaOf>,
    /// The body it answers with.
    pub response: SchemaOf,
    /// The codes it may fail with, beyond those that every operation shares.
    pub errors: &'static [ErrorCode],
}

impl Operation {
    /// Whether the operation needs an `Idempotency-Key`: every POST does.
    #[must_use]
    pub const fn needs_idempotency_key(&self) -> bool {
        matches!(self.method, Method::Post)
    }
}

/// Where the paths of [`OPERATIONS`] begin.
pub const BASE_PATH: &str = "/api/v1";

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

use ErrorCode as E;

const TOKEN_ERRORS: &[ErrorCode] =
    &[E::TokenInvalid, E::TokenExpired, E::NotFound, E::InvalidTransition, E::RestoreTimedOut];

const PRESIGN_ERRORS: &[ErrorCode] = &[
    E::TokenInvalid,
    E::TokenExpired,
    E::NotFound,
    E::InvalidTransition,
    E::RestoreTimedOut,
    E::BackupNotRestorable,
    E::DestinationNotReady,
];

/// The whole API.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        id: "getProfile",
        method: Method::Get,
        path: "/profile",
        summary: "Read what the API key is and may do",
        auth: Auth::ApiKey(None),
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::Profile>,
        errors: &[],
    },
    Operation {
        id: "listDatabases",
        method: Method::Get,
        path: "/databases",
        summary: "List protected databases",
        auth: Auth::ApiKey(Some(Scope::DatabasesRead)),
        success: 200,
        paged: true,
        request: None,
        response: schema_of::<model::DatabaseList>,
        errors: &[],
    },
    Operation {
        id: "getDatabase",
        method: Method::Get,
        path: "/databases/{databaseId}",
        summary: "Read a protected database",
        auth: Auth::ApiKey(Some(Scope::DatabasesRead)),
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::Database>,
        errors: &[E::NotFound],
    },
    Operation {
        id: "listDatabaseBackups",
        method: Method::Get,
        path: "/databases/{databaseId}/backups",
        summary: "List the backup jobs of a database, newest first",
        auth: Auth::ApiKey(Some(Scope::DatabasesRead)),
        success: 200,
        paged: true,
        request: None,
        response: schema_of::<model::BackupList>,
        errors: &[E::NotFound],
    },
    Operation {
        id: "triggerBackup",
        method: Method::Post,
        path: "/databases/{databaseId}/backups",
        summary: "Queue a backup on demand",
        auth: Auth::ApiKey(Some(Scope::BackupsTrigger)),
        success: 202,
        paged: false,
        request: Some(schema_of::<model::TriggerBackupRequest>),
        response: schema_of::<model::TriggeredBackup>,
        errors: &[E::NotFound, E::BackupInProgress, E::DestinationNotReady],
    },
    Operation {
        id: "getBackup",
        method: Method::Get,
        path: "/backups/{backupJobId}",
        summary: "Read a backup job",
        auth: Auth::ApiKey(Some(Scope::DatabasesRead)),
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::Backup>,
        errors: &[E::NotFound],
    },
    Operation {
        id: "getEvidence",
        method: Method::Get,
        path: "/evidence/{backupJobId}",
        summary: "Read the signed manifest, verification and audit chain of a completed backup",
        auth: Auth::ApiKey(Some(Scope::EvidenceRead)),
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::Evidence>,
        errors: &[E::NotFound],
    },
    Operation {
        id: "createRestore",
        method: Method::Post,
        path: "/restores",
        summary: "Open a restore session and receive its single-use token",
        auth: Auth::ApiKey(Some(Scope::RestoresWrite)),
        success: 202,
        paged: false,
        request: Some(schema_of::<model::CreateRestoreRequest>),
        response: schema_of::<model::RestoreSession>,
        errors: &[E::NotFound, E::BackupNotRestorable, E::ConfirmationRequired, E::TargetInvalid],
    },
    Operation {
        id: "getRestore",
        method: Method::Get,
        path: "/restores/{restoreJobId}",
        summary: "Read a restore job",
        auth: Auth::ApiKey(Some(Scope::RestoresRead)),
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::Restore>,
        errors: &[E::NotFound],
    },
    Operation {
        id: "triggerRestore",
        method: Method::Post,
        path: "/restores/{restoreJobId}/trigger",
        summary: "Use the restore token, once",
        auth: Auth::RestoreToken,
        success: 200,
        paged: false,
        request: Some(schema_of::<model::TriggerRestoreRequest>),
        response: schema_of::<model::Restore>,
        errors: &[
            E::TokenInvalid,
            E::TokenExpired,
            E::TokenUsed,
            E::ManifestHashMismatch,
            E::NotFound,
            E::InvalidTransition,
            E::RestoreTimedOut,
        ],
    },
    Operation {
        id: "claimRestore",
        method: Method::Post,
        path: "/restores/{restoreJobId}/claim",
        summary: "Take the job: manifest, public key and presigned URL",
        auth: Auth::RestoreToken,
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::RestoreClaim>,
        errors: PRESIGN_ERRORS,
    },
    Operation {
        id: "refreshArtifactUrl",
        method: Method::Post,
        path: "/restores/{restoreJobId}/artifact-url",
        summary: "Presign the artifact's URL again",
        auth: Auth::RestoreToken,
        success: 200,
        paged: false,
        request: None,
        response: schema_of::<model::ArtifactUrl>,
        errors: PRESIGN_ERRORS,
    },
    Operation {
        id: "reportRestore",
        method: Method::Post,
        path: "/restores/{restoreJobId}/states",
        summary: "Report a state that the restore machine has reached, or that it is still there",
        auth: Auth::RestoreToken,
        success: 200,
        paged: false,
        request: Some(schema_of::<model::RestoreReport>),
        response: schema_of::<model::Restore>,
        errors: TOKEN_ERRORS,
    },
];

/// The operation with this id.
#[must_use]
pub fn operation(id: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_routes_are_distinct() {
        for (index, one) in OPERATIONS.iter().enumerate() {
            for other in &OPERATIONS[index + 1..] {
                assert_ne!(one.id, other.id);
                assert!(one.method != other.method || one.path != other.path);
            }
        }
    }
}
