//! Whether the service can do its work.

pub(in crate::http) mod get;
