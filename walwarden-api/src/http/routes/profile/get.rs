//! `getProfile`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::Open;
use walwarden_contract::capabilities::{MIN_CLIENT_VERSION, SURFACE_VERSION};
use walwarden_contract::model::Profile;

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::state::AppState;

pub(in crate::http) async fn handle(State(state): State<AppState>, caller: Caller) -> Result<Json<Profile>> {
    let organization = state.store.organization(caller.org_id()).await?;
    Ok(Json(Profile {
        org_id: organization.id,
        org_name: organization.name,
        api_key_id: caller.key.id,
        api_key_name: caller.key.name,
        client_kind: caller.key.client_kind.into(),
        scopes: caller.key.scopes.into_iter().map(Open::Known).collect(),
        expires_at: caller.key.expires_at,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        surface_version: Some(SURFACE_VERSION.to_owned()),
        min_client_version: Some(MIN_CLIENT_VERSION.to_owned()),
    }))
}
