//! The Postgres tools and the archive parser against a real server, which these tests start themselves.

mod archives;
mod queries;
mod servers;
mod support;
