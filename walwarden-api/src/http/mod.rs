//! The HTTP API: extract, call, respond. Nothing here changes a state itself, and nothing here speaks SQL.

mod accompany;
mod auth;
mod error;
mod extract;
mod guard;
mod idempotency;
mod proof;
mod router;
mod routes;
mod state;
mod token;
pub mod view;

#[cfg(test)]
mod tests;

pub use router::{router, status_router};
pub use state::AppState;
