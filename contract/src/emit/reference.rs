//! The pages of `docs/reference/`.

pub(super) mod api;
pub(super) mod audit_events;
pub(super) mod capabilities;
pub(super) mod claims;
pub(super) mod cli;
pub(super) mod errors;
pub(super) mod exit_codes;
pub(super) mod metrics;
pub(super) mod scopes;
pub(super) mod verification;
