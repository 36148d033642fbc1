//! One method per operation, one file per resource.

mod backup;
mod database;
mod evidence;
mod profile;
mod restore;
mod session;

pub use backup::PollBackup;
pub use session::RestoreSessionClient;

#[cfg(test)]
mod tests;
