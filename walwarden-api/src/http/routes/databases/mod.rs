//! Protected databases.

pub(in crate::http) mod check;
pub(in crate::http) mod create;
pub(in crate::http) mod delete;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
pub(in crate::http) mod update;
