//! What is done about what was found: noted once, told in the organization's chain, and forgotten when it holds again.

use walwarden_contract::OrgId;

use crate::jobs::retention::Keeper;
use crate::store::Result;
use crate::store::anomalies::Subject;

/// Notes what was found, once, and answers whether something is broken.
///
/// # Errors
/// When the store fails.
pub(in crate::jobs) async fn settle(
    keeper: &Keeper,
    org_id: OrgId,
    subject: impl Into<Subject>,
    failure: Option<String>,
) -> Result<bool> {
    let Keeper { store, system, .. } = keeper;
    let subject = subject.into();
    let Some(failure) = failure else {
        if store.clear_anomaly(org_id, subject).await? {
            tracing::warn!(%org_id, stream_id = %subject, "an audit chain that did not hold does so again");
        }
        return Ok(false);
    };
    tracing::error!(%org_id, stream_id = %subject, %failure, "an audit chain does not hold");
    store.note_anomaly(org_id, subject, &failure, system.now()).await?;
    // The organization's own chain may be what is broken, and take no event: the next look tries again.
    if let Err(error) = store.raise_anomaly(org_id, subject, &failure, system.now()).await {
        tracing::error!(%org_id, stream_id = %subject, %error, "the organization's chain does not take the event of the anomaly");
    }
    Ok(true)
}
