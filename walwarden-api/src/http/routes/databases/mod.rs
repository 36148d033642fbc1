//! Protected databases.

pub(in crate::http) mod get;
pub(in crate::http) mod list;
