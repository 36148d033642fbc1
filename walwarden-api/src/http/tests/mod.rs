//! The API in process, on the embedded store: who may call what, and how it answers.

mod auth;
mod evidence;
mod fixture;
mod idempotency;
mod pages;
mod problems;
mod restores;
mod routes;
