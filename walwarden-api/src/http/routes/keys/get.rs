//! `getApiKey`.

use axum::Json;
use walwarden_contract::Open;
use walwarden_contract::model::ApiKeyDescription;
use walwarden_contract::operations::{Auth, OPERATIONS, Operation};

use crate::http::auth::Caller;

pub(in crate::http) async fn handle(caller: Caller) -> Json<ApiKeyDescription> {
    let key = caller.key;
    let opens = |operation: &&Operation| match operation.auth {
        Auth::ApiKey(scope) => scope.is_none_or(|scope| key.scopes.contains(&scope)),
        Auth::RestoreToken => false,
    };
    let operations = OPERATIONS.iter().filter(opens).map(|operation| operation.id.to_owned()).collect();
    Json(ApiKeyDescription {
        id: key.id,
        org_id: key.org_id,
        name: key.name,
        client_kind: key.client_kind.into(),
        scopes: key.scopes.into_iter().map(Open::Known).collect(),
        created_at: key.created_at,
        expires_at: key.expires_at,
        operations,
    })
}
