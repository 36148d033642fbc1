//! The API description put to the proof by a tool that is not ours: Schemathesis sends a real server what the description allows and
//! what it forbids, alone and in sequences, and judges the answers. Each run has an installation of its own, since it deletes
//! whatever can be deleted; afterwards the server must be as whole as before.

mod options;
mod run;
mod scene;

pub use self::options::{Options, USAGE};
pub use self::run::{Outcome, run};
