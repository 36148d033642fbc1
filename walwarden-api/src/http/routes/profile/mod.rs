//! Who the caller is.

pub(in crate::http) mod get;
