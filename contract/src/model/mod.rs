//! The shapes of requests and responses, one file per resource.

mod audit;
mod backup;
mod checkpoint;
pub mod cli;
mod database;
mod destination;
mod evidence;
mod inventory;
mod preflight;
mod profile;
mod readiness;
mod recovery;
mod restore;
mod source_check;
mod tools;

pub use audit::*;
pub use backup::*;
pub use checkpoint::*;
pub use database::*;
pub use destination::*;
pub use evidence::*;
pub use inventory::*;
pub use preflight::*;
pub use profile::*;
pub use readiness::*;
pub use recovery::*;
pub use restore::*;
pub use source_check::*;
pub use tools::*;
