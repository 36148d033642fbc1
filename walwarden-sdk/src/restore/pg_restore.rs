//! Running `pg_restore` on the verified local copy, and judging how it ended.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;

use super::classify::{Classifier, Tolerated};
use super::options::RestoreOptions;
use super::target::Target;
use super::unless_cancelled;
use crate::Error;
use crate::postgres::ToolName;

/// How long `pg_restore` may take to roll back and leave after SIGTERM.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// Restores the artifact into `database`, which is created first where the mode says so.
pub(super) async fn restore(
    target: &Target,
    options: &RestoreOptions,
    artifact: &Path,
    database: &str,
    stop: CancellationToken,
) -> Result<Tolerated, Error> {
    if options.mode == RestoreMode::NewDatabase && options.created_database.is_some() {
        unless_cancelled(&stop, target.create_database(database)).await?;
    }
    let connection = match (options.mode, &options.created_database) {
        // --create connects to the maintenance database and takes the new one's name from the archive.
        (RestoreMode::NewDatabase, None) => target.connection.clone(),
        _ => target.connection.with_database(database),
    };
    let classifier = Arc::new(Mutex::new(Classifier::default()));
    let lines = Arc::clone(&classifier);
    let spawn = target
        .tools
        .spawn(ToolName::PgRestore)
        .map_err(|error| Error::new(ErrorCode::ToolMissing, format!("{error}.")))?
        .args(arguments(options))
        .connect(&connection)
        .on_stderr_line(move |line| lines.lock().unwrap_or_else(PoisonError::into_inner).line(line))
        .arg(artifact);
    let mut tool = spawn.spawn().map_err(|error| Error::new(ErrorCode::ToolMissing, format!("{error}.")))?;
    let exit = tokio::select! {
        biased;
        () = stop.cancelled() => {
            if let Err(error) = tool.kill(KILL_GRACE).await {
                tracing::warn!(%error, "pg_restore could not be awaited");
            }
            let message = format!("The restore was cancelled while pg_restore ran: {database:?} may hold part of the data.");
            return Err(Error::new(ErrorCode::Cancelled, message));
        }
        exit = tool.wait() => exit,
    };
    let exit = exit.map_err(|error| Error::new(ErrorCode::RestoreFailed, format!("pg_restore was lost: {error}.")))?;
    let classifier = std::mem::take(&mut *classifier.lock().unwrap_or_else(PoisonError::into_inner));
    classifier.judge(exit.status).map_err(|error| {
        let message = format!("{error} {database:?} on the target may hold part of the data.");
        error.with_message(message)
    })
}

fn arguments(options: &RestoreOptions) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![format!("--jobs={}", options.effective_jobs()).into()];
    let mut flag = |name: &str, set: bool| {
        if set {
            arguments.push(name.into());
        }
    };
    let in_place = options.mode == RestoreMode::InPlace;
    flag("--clean", in_place);
    flag("--if-exists", in_place);
    // Never together with --clean: it would drop whatever database has the archive's name.
    flag("--create", !in_place && options.created_database.is_none());
    flag("--no-owner", options.leave_out.owner);
    flag("--no-privileges", options.leave_out.acl);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{Dsn, Tools};
    use crate::restore::LeaveOut;

    fn options(mode: RestoreMode) -> RestoreOptions {
        let mut options = RestoreOptions::new(Dsn::parse("postgresql://h/d").expect("a DSN"), mode, Tools::default());
        options.jobs = std::num::NonZeroUsize::new(3);
        options
    }

    #[test]
    fn each_mode_has_its_flags() {
        assert_eq!(arguments(&options(RestoreMode::InPlace)), ["--jobs=3", "--clean", "--if-exists"]);
        assert_eq!(arguments(&options(RestoreMode::NewDatabase)), ["--jobs=3", "--create"]);
        let mut named = options(RestoreMode::NewDatabase);
        named.created_database = Some("x".to_owned());
        named.leave_out = LeaveOut { owner: true, acl: true, analyze: true };
        assert_eq!(arguments(&named), ["--jobs=3", "--no-owner", "--no-privileges"]);
    }
}
