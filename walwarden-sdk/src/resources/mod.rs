//! One method per operation, one file per resource.

mod audit;
mod backup;
mod database;
mod destination;
mod evidence;
mod profile;
mod recovery;
mod restore;
mod service;
mod session;

pub use backup::PollBackup;
pub use session::RestoreSessionClient;

#[cfg(test)]
mod tests;
