//! Audit chains, and the log over them.

pub(in crate::http) mod checkpoints;
pub(in crate::http) mod consistency;
pub(in crate::http) mod events;
pub(in crate::http) mod inclusion;
pub(in crate::http) mod streams;
pub(in crate::http) mod verify;
