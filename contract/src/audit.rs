//! Audit events: their kinds, what each of them says, the hash that chains them, and the order in which they can happen.

mod chain;
mod conformity;
mod kind;
pub mod lifecycle;
pub mod payload;
pub(crate) mod schema;

pub use self::chain::{AuditEvent, ChainError, FIRST_PREV_HASH, event_hash, verify_chain};
pub use self::conformity::conforms;
pub use self::kind::{EventKind, Payload, StreamKind};
#[cfg(feature = "generate")]
pub(crate) use self::schema::written;
