//! How large a request may be before anything is done with it.

use axum::extract::Request;
use walwarden_contract::ErrorCode;

use super::error::{ApiError, Result};

/// The largest body that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 64 * 1024;
/// The longest URL, in bytes.
const URL_LIMIT: usize = 8 * 1024;
/// The most bytes that headers may have together, as HTTP/1.1 writes them.
const HEADER_BYTES: usize = 16 * 1024;
/// The most headers.
const HEADER_COUNT: usize = 64;

/// Refuses what is too large. The server reads more than this, so that this is what answers: see `server.rs`.
pub(super) fn check(request: &Request) -> Result<()> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > URL_LIMIT) {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "The URL is longer than 8 KiB."));
    }
    let headers = request.headers();
    // Each header has a colon, a space and the end of its line besides.
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > HEADER_BYTES {
        return Err(ApiError::new(ErrorCode::HeadersTooLarge, "The headers are larger than 16 KiB together."));
    }
    if headers.len() > HEADER_COUNT {
        return Err(ApiError::new(ErrorCode::HeadersTooLarge, "There are more than 64 headers."));
    }
    Ok(())
}
