//! Cursor paging, the same for every list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many items a page has when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many items a page may have.
pub const MAX_LIMIT: u32 = 200;
/// How many characters a cursor has at most.
pub const MAX_CURSOR_LENGTH: usize = 200;

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageQuery {
    /// At most this many items, 1 to 200; 50 when absent.
    #[schemars(range(min = 1, max = 200), extend("default" = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `nextCursor` of the page before, of the same list.
    #[schemars(length(max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
