//! What could be recovered, to when, and what proves it.

pub(in crate::http) mod candidate;
pub(in crate::http) mod proof;
pub(in crate::http) mod summary;
mod windows;
