//! `walwarden profile`.

pub(super) mod validate;
