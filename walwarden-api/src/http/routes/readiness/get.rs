//! `getReadiness`.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use walwarden_contract::model::{CheckStatus, Component, QueueDepth, Readiness, ReadinessCheck};
use walwarden_contract::{OrgId, Timestamp};

use crate::http::auth::Caller;
use crate::http::error::Result;
use crate::http::state::AppState;
use crate::jobs::integrity::{AuditLook, expected_by};
use crate::store::looks::LookKind;
use crate::store::workers::Presence;
use crate::system::after;

/// A worker that was not seen for this long does not work. It shows itself several times in that span.
const ABSENT_MILLIS: i64 = 60_000;
/// A schedule that has been due for this long was overlooked: they are looked at every second.
const OVERDUE_MILLIS: i64 = 300_000;

/// An event that has been due for this long was overlooked: they are looked at every second.
const EVENT_MILLIS: i64 = 600_000;
/// A bucket that has not taken a checkpoint for this long does not take any.
const COPY_MILLIS: i64 = 3_600_000;

const START_ONE: &str = "Start one with `walwarden-api serve --role worker`, or with `--role all` beside the API.";

fn check(component: Component, holds: bool, evidence: impl Into<String>) -> ReadinessCheck {
    let status = if holds { CheckStatus::Passed } else { CheckStatus::Failed };
    ReadinessCheck { component: component.into(), status: status.into(), evidence: evidence.into() }
}

fn worker(seen: Presence, now: Timestamp) -> ReadinessCheck {
    let Some(last) = seen.last_seen_at else {
        return check(Component::Worker, false, format!("No worker was seen in the last minute. {START_ONE}"));
    };
    let seconds = now.as_millis().saturating_sub(last.as_millis()).max(0) / 1000;
    let evidence = format!("Workers seen in the last minute: {}; the latest {seconds} s ago.", seen.workers);
    check(Component::Worker, true, evidence)
}

/// The scheduler runs where a worker does.
fn scheduler(seen: Presence, overdue: bool) -> ReadinessCheck {
    if seen.workers == 0 {
        let evidence = format!("Nothing looks at the schedules, because no worker runs. {START_ONE}");
        return check(Component::Scheduler, false, evidence);
    }
    if overdue {
        let evidence = "A schedule has been due for more than five minutes. Look at the log of the worker.";
        return check(Component::Scheduler, false, evidence);
    }
    check(Component::Scheduler, true, "No schedule has been due for more than five minutes.")
}

/// Whether the organization's chains held when they were last looked at, and that was not too long ago.
async fn audit(state: &AppState, org_id: OrgId, now: Timestamp) -> Result<ReadinessCheck> {
    const NAMED: u32 = 3;
    let broken = state.store.count_anomalies(Some(org_id)).await?;
    if broken > 0 {
        let named = state.store.anomalies(org_id, NAMED).await?;
        let named: Vec<_> = named.iter().map(|it| format!("{} ({})", it.stream_id, it.failure)).collect();
        let evidence = format!("Audit chains that do not hold: {broken}. {}", named.join(" "));
        return Ok(check(Component::Audit, false, evidence));
    }
    let last = state.store.look_result(LookKind::Audit, org_id).await?;
    let last = last.and_then(|text| serde_json::from_str::<AuditLook>(&text).ok());
    let every_millis = last.as_ref().and_then(|look| look.every_millis);
    let every_millis = every_millis.unwrap_or_else(|| i64::from(state.settings.audit_check_seconds) * 1000);
    let overdue = |since: Timestamp| expected_by(since, every_millis) < now;
    let late = format!("and are to be looked at every {} s. Look at the log of the worker.", every_millis / 1000);
    Ok(match last {
        Some(AuditLook { broken: broken @ 1.., finished_at: Some(at), .. }) => {
            let evidence =
                format!("{broken} audit chains did not hold at {at}, and nothing is noted of them any more.");
            check(Component::Audit, false, evidence)
        }
        Some(AuditLook { finished_at: Some(at), .. }) if overdue(at) => {
            check(Component::Audit, false, format!("The audit chains were last looked at at {at}, {late}"))
        }
        Some(AuditLook { finished_at: Some(at), streams, .. }) => {
            check(Component::Audit, true, format!("All {streams} audit chains held at {at}."))
        }
        _ if overdue(state.store.organization(org_id).await?.created_at) => {
            check(Component::Audit, false, format!("The audit chains were never looked at, {late}"))
        }
        _ => ReadinessCheck {
            status: CheckStatus::NotVerifiable.into(),
            ..check(Component::Audit, true, "The audit chains were not looked at yet: a worker does so within hours.")
        },
    })
}

/// Whether events come into checkpoints, and those into buckets.
async fn checkpoints(state: &AppState, org_id: OrgId, now: Timestamp) -> Result<ReadinessCheck> {
    let failed = |evidence: String| Ok(check(Component::Checkpoints, false, evidence));
    let waiting = state.store.waiting_for_checkpoints(org_id).await?;
    if let Some(due_at) = waiting.event_due_at.filter(|at| after(*at, EVENT_MILLIS) < now) {
        return failed(format!(
            "An audit event should have been in a signed checkpoint at {due_at}. Look at the log of the worker."
        ));
    }
    if let Some((since, failure)) = waiting.copy_since.filter(|(since, _)| after(*since, COPY_MILLIS) < now) {
        let failure = failure.map_or_else(String::new, |failure| format!(" {failure}."));
        return failed(format!("A checkpoint of {since} is not in its bucket yet.{failure}"));
    }
    Ok(match state.store.newest_checkpoint(org_id).await? {
        Some(newest) => {
            let (size, signed_at) = (newest.size, newest.signed_at);
            let evidence = format!("The newest checkpoint has {size} leaves, and was first signed at {signed_at}.");
            check(Component::Checkpoints, true, evidence)
        }
        None => ReadinessCheck {
            status: CheckStatus::NotVerifiable.into(),
            ..check(Component::Checkpoints, true, "No checkpoint was signed yet: a worker does so within seconds.")
        },
    })
}

pub(in crate::http) async fn handle(State(state): State<AppState>, caller: Caller) -> Result<Json<Readiness>> {
    let (store, org_id, now) = (&state.store, caller.org_id(), state.system.now());
    let overdue_since = after(now, -OVERDUE_MILLIS);
    let seen = store.workers_seen_since(after(now, -ABSENT_MILLIS)).await?;
    let overdue = !store.due_databases(overdue_since, 1).await?.is_empty();
    let queue = store.queue(org_id).await?;
    let overdue_databases = store.count_overdue_databases(org_id, overdue_since).await?;

    let accepting = state.ready.load(Ordering::SeqCst);
    let server = if accepting { "This process takes requests." } else { "This process is stopping." };
    let checks = vec![
        // Without an answer from the store there would be no answer here.
        check(Component::Store, true, "The store answered."),
        check(Component::Server, accepting, server),
        worker(seen, now),
        scheduler(seen, overdue),
        audit(&state, org_id, now).await?,
        checkpoints(&state, org_id, now).await?,
    ];
    let failed = checks.iter().any(|check| check.status == CheckStatus::Failed);
    Ok(Json(Readiness {
        result: if failed { CheckStatus::Failed } else { CheckStatus::Passed }.into(),
        checked_at: now,
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        checks,
        queue: QueueDepth { queued: queue.waiting, running: queue.held, oldest_queued_at: queue.oldest },
        overdue_databases,
    }))
}
