//! Which answers are compressed, for callers that ask for it.

use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};
use walwarden_contract::operations::{Auth, Operation};

/// Smaller answers fit into one packet as they are.
const LEAST_BYTES: u64 = 1024;

/// The mark of an answer that holds a secret.
///
/// Compressed, its length would tell how much of what a caller can put into it equals the secret beside it (the attack
/// is known as BREACH). Restore tokens and presigned URLs are worth more than the bytes that it would save.
#[derive(Debug, Clone, Copy)]
struct HoldsSecret;

/// Marks the answers of operations that hand out restore tokens and presigned URLs.
pub(super) fn mark(operation: &Operation, response: &mut Response) {
    if operation.id == "createRestore" || operation.auth == Auth::RestoreToken {
        response.extensions_mut().insert(HoldsSecret);
    }
}

type Test = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

fn worthwhile(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    let json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    json && extensions.get::<HoldsSecret>().is_none()
}

/// gzip for JSON. It is the fast level: what it leaves over matters less than the time that the others take.
pub(super) fn layer() -> CompressionLayer<And<SizeAbove, Test>> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(LEAST_BYTES).and(worthwhile as Test))
}

/// Leaves in `Accept-Encoding` what decides: gzip, or nothing. A caller that refuses every encoding, the plain one
/// included, gets the plain one: by the time of the answer its request was carried out, so that 406 would be a lie.
pub(super) fn settle(headers: &mut HeaderMap) {
    let mut accepted = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let zero = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.trim_matches(['0', '.']).is_empty());
            accepted |= gzip && !zero;
        }
    }
    headers.remove(ACCEPT_ENCODING);
    if accepted {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}
