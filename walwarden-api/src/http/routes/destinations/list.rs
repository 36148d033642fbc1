//! `listDestinations`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DestinationId;
use walwarden_contract::model::DestinationList;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::Page;
use crate::http::state::AppState;
use crate::http::view::destination_view;

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    page: Page<DestinationId>,
) -> Result<Json<DestinationList>> {
    let read = state.store.destination_page(caller.org_id(), page.after, page.limit + 1).await?;
    let (rows, next_cursor) = page.cut(read, |destination| destination.id.to_string());
    let destinations = rows.iter().map(destination_view).collect::<Result<_, _>>()?;
    Ok(Json(DestinationList { destinations, next_cursor }))
}
