//! Sealing every stored secret again with the newest key, so that the keys before it can go.

use walwarden_contract::OrgId;
use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::{Actor, SecretsResealed};

use crate::secrets::{SealError, Sealer};
use crate::store::sealed::{Place, reseal, sealed_otherwise};
use crate::store::{Store, StoreError, audit};
use crate::system::System;

/// How many secrets one transaction takes on.
const BATCH: u32 = 100;

/// How many secrets were sealed again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Credentials of destinations.
    pub destinations: u64,
    /// DSNs of databases.
    pub databases: u64,
}

/// Why secrets are still sealed with another key. Those before it were sealed again.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// One cannot be opened.
    #[error("the secret of {id} cannot be sealed again, and neither were those after it: {source}")]
    Sealed {
        /// Whose it is.
        id: String,
        /// Why.
        source: SealError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Seals every secret of an organization again that another key has sealed. Each batch is one transaction with its audit event: a
/// run that was cut off is taken up by the next.
///
/// # Errors
/// [`ResealError`].
pub async fn reseal_all(
    store: &Store,
    system: &System,
    sealer: &Sealer,
    org_id: OrgId,
) -> Result<Resealed, ResealError> {
    let mut total = Resealed::default();
    for place in [Place::Destinations, Place::Databases] {
        loop {
            let Batch { seen, done } = reseal_some(store, system, sealer, org_id, place).await?;
            match place {
                Place::Destinations => total.destinations += done,
                Place::Databases => total.databases += done,
            }
            // One that somebody changed meanwhile is seen, and not done: the next batch looks at it again.
            if seen == 0 {
                break;
            }
        }
    }
    Ok(total)
}

/// What one transaction came across.
struct Batch {
    seen: usize,
    done: u64,
}

async fn reseal_some(
    store: &Store,
    system: &System,
    sealer: &Sealer,
    org_id: OrgId,
    place: Place,
) -> Result<Batch, ResealError> {
    let mut tx = store.begin().await?;
    let found = sealed_otherwise(&mut tx, place, org_id, &sealer.prefix(), BATCH).await?;
    let seen = found.len();
    let mut done = 0;
    let mut unopened = None;
    for before in found {
        match sealer.open(&before.id, &before.text) {
            Ok(secret) => {
                let text = sealer.seal(system, &before.id, &secret);
                done += u64::from(reseal(&mut tx, place, &before, &text).await?);
            }
            Err(source) => {
                unopened = Some(ResealError::Sealed { id: before.id, source });
                break;
            }
        }
    }
    if done > 0 {
        let (destinations, databases) = match place {
            Place::Destinations => (done, 0),
            Place::Databases => (0, done),
        };
        let (key_id, by) = (sealer.key_id().to_owned(), Some(Actor::Operator));
        let resealed = Payload::SecretsResealed(SecretsResealed { key_id, destinations, databases, by });
        audit::append(&mut tx, org_id, &org_id.to_string(), system.now(), &resealed).await?;
    }
    tx.commit().await?;
    unopened.map_or(Ok(Batch { seen, done }), Err)
}
