//! Evidence of backups.

pub(in crate::http) mod get;
