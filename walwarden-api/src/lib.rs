//! The Walwarden API, worker and scheduler, as a library so that its parts can be tested in process.

pub mod commands;
pub mod config;
pub mod engine;
pub mod evidence;
pub mod failpoint;
pub mod http;
pub mod jobs;
pub mod lifecycle;
pub mod registry;
pub mod secrets;
pub mod store;
pub mod system;
pub mod telemetry;
