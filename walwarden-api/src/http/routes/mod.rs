//! One file per operation: extract, call, respond.

pub(super) mod backups;
pub(super) mod databases;
pub(super) mod evidence;
pub(super) mod profile;
pub(super) mod restores;
pub(super) mod service;
