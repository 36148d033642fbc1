//! The HTTP API: extract, call, respond. Nothing here changes a state itself, and nothing here speaks SQL.

mod accompany;
mod auth;
mod bounds;
mod compression;
mod confirmation;
mod error;
mod extract;
mod guard;
mod idempotency;
mod page;
mod planned;
mod proof;
mod rate_limit;
mod refusal;
mod router;
mod routes;
mod server;
mod state;
mod token;
mod trace;
pub mod view;

#[cfg(test)]
mod tests;

pub use rate_limit::{Elapsed, RateLimits};
pub use router::{router, status_router};
pub use server::serve;
pub use state::AppState;
