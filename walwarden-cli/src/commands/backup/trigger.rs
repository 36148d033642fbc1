//! `walwarden backup trigger`

use std::time::Duration;

use walwarden_contract::model::cli::{BackupStateEvent, BackupTriggerData, StateEvent};
use walwarden_contract::model::{Backup, BackupState, TriggeredBackup};
use walwarden_contract::{DatabaseId, ErrorBody, ErrorCode, Open};
use walwarden_sdk::{Poll, new_idempotency_key};

use super::super::{interruptible, to_value};
use super::{describe, next_of};
use crate::cli::{EventsFormat, TriggerArgs};
use crate::clock;
use crate::context::{Context, Report, command};
use crate::failure::Failure;
use crate::output::neutral::line;
use crate::output::progress::Live;

pub(crate) async fn run(context: &Context, arguments: TriggerArgs) -> Result<Report, Failure> {
    let client = context.client()?;
    let key = arguments.idempotency_key.unwrap_or_else(new_idempotency_key);
    let triggered = match interruptible(context, client.trigger_backup(arguments.database, &key)).await {
        Ok(triggered) => triggered,
        Err(failure) => {
            if is_refusal(&failure) {
                return Err(failure.untouched("No backup was queued by this command."));
            }
            let again = again(arguments.database, &key, arguments.wait, arguments.wait_timeout_ms, arguments.events);
            return Err(failure.untouched("Whether a backup was queued is not known.").next(again));
        }
    };
    let id = triggered.backup_job_id;
    if !arguments.wait {
        let human = queued(&triggered);
        let next = vec![command(&["backup", "status", &id.to_string()])];
        let data = to_value(&BackupTriggerData { triggered, completed: None });
        return Ok(Report { data, human, next });
    }
    let live = Live::new(context.printer);
    let tell = |state: &Open<BackupState>, attempt| {
        let event = BackupStateEvent { at: clock::now(), state: state.clone(), backup_job_id: id, attempt };
        context.printer.state(StateEvent::Backup(event));
    };
    tell(&triggered.state, 0);
    live.note(&format!("{} backup {id} is {}", clock::now(), triggered.state));
    live.wait(&format!("backup {id} is {}", triggered.state));
    let poll = Poll {
        deadline: arguments.wait_timeout_ms.map(Duration::from_millis),
        cancel: context.cancel.clone(),
        ..Poll::default()
    };
    let followed = client
        .poll_backup(id, &poll, |backup| {
            // What it was queued as is told already.
            if (&backup.state, backup.attempt) != (&triggered.state, 0) {
                tell(&backup.state, backup.attempt);
            }
            let standing = standing(backup);
            live.note(&format!("{} {standing}", clock::now()));
            live.wait(&format!("backup {id} is {standing}"));
        })
        .await;
    drop(live);
    let backup = followed.map_err(|error| {
        let status = command(&["backup", "status", &id.to_string()]);
        Failure::from(error).untouched(format!("Backup {id} goes on by itself.")).next(status)
    })?;
    if backup.state != BackupState::Completed {
        return Err(ended_badly(&backup));
    }
    let (human, next) = (describe(&backup, &context.view()), next_of(&backup));
    let data = to_value(&BackupTriggerData { triggered, completed: Some(backup) });
    Ok(Report { data, human, next })
}

/// Whether the server said no. After anything else the request may have been carried out.
fn is_refusal(failure: &Failure) -> bool {
    let unknown = |code| {
        matches!(
            code,
            ErrorCode::NetworkError
                | ErrorCode::Timeout
                | ErrorCode::ServiceUnavailable
                | ErrorCode::InternalError
                | ErrorCode::UnexpectedResponse
                | ErrorCode::Cancelled
        )
    };
    failure.body.code.known().is_some_and(|code| !unknown(code))
}

/// The same command once more: with the key it starts no second backup.
fn again(
    database: DatabaseId,
    key: &str,
    wait: bool,
    timeout_ms: Option<u64>,
    events: Option<EventsFormat>,
) -> Vec<String> {
    let mut words = command(&["backup", "trigger", "--database", &database.to_string(), "--idempotency-key", key]);
    if wait {
        words.push("--wait".to_owned());
    }
    words.extend(timeout_ms.into_iter().flat_map(|millis| ["--wait-timeout-ms".to_owned(), millis.to_string()]));
    if events.is_some() {
        words.extend(["--events", "jsonl"].map(str::to_owned));
    }
    words
}

pub(in crate::commands) fn queued(triggered: &TriggeredBackup) -> String {
    line(&format!("Backup {} is {}.", triggered.backup_job_id, triggered.state))
}

/// The state, and which attempt it is of once there is one.
fn standing(backup: &Backup) -> String {
    let state = &backup.state;
    match backup.attempt {
        0 => state.to_string(),
        attempt => format!("{state}, attempt {attempt} of {}", backup.max_attempts),
    }
}

/// The job's own error, which decides the exit code.
fn ended_badly(backup: &Backup) -> Failure {
    let code = if backup.state == BackupState::Cancelled { ErrorCode::Cancelled } else { ErrorCode::DumpFailed };
    let mut body = backup.error.clone().unwrap_or_else(|| ErrorBody::new(code, "The job ended without saying why."));
    body.message = format!("Backup {} is {}: {}", backup.id, backup.state, body.message);
    Failure::from(body).untouched("No artifact was completed; earlier backups are as they were.").next(command(&[
        "backup",
        "status",
        &backup.id.to_string(),
    ]))
}
