//! What moves bytes: the backup pipeline and the bucket. No HTTP API, no SQL.

pub mod backup;
pub mod preflight;
pub mod source_check;
pub mod storage;
