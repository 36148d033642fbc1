//! An organization that never was, with all the evidence that it would have; ways to falsify that evidence; and the judges that
//! have to agree on what is true. No server, no clock and no chance: the same bytes in every run.
#![expect(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "every error and panic here means the same: the test that met it fails, with its text"
)]

pub mod archive;
pub mod bundle;
pub mod export;
pub mod history;
pub mod judge;
pub mod log;
pub mod mutation;
pub mod seeds;
pub mod setting;
