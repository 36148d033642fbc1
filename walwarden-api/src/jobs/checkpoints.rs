//! Takes audit events into their organization's log, signs checkpoints of it, and copies those into the organization's buckets.
//!
//! Any number of processes may do so. Whatever one of them leaves undone when it dies is due still.

mod copying;
mod sequencing;
mod signing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use self::copying::Copier;
pub use self::sequencing::{Sequenced, sequence};
pub use self::signing::sign;
use super::integrity::settle;
use super::retention::Keeper;
use crate::store::anomalies::Subject;
use crate::store::{Result, StoreError};
use crate::system::after;
use crate::telemetry;
use walwarden_contract::{OrgId, Timestamp};

/// How many organizations a look is at.
const ORGANIZATIONS: u32 = 100;
/// How many transactions a look takes for one organization, before it signs what it has.
const TRANSACTIONS: usize = 50;
/// How long after one checkpoint the next is signed at the earliest: what ends within that time shares one.
const GAP_MILLIS: i64 = 2000;
/// When a log is looked at again that does not hold.
const AGAIN_MILLIS: i64 = 3_600_000;

/// What takes events into logs, and remembers which logs cannot be used for now.
#[derive(Clone)]
pub struct Sequencer {
    keeper: Keeper,
    stuck: Arc<Mutex<HashMap<OrgId, Timestamp>>>,
}

impl Sequencer {
    /// One that knows of no trouble yet.
    #[must_use]
    pub fn new(keeper: Keeper) -> Self {
        Self { keeper, stuck: Arc::default() }
    }

    /// Does everything that is due.
    ///
    /// # Errors
    /// When the store fails. What is wrong with one organization's log keeps no other waiting.
    pub async fn look(&self) -> Result<()> {
        let now = self.keeper.system.now();
        for org_id in self.keeper.store.due_logs(now, ORGANIZATIONS).await? {
            if self.is_stuck(org_id, now) {
                continue;
            }
            match self.of_organization(org_id).await {
                Ok(()) => {}
                Err(error @ StoreError::Database(_)) => return Err(error),
                Err(error) => {
                    self.all().insert(org_id, after(now, AGAIN_MILLIS));
                    telemetry::checkpoint("failed");
                    settle(
                        &self.keeper,
                        org_id,
                        Subject::Log(org_id),
                        Some(format!("The log cannot be used: {error}.")),
                    )
                    .await?;
                }
            }
        }
        Ok(())
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<OrgId, Timestamp>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stuck(&self, org_id: OrgId, now: Timestamp) -> bool {
        let mut all = self.all();
        all.retain(|_, until| *until > now);
        all.contains_key(&org_id)
    }

    async fn of_organization(&self, org_id: OrgId) -> Result<()> {
        let (keeper, now) = (&self.keeper, self.keeper.system.now());
        let log = keeper.store.log(org_id).await?;
        // A clock that was ahead keeps nothing waiting.
        if log.signed_at.is_some_and(|signed_at| signed_at <= now && after(signed_at, GAP_MILLIS) > now) {
            return Ok(());
        }
        for _ in 0..TRANSACTIONS {
            if !sequence(keeper, org_id).await?.more {
                break;
            }
        }
        sign(keeper, org_id).await.map(drop)
    }
}
