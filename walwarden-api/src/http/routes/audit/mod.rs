//! Audit chains.

pub(in crate::http) mod events;
pub(in crate::http) mod streams;
pub(in crate::http) mod verify;
