//! Pages of lists. A cursor is opaque, and good only for the list that it came from.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use walwarden_contract::ErrorCode;
use walwarden_contract::page::{DEFAULT_LIMIT, MAX_CURSOR_LENGTH, MAX_LIMIT, PageQuery};

use super::error::{ApiError, Result};
use super::state::AppState;

/// The version of what a cursor holds: `1<list>:<key>`.
const VERSION: char = '1';

tokio::task_local! {
    /// The list that the request is about. Set by the guard, which knows the operation, so that no handler can forget it.
    static LIST: String;
}

/// Runs a handler that may read pages of `list`: the operation, and the ids in its path, since the backups of one
/// database are another list than those of the next.
pub(super) async fn of_list<F: Future>(list: String, handler: F) -> F::Output {
    LIST.scope(list, handler).await
}

fn list() -> Result<String> {
    LIST.try_with(String::clone).map_err(|_| ApiError::internal("a page was read outside of any operation"))
}

/// Which page of a list: how many items, after which one.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) limit: u32,
    pub(super) after: Option<T>,
    list: String,
}

impl<T> Page<T> {
    /// Cuts what was read (one more than asked for) to the page, and says where the next one begins.
    pub(super) fn cut<I>(&self, mut items: Vec<I>, key: impl Fn(&I) -> String) -> (Vec<I>, Option<String>) {
        let limit = self.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|item| cursor(&self.list, key(item)));
        (items, next)
    }
}

impl<T: FromStr> Page<T> {
    /// Reads a page's query parameters.
    pub(super) fn read(limit: Option<u32>, cursor: Option<String>) -> Result<Self> {
        let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(invalid("limit is a whole number from 1 to 200."));
        }
        let list = list()?;
        let after = match cursor {
            None => None,
            Some(text) => {
                let key = key_of(&list, &text);
                Some(key.ok_or_else(|| invalid("cursor is not a nextCursor of this list."))?)
            }
        };
        Ok(Self { limit, after, list })
    }
}

fn cursor(list: &str, key: impl Display) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION}{list}:{key}"))
}

fn key_of<T: FromStr>(list: &str, cursor: &str) -> Option<T> {
    if cursor.len() > MAX_CURSOR_LENGTH {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(VERSION)?.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
}

impl<T: FromStr> FromRequestParts<AppState> for Page<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        let query = Query::<PageQuery>::from_request_parts(parts, state).await;
        let Query(PageQuery { limit, cursor }) = query.map_err(|_| {
            let message = "The query parameters are limit (1 to 200) and cursor, each at most once.";
            ApiError::new(ErrorCode::InvalidRequest, message)
        })?;
        Self::read(limit, cursor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use walwarden_contract::{BackupJobId, DatabaseId, operations::OPERATIONS};

    use super::*;

    #[test]
    fn every_lists_cursors_fit_the_bound_that_the_contract_names() {
        let id = format!("bkp_{}", "f".repeat(32));
        for operation in OPERATIONS.iter().filter(|operation| operation.query.is_some()) {
            let made = cursor(&format!("{} {id}", operation.id), format_args!("9999-12-31T23:59:59.999Z {id}"));
            assert!(made.len() <= MAX_CURSOR_LENGTH, "{}: {}", operation.id, made.len());
        }
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_in_its_own_list_and_in_no_other(bits: u128, list in "[a-zA-Z]{1,20}", other in "[a-zA-Z]{1,20}") {
            let id = BackupJobId::from_uuid(uuid::Uuid::from_u128(bits));
            let made = cursor(&list, id);
            prop_assert_eq!(key_of::<BackupJobId>(&list, &made), Some(id));
            prop_assert_eq!(key_of::<DatabaseId>(&list, &made), None);
            prop_assert_eq!(key_of::<BackupJobId>(&other, &made), (other == list).then_some(id));
        }

        #[test]
        fn arbitrary_text_is_no_cursor(text in ".*") {
            prop_assert_eq!(key_of::<BackupJobId>("listDatabases", &text), None);
        }
    }
}
