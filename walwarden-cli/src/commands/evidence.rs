//! `walwarden evidence`.

pub(super) mod get;
