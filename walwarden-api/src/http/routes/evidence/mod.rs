//! Evidence of backups.

pub(in crate::http) mod export;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
