//! What is shown of a destination: everything but its credentials.

use serde_json::{Value, json};

use crate::commands::output::{Column, Outcome, details};
use crate::store::destinations::Destination;

pub(super) const COLUMNS: [Column; 7] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("PROVIDER", "provider"),
    ("BUCKET", "bucket"),
    ("LOCK", "lockMode"),
    ("DAYS", "retentionDays"),
    ("STATE", "state"),
];

const DETAILS: [Column; 20] = [
    ("Id", "id"),
    ("Name", "name"),
    ("Provider", "provider"),
    ("Bucket", "bucket"),
    ("Endpoint", "endpoint"),
    ("Region", "region"),
    ("Addressing", "addressing"),
    ("Checksum mode", "checksumMode"),
    ("Lock mode", "lockMode"),
    ("Retention days", "retentionDays"),
    ("Encryption", "encryption"),
    ("KMS key", "kmsKeyId"),
    ("For trying only", "trial"),
    ("Role", "roleArn"),
    ("External id", "externalId"),
    ("State", "state"),
    ("Verified", "verifiedAt"),
    ("Next preflight", "nextPreflightAt"),
    ("Created", "createdAt"),
    ("Updated", "updatedAt"),
];

pub(super) fn record(destination: &Destination) -> Value {
    json!({
        "id": destination.id,
        "orgId": destination.org_id,
        "name": destination.name,
        "provider": destination.provider,
        "endpoint": destination.endpoint,
        "region": destination.region,
        "bucket": destination.bucket,
        "addressing": destination.addressing,
        "checksumMode": destination.checksum_mode,
        "lockMode": destination.lock_mode,
        "retentionDays": destination.retention_days,
        "encryption": destination.encryption,
        "kmsKeyId": destination.kms_key_id,
        "trial": destination.trial,
        "roleArn": destination.role.as_ref().map(|role| &role.arn),
        "externalId": destination.role.as_ref().map(|role| &role.external_id),
        "state": destination.verification.state,
        "verifiedAt": destination.verification.verified_at,
        "preflight": destination.verification.preflight,
        "nextPreflightAt": destination.verification.next_run_at,
        "createdAt": destination.created_at,
        "updatedAt": destination.updated_at,
    })
}

pub(super) fn shown(destination: &Destination) -> Outcome {
    let record = record(destination);
    let text = details(&record, &DETAILS);
    let outcome = Outcome::new(record, text);
    if destination.lock_mode == "none" {
        outcome.warn("nothing locks artifacts in this bucket: whoever holds its credentials can delete every backup")
    } else {
        outcome
    }
}
