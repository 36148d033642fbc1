//! `walwarden-api admin destination preflight`, and the preflight that follows every change.

use serde_json::{Value, json};
use walwarden_contract::DestinationId;
use walwarden_contract::model::{CheckStatus, PreflightReport};

use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::output::{Column, CommandResult, Failure, Outcome, table};
use crate::jobs::preflights;
use crate::secrets::Keyring;
use crate::store::destinations::Destination;

pub(super) const EXAMPLE: &str = "Example:
  walwarden-api admin destination preflight dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3";

const COLUMNS: [Column; 4] = [("CHECK", "id"), ("STATUS", "status"), ("CODE", "code"), ("EVIDENCE", "evidence")];

fn text_of(report: &PreflightReport) -> String {
    let records: Vec<Value> = report.checks.iter().map(|check| json!(check)).collect();
    let mut text = table(&records, &COLUMNS, "Nothing was looked at.");
    for remedy in report.checks.iter().filter_map(|check| check.remediation.as_deref()) {
        text = format!("{text}\n\n{remedy}");
    }
    text
}

/// The outcome, with the first failed check as what is wrong.
fn judged(outcome: Outcome, report: &PreflightReport) -> Outcome {
    let failed = report.checks.iter().find(|check| check.status == CheckStatus::Failed);
    match failed.and_then(|check| check.code.as_ref()?.known().map(|code| (code, check))) {
        Some((code, check)) => outcome.finding(code, check.evidence.clone()),
        None => outcome,
    }
}

pub(super) async fn run(id: DestinationId, context: &Context<'_>) -> CommandResult {
    let destination = context.store.destination(context.org_id, id).await?;
    let looked = preflights::look(&context.store, context.system, &context.keyring()?, &destination, None).await?;
    Ok(judged(Outcome::new(json!(looked.report), text_of(&looked.report)), &looked.report))
}

/// Tries a change out that is not written yet, and says what it would fail at; `None` when it would not.
pub(super) async fn refused(
    context: &Context<'_>,
    keyring: &Keyring,
    before: &Destination,
    candidate: &Destination,
) -> Result<Option<Outcome>, Failure> {
    let report = preflights::try_out(&context.store, context.system, keyring, before, candidate).await?;
    if report.summary().failed.is_empty() {
        return Ok(None);
    }
    let outcome = judged(Outcome::new(json!({ "changed": false, "report": report }), text_of(&report)), &report);
    let warning =
        "nothing was changed: preflight fails with the new access; add --force to replace the old one all the same";
    Ok(Some(outcome.warn(warning)))
}

/// Looks at a destination that was just written, and shows both. What is written stays, whatever is found.
pub(super) async fn after_change(context: &Context<'_>, keyring: &Keyring, destination: &Destination) -> CommandResult {
    let looked = preflights::look(&context.store, context.system, keyring, destination, None).await;
    let looked = looked.map_err(|error| {
        let Failure(mut failure) = error.into();
        failure.message = format!("{}; the destination {} is kept, unverified", failure.message, destination.id);
        Failure(failure)
    })?;
    let mut outcome = shown(&looked.destination);
    outcome.text = format!("{}\n\n{}", outcome.text.trim_end(), text_of(&looked.report));
    outcome.data["report"] = json!(looked.report);
    let outcome = judged(outcome, &looked.report);
    let id = destination.id.to_string();
    Ok(if outcome.finding.is_some() {
        let outcome = outcome.warn("the destination is kept, and takes no backups until its preflight passes");
        outcome.then(&["walwarden-api", "admin", "destination", "preflight", &id])
    } else {
        outcome
    })
}
