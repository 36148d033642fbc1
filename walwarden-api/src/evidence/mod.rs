//! Evidence made to be handed to others, computed from what the store holds. No HTTP, no SQL.

pub mod bundle;
pub mod report;
