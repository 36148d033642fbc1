//! `updateDestination`.

use axum::Json;
use axum::extract::State;
use walwarden_contract::DestinationId;
use walwarden_contract::model::{Destination, UpdateDestinationRequest};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::extract::{Body, Id};
use crate::http::state::AppState;
use crate::http::view::destination_view;
use crate::registry::destination::{Connection, DestinationChange, Looker, NewCredentials, update};
use crate::registry::{Field, RegistryError};

pub(in crate::http) async fn handle(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id<DestinationId>,
    request: Body<UpdateDestinationRequest>,
) -> Result<Json<Destination>> {
    let UpdateDestinationRequest {
        name,
        checksum_mode,
        lock_mode,
        retention_floor_days: retention_days,
        encryption,
        kms_key_id,
        access_key_id,
        secret_access_key,
        role_arn,
    } = request.value;
    // Whether it is there comes first: of what is not, nothing else is said.
    state.store.destination(caller.org_id(), id).await?;
    let credentials = match (access_key_id, secret_access_key) {
        (None, None) => None,
        (Some(id), Some(secret)) => Some(NewCredentials {
            keyring: &state.keyring,
            access_key_id: Some(id),
            secret_access_key: Some(secret.expose().clone()),
        }),
        // Half of a key belongs to no key.
        (Some(_), None) => return Err(missing(Field::SecretAccessKey, Field::AccessKeyId).into()),
        (None, Some(_)) => return Err(missing(Field::AccessKeyId, Field::SecretAccessKey).into()),
    };
    let connection =
        Connection { checksum_mode, lock_mode, retention_days, encryption, kms_key_id, ..Connection::default() };
    let change = DestinationChange { name, bucket: None, connection, credentials, role_arn, looker: Looker::Worker };
    let by = Some(caller.key.id);
    let changed = update(&state.store, &state.system, caller.org_id(), id, change, by).await?;
    Ok(Json(destination_view(&changed)?))
}

fn missing(field: Field, given: Field) -> RegistryError {
    RegistryError::Invalid { field, problem: format!("is missing: it comes together with {}", given.json()) }
}
