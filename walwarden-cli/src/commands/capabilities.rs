//! `walwarden capabilities`: the contract that this program holds. Calls nothing.

pub(super) mod describe;
pub(super) mod list;
