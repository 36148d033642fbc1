//! Every operation of the API, as data.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::scope::Scope;

mod build;
mod path;
mod rules;
mod table;

pub use self::path::PathParameter;
pub use self::table::OPERATIONS;

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Adds, or starts something.
    Post,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
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

/// What a success carries.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// Nothing.
    Empty,
    /// A JSON document.
    Json(SchemaOf),
    /// A gzip-compressed tar archive.
    Archive,
}

/// A group of operations in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: &'static str,
    /// What its operations are about.
    pub about: &'static str,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its `operationId`, also the SDK method's name in camel case.
    pub id: &'static str,
    /// HTTP method.
    pub method: Method,
    /// The path under [`BASE_PATH`], with parameters in braces.
    pub path: &'static str,
    /// The group that it belongs to.
    pub tag: Tag,
    /// One line for the reference.
    pub summary: &'static str,
    /// What a caller must know beyond that; may be empty.
    pub note: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// The status of a success.
    pub success: u16,
    /// The object whose members are the query parameters.
    pub query: Option<SchemaOf>,
    /// The body it takes.
    pub request: Option<SchemaOf>,
    /// What it answers with.
    pub answer: Answer,
    /// The codes it may fail with, beyond those that follow from its shape.
    pub errors: &'static [ErrorCode],
}

/// Where the paths of [`OPERATIONS`] begin.
pub const BASE_PATH: &str = "/api/v1";

/// Every tag, in the order of the reference.
pub const TAGS: &[Tag] = &[
    table::PROFILE,
    table::DATABASES,
    table::DESTINATIONS,
    table::BACKUPS,
    table::EVIDENCE,
    table::RESTORES,
    table::RECOVERY,
    table::MANAGEMENT,
    table::AGENTS,
    table::SESSIONS,
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

    #[test]
    fn every_scope_but_no_other_opens_an_operation() {
        for scope in Scope::ALL {
            assert!(OPERATIONS.iter().any(|operation| operation.scope() == Some(*scope)), "{scope} opens nothing");
        }
    }

    #[test]
    fn every_tag_is_used_and_listed() {
        for operation in OPERATIONS {
            assert!(TAGS.contains(&operation.tag), "{}", operation.id);
        }
        for tag in TAGS {
            assert!(OPERATIONS.iter().any(|operation| operation.tag == *tag), "{}", tag.name);
        }
    }
}
