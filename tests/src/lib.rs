//! The end-to-end harness: it owns every process it starts, gives each test its own database, bucket and directory, and leaves
//! nothing running. The tests themselves are in `tests/e2e/`; nothing here knows what they prove.
#![expect(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "every error and panic here means the same: the one test that met it fails, with its text"
)]

pub mod argv;
pub mod bench;
pub mod canary;
pub mod collector;
mod conformance;
pub mod contract;
pub mod dice;
pub mod fault_proxy;
pub mod harness;
pub mod paths;
pub mod postgres;
pub mod process;
pub mod recorder;
pub mod relay;
pub mod runtime;
pub mod s3;
pub mod soak;
pub mod spawner;
pub mod sts;
pub mod wait;
pub mod walwarden;
