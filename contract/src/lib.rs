//! What the Walwarden API, SDK and CLI agree on, and anyone can check. No I/O, no async.
#![warn(missing_docs)]

pub mod audit;
pub mod bundle;
pub mod capabilities;
pub mod commands;
#[cfg(feature = "generate")]
pub mod emit;
pub mod envelope;
pub mod error;
pub mod exit;
pub mod id;
pub mod key;
pub mod log;
pub mod manifest;
pub mod model;
mod number;
pub mod open;
pub mod operations;
pub mod page;
mod pattern;
mod schema;
pub mod scope;
pub mod secret;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod token;

pub use envelope::Envelope;
pub use error::{ErrorBody, ErrorCode, Fixer, Problem};
pub use exit::ExitStatus;
pub use id::{ApiKeyId, BackupJobId, DatabaseId, DestinationId, EventId, OrgId, RestoreJobId, StreamId, WindowId};
pub use open::Open;
pub use scope::Scope;
pub use secret::Secret;
pub use time::Timestamp;
