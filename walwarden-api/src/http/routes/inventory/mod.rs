//! The inventory.

pub(in crate::http) mod reconciliation;
