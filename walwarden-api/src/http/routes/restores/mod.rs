//! Restore sessions, and what the restore machine says and asks.

pub(in crate::http) mod claim;
pub(in crate::http) mod create;
pub(in crate::http) mod get;
mod presign;
pub(in crate::http) mod refresh;
pub(in crate::http) mod report;
pub(in crate::http) mod trigger;
