//! The API in process, on the embedded store: who may call what, and how it answers.

mod audit;
mod auth;
mod cancel;
mod compression;
mod confirmation;
mod databases_write;
mod destinations;
mod destinations_write;
mod documents;
mod evidence;
mod export;
mod fixture;
mod idempotency;
mod keys;
mod matrix;
mod pages;
mod planned;
mod problems;
mod protocol;
mod rate_limit;
mod readiness;
mod recovery;
mod restores;
mod routes;
mod tools;
mod writing;
