//! `walwarden evidence`.

pub(super) mod get;
pub(super) mod list;
