//! The target, through psql: reachable, and holding or not holding the database in question.

use std::path::Path;
use std::time::Duration;

use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;

use super::options::RestoreOptions;
use super::survey::{self, Survey, survey};
use crate::Error;
use crate::postgres::{
    FailureClass, LibpqEnv, QueryError, ToolError, ToolName, ToolVersion, Tools, query, quote_identifier, quote_literal,
};

const CHECK_DEADLINE: Duration = Duration::from_mins(1);
const CREATE_DEADLINE: Duration = Duration::from_mins(10);
/// Statistics of a large database take a while; nothing else bounds them.
const ANALYZE_DEADLINE: Duration = Duration::from_hours(24);

const NO_PASSWORD: &str = "The target wants a password, and none was given: set PGPASSWORD, name a passfile with \
                           PGPASSFILE, or give the whole connection string by --target-file or WALWARDEN_TARGET_DSN.";

/// A target that answered, and the tools to work on it.
pub(super) struct Target {
    pub(super) tools: Tools,
    pub(super) pg_restore: ToolVersion,
    pub(super) survey: Survey,
    /// Connects to the maintenance database (`new_database`) or the target itself (`in_place`).
    pub(super) connection: LibpqEnv,
}

impl Target {
    /// Finds the tools and asks the target what must be known before the token is used. The password goes into a passfile in
    /// `directory`, or the system's temporary one.
    pub(super) async fn prepare(options: &RestoreOptions, directory: Option<&Path>) -> Result<Self, Error> {
        let tools = options.tools.clone();
        let pg_restore = tools.version(ToolName::PgRestore).await.map_err(|error| tool_error(&error))?;
        tools.locate(ToolName::Psql).map_err(|error| tool_error(&error))?;
        let connection = connect(options, directory)?;
        let survey = survey(&tools, &connection, CHECK_DEADLINE).await.map_err(|error| query_error(&error))?;
        let target = Self { tools, pg_restore, survey, connection };
        if options.mode == RestoreMode::NewDatabase {
            if !target.survey.may_create {
                let message = "The target role may not create databases.";
                return Err(Error::new(ErrorCode::TargetPermissionDenied, message));
            }
            if let Some(name) = &options.created_database {
                target.check_absent(name).await?;
            }
        }
        Ok(target)
    }

    /// What tells this cluster from every other, where the role may read it.
    pub(super) async fn system_identifier(&self) -> Result<Option<String>, Error> {
        let asked = survey::system_identifier(&self.tools, &self.connection, &self.survey, CHECK_DEADLINE).await;
        asked.map_err(|error| query_error(&error))
    }

    /// `psql`'s version.
    pub(super) async fn psql(&self) -> Result<ToolVersion, Error> {
        self.tools.version(ToolName::Psql).await.map_err(|error| tool_error(&error))
    }

    /// Refuses when the database to be created is there already.
    pub(super) async fn check_absent(&self, name: &str) -> Result<(), Error> {
        let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", quote_literal(name));
        let rows =
            query(&self.tools, &self.connection, &sql, CHECK_DEADLINE).await.map_err(|error| query_error(&error))?;
        if rows.is_empty() {
            return Ok(());
        }
        let message = format!("The target server already has a database named {name:?}. It was not touched.");
        Err(Error::new(ErrorCode::TargetDatabaseExists, message))
    }

    /// Creates an empty database from `template0`, which holds nothing that the archive could collide with.
    pub(super) async fn create_database(&self, name: &str) -> Result<(), Error> {
        let sql = format!("CREATE DATABASE {} TEMPLATE template0", quote_identifier(name));
        query(&self.tools, &self.connection, &sql, CREATE_DEADLINE).await.map(drop).map_err(|error| query_error(&error))
    }

    /// Gives the planner its statistics, which an archive of `pg_dump` before 18 does not hold.
    pub(super) async fn analyze(&self, database: &str) -> Result<(), Error> {
        let connection = self.connection.with_database(database);
        query(&self.tools, &connection, "ANALYZE", ANALYZE_DEADLINE)
            .await
            .map(drop)
            .map_err(|error| query_error(&error))
    }
}

/// Whether the target wants a password that neither the options nor a passfile has.
pub(super) async fn lacks_password(options: &RestoreOptions) -> Result<bool, Error> {
    if options.target.has_password() || options.ambient.pgpassword.is_some() {
        return Ok(false);
    }
    let asked = query(&options.tools, &connect(options, None)?, "SELECT 1", CHECK_DEADLINE).await;
    Ok(matches!(asked, Err(QueryError::AuthFailed { message }) if is_no_password(&message)))
}

/// libpq's own words, which no server translates.
fn is_no_password(message: &str) -> bool {
    message.contains("fe_sendauth: no password supplied")
}

fn connect(options: &RestoreOptions, directory: Option<&Path>) -> Result<LibpqEnv, Error> {
    let target = options.target.with_database(options.first_database());
    let connection = target.libpq_env(directory, &options.ambient);
    connection.map_err(|error| Error::new(ErrorCode::TargetInvalid, format!("The target cannot be used: {error}.")))
}

fn tool_error(error: &ToolError) -> Error {
    Error::new(ErrorCode::ToolMissing, format!("{error}."))
}

fn query_error(error: &QueryError) -> Error {
    if let QueryError::AuthFailed { message } = error
        && is_no_password(message)
    {
        return Error::new(ErrorCode::TargetAuthFailed, NO_PASSWORD);
    }
    let code = match error {
        QueryError::AuthFailed { .. } => ErrorCode::TargetAuthFailed,
        QueryError::DatabaseMissing { .. } => ErrorCode::TargetDatabaseMissing,
        QueryError::DatabaseExists { .. } => ErrorCode::TargetDatabaseExists,
        QueryError::PermissionDenied { .. } => ErrorCode::TargetPermissionDenied,
        QueryError::ToolMissing(_) => ErrorCode::ToolMissing,
        QueryError::Other { class, .. } => class_code(*class),
        _ => ErrorCode::TargetUnreachable,
    };
    Error::new(code, format!("The target: {error}."))
}

/// The code for what a Postgres tool said about the target.
pub(super) fn class_code(class: FailureClass) -> ErrorCode {
    match class {
        FailureClass::Unreachable | FailureClass::TlsFailed | FailureClass::ConnectionLost => {
            ErrorCode::TargetUnreachable
        }
        FailureClass::AuthFailed => ErrorCode::TargetAuthFailed,
        FailureClass::PermissionDenied => ErrorCode::TargetPermissionDenied,
        FailureClass::DatabaseMissing => ErrorCode::TargetDatabaseMissing,
        FailureClass::DatabaseExists => ErrorCode::TargetDatabaseExists,
        FailureClass::VersionMismatch => ErrorCode::ToolVersionUnsupported,
        _ => ErrorCode::RestoreFailed,
    }
}
