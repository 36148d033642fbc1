//! One file per operation: extract, call, respond.

pub(super) mod audit;
pub(super) mod backups;
pub(super) mod databases;
pub(super) mod destinations;
pub(super) mod evidence;
pub(super) mod inventory;
pub(super) mod keys;
pub(super) mod profile;
pub(super) mod readiness;
pub(super) mod recovery;
pub(super) mod restores;
pub(super) mod service;
pub(super) mod tools;
