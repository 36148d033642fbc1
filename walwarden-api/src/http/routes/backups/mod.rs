//! Backup jobs.

pub(in crate::http) mod cancel;
pub(in crate::http) mod dismiss;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
pub(in crate::http) mod trigger;
