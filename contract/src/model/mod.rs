//! The shapes of requests and responses, one file per resource.

mod backup;
mod database;
mod evidence;
mod profile;
mod restore;

pub use backup::*;
pub use database::*;
pub use evidence::*;
pub use profile::*;
pub use restore::*;
