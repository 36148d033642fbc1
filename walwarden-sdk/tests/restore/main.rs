//! Whole restores: a real server, real tools, a real dump; the API and the bucket are played by an HTTP server.

mod api;
mod plan;
mod refusals;
mod success;
mod support;
