//! What is shown of a database: everything but its DSN.

use serde_json::{Value, json};

use crate::commands::admin::context::Context;
use crate::commands::output::{Column, Outcome, details};
use crate::http::view::database_view;
use crate::store::databases::{Database, LastBackup};

pub(super) const COLUMNS: [Column; 6] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("SOURCE", "sourceRedactedDsn"),
    ("SCHEDULE", "schedule"),
    ("NEXT RUN", "nextRunAt"),
    ("LAST BACKUP", "lastBackupJobId"),
];

const DETAILS: [Column; 11] = [
    ("Id", "id"),
    ("Name", "name"),
    ("Database", "databaseName"),
    ("Source", "sourceRedactedDsn"),
    ("Destination", "destinationId"),
    ("Codec", "codec"),
    ("Schedule (UTC)", "schedule"),
    ("Retention (days)", "retentionDays"),
    ("Next run", "nextRunAt"),
    ("Last backup", "lastBackupJobId"),
    ("Created", "createdAt"),
];

pub(super) fn record(context: &Context<'_>, database: &Database, last: Option<LastBackup>) -> Value {
    json!(database_view(database, last, context.system.now()))
}

pub(super) fn shown(context: &Context<'_>, database: &Database, last: Option<LastBackup>) -> Outcome {
    let record = record(context, database, last);
    let text = details(&record, &DETAILS);
    Outcome::new(record, text)
}
