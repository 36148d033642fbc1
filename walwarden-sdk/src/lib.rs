//! Typed async client for Walwarden, and everything that runs on the customer's machine.
//!
//! [`WalwardenClient`] speaks for an API key, [`RestoreSessionClient`] for one restore token. A client that was made for
//! one version of the API takes what newer ones answer: members and words that it does not know break nothing
//! ([`contract::Open`]).
//!
//! | feature | what it adds |
//! |---|---|
//! | none | the client: one typed method for each operation, streams of pages, following of jobs |
//! | `postgres` | Postgres's own tools as child processes, connection strings, the archives that `pg_dump` writes |
//! | `restore` | `restore::Executor` runs a whole restore: bytes go from the bucket to this machine to its target, whose connection string never leaves it |
//!
//! ```no_run
//! use walwarden_sdk::{Poll, WalwardenClient, new_idempotency_key};
//!
//! # async fn backup(api_key: String, database: walwarden_sdk::contract::DatabaseId) -> Result<(), walwarden_sdk::Error> {
//! let client = WalwardenClient::builder()
//!     .base_url("https://walwarden.example.com")
//!     .api_key(api_key)
//!     .user_agent("my-service/1.0")
//!     .build()?;
//! let triggered = client.trigger_backup(database, &new_idempotency_key()).await?;
//! let backup = client.poll_backup(triggered.backup_job_id, &Poll::default(), |_| {}).await?;
//! // A completed job is not the proof: the evidence is.
//! let evidence = client.get_evidence(backup.id).await?;
//! # drop(evidence);
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod client;
mod error;
mod http;
#[cfg(feature = "postgres")]
pub mod postgres;
mod request;
mod resources;
#[cfg(feature = "postgres")]
pub mod restore;
mod retry;

pub use client::{ClientBuilder, WalwardenClient};
pub use error::Error;
#[cfg(feature = "restore")]
pub use http::download_http_client;
pub use request::new_idempotency_key;
pub use resources::{Compatibility, Poll, RestoreSessionClient};
pub use retry::RetryPolicy;
pub use walwarden_contract as contract;

/// The code of the guide, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/sdk.md")]
struct Guide;
