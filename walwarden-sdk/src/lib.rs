//! Typed async client for Walwarden, and everything that runs on the customer's machine.
//!
//! [`WalwardenClient`] speaks for an API key, [`RestoreSessionClient`] for one restore token. With the feature `restore` (on by
//! default) `restore::Executor` runs a whole restore: bytes go from the bucket to this machine to its target, and the
//! target's connection string never leaves it.
#![warn(missing_docs)]

mod client;
mod error;
mod http;
pub mod postgres;
mod request;
mod resources;
pub mod restore;
mod retry;

pub use client::{ClientBuilder, WalwardenClient};
pub use error::Error;
pub use http::download_http_client;
pub use request::new_idempotency_key;
pub use resources::{Compatibility, Poll, RestoreSessionClient};
pub use retry::RetryPolicy;
pub use walwarden_contract as contract;
