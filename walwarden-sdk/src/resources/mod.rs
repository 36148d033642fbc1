//! One method per operation, one file per resource.

mod audit;
mod backup;
mod database;
mod destination;
mod evidence;
mod pages;
mod poll;
mod profile;
mod recovery;
mod restore;
mod service;
mod session;

pub use poll::Poll;
pub use profile::Compatibility;
pub use session::RestoreSessionClient;

#[cfg(test)]
mod tests;
