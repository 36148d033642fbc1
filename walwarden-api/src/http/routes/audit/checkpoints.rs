//! `listCheckpoints`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use walwarden_contract::model::{AuditCheckpoint, AuditCheckpointList, CheckpointCopy};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Page;
use crate::http::state::AppState;
use crate::store::log::StoredCheckpoint;

/// Where in the list a checkpoint stands: its size and day.
#[derive(Debug)]
pub(in crate::http) struct Place(u64, String);

impl FromStr for Place {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (size, day) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self(size.parse()?, day.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.0, self.1)
    }
}

fn place(checkpoint: &StoredCheckpoint) -> (u64, String) {
    (checkpoint.size, checkpoint.day.clone())
}

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    page: Page<Place>,
) -> Result<Json<AuditCheckpointList>> {
    let (store, org_id) = (&state.store, caller.org_id());
    let behind = page.after.as_ref().map(|Place(size, day)| (*size, day.as_str()));
    let read = store.checkpoint_page(org_id, behind, page.limit + 1).await?;
    let (checkpoints, next_cursor) = page.cut(read, |it| Place(it.size, it.day.clone()).to_string());
    let mut copies = HashMap::<_, Vec<_>>::new();
    if let (Some(largest), Some(smallest)) = (checkpoints.first(), checkpoints.last()) {
        for copy in store.copies(org_id, smallest.size, largest.size).await? {
            let shown = CheckpointCopy {
                destination_id: copy.key.destination_id,
                key: copy.object_key,
                written_at: copy.written_at,
            };
            copies.entry((copy.key.size, copy.key.day)).or_default().push(shown);
        }
    }
    let shown = checkpoints.into_iter().map(|checkpoint| AuditCheckpoint {
        copies: copies.remove(&place(&checkpoint)).unwrap_or_default(),
        size: checkpoint.size,
        root_hash: hex::encode(checkpoint.root),
        signed_at: checkpoint.signed_at,
        note: checkpoint.note,
        key_ids: checkpoint.key_ids,
    });
    Ok(Json(AuditCheckpointList { checkpoints: shown.collect(), next_cursor }))
}
