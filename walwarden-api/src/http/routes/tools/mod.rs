//! Tools, for programs that choose by themselves.

pub(in crate::http) mod list;
