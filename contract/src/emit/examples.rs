//! An example of every request and every success, built from the types themselves: a changed field does not compile.

mod backups;
mod checkpoints;
mod databases;
mod destinations;
mod evidence;
mod facts;
mod inventory;
mod recovery;
mod restores;
mod service;
mod source_checks;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use crate::error::ConfirmationChallenge;

/// One example.
pub(super) struct Example {
    /// Its name among the examples of one document.
    pub(super) name: &'static str,
    /// What it shows.
    pub(super) summary: &'static str,
    /// The document.
    pub(super) value: Value,
}

fn example(name: &'static str, summary: &'static str, document: impl Serialize) -> Example {
    Example { name, summary, value: serde_json::to_value(document).expect("models are JSON objects") }
}

/// What a gated operation answers to an agent.
pub(super) fn challenge() -> ConfirmationChallenge {
    ConfirmationChallenge {
        summary: format!("Remove the protected database {}. Its backups and evidence stay.", facts::database()),
        challenge: "wcc1.1769825400000.n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg".to_owned(),
        expires_at: facts::at(10 * facts::MINUTE),
    }
}

/// What an operation may be sent.
pub(super) fn requests(operation: &str) -> Vec<Example> {
    match operation {
        "triggerBackup" => vec![example("adhoc", "A backup on demand.", backups::trigger_request())],
        "createRestore" => vec![
            example("new_database", "A restore into a database that it creates.", restores::create_request()),
            example("in_place", "A restore over a database that exists.", restores::create_in_place_request()),
        ],
        "createDatabase" => vec![example("nightly", "A backup every night.", databases::create_request())],
        "updateDatabase" => vec![example("schedule", "Another schedule.", databases::update_request())],
        "createDestination" => vec![
            example("aws", "A bucket of Amazon S3, locked for a week.", destinations::create_request()),
            example("s3_compatible", "A bucket of another server.", destinations::create_compatible_request()),
        ],
        "updateDestination" => vec![example("key", "A new access key.", destinations::update_request())],
        "triggerRestore" => vec![example("trigger", "The token's manifest and mode.", restores::trigger_request())],
        "reportRestore" => vec![
            example("heartbeat", "The artifact is still on its way.", restores::heartbeat()),
            example("verified", "Hashes and signature match.", restores::verified_report()),
        ],
        _ => Vec::new(),
    }
}

/// What an operation may answer.
pub(super) fn responses(operation: &str) -> Vec<Example> {
    match operation {
        "getProfile" => vec![example("profile", "The key of a pipeline.", service::profile())],
        "listDatabases" => vec![example("page", "The only page.", databases::list())],
        "getDatabase" | "createDatabase" | "updateDatabase" => {
            vec![example("database", "A database with a nightly schedule.", databases::database())]
        }
        "listDestinations" => vec![example("page", "The only page.", destinations::list())],
        "getDestination" | "createDestination" | "updateDestination" => {
            vec![example("destination", "A bucket of Amazon S3.", destinations::destination())]
        }
        "listDatabaseBackups" => vec![example("page", "The first of several pages.", backups::list())],
        "triggerBackup" => vec![example("queued", "The job waits for a worker.", backups::triggered())],
        "getBackup" => vec![
            example("completed", "Artifact and manifest were read back.", backups::completed()),
            example("failed", "The source cannot be reached; another attempt follows.", backups::failed()),
            example("expired", "Completed once, and deleted since, as its database asks.", backups::expired()),
        ],
        "cancelBackup" => vec![example("cancelled", "The job was called off.", backups::cancelled())],
        "dismissBackup" => vec![example("dismissed", "Somebody took note of the failure.", backups::dismissed())],
        "listEvidence" => vec![example("page", "The only page.", evidence::list())],
        "getEvidence" => vec![example("evidence", "A backup that was also restored.", evidence::evidence())],
        "createRestore" => vec![example("session", "An open session.", restores::session())],
        "getRestore" => vec![
            example("completed", "The restore is done.", restores::completed()),
            example("failed", "The download was interrupted.", restores::failed()),
        ],
        "triggerRestore" => vec![example("triggered", "The token is used.", restores::triggered())],
        "claimRestore" => vec![example("claim", "Manifest, key and URL.", restores::claim())],
        "refreshArtifactUrl" => vec![example("url", "A fresh URL.", restores::artifact_url())],
        "reportRestore" => vec![example("verifying", "The state is recorded.", restores::verified())],
        "getRecoverySummary" => vec![example("drilled", "A restored backup.", recovery::summary())],
        "getRecoveryCandidate" => vec![example("candidate", "The backup to restore.", recovery::candidate())],
        "getRecoveryWindowProof" => vec![example("proof", "Everything holds.", recovery::proof())],
        "preflightDestination" => vec![
            example("passed", "The destination can take backups.", destinations::preflight_passed()),
            example("failed", "Writing was refused.", destinations::preflight_failed()),
        ],
        "checkDatabase" => vec![
            example("passed", "The source can be backed up.", source_checks::passed()),
            example("failed", "A table cannot be read.", source_checks::failed()),
        ],
        "listAuditStreams" => vec![example("page", "The only page.", evidence::streams())],
        "listAuditEvents" => vec![example("page", "The chain of a backup.", evidence::events())],
        "verifyAuditStream" => vec![example("passed", "The chain is whole.", evidence::verification())],
        "listCheckpoints" => vec![example("page", "The only page.", checkpoints::list())],
        "getInclusionProof" => vec![example("proof", "The first event of a log of three.", checkpoints::inclusion())],
        "getConsistencyProof" => vec![example("proof", "From two leaves to three.", checkpoints::consistency())],
        "getReconciliation" => vec![
            example("clean", "Everything agrees.", inventory::clean()),
            example("failed", "Somebody deleted an artifact.", inventory::failed()),
        ],
        "getReadiness" => vec![example("passed", "Everything answers.", service::readiness())],
        "getApiKey" => vec![example("key", "The key of a pipeline.", service::api_key())],
        "listTools" => vec![example("tools", "A key with no scope but one.", service::tools())],
        _ => Vec::new(),
    }
}
