//! What the target's server and database say about themselves, in one query.

use std::time::Duration;

use crate::postgres::{FailureClass, LibpqEnv, QueryError, Tools, query};

/// Everything at once: what differs between two queries would be no state that the target was ever in.
///
/// Tables are those that hold rows of a user. Of other sessions, processes of the server itself do not count; whoever may not read what
/// a session does still sees that it is there.
const SURVEY: &str = "SELECT
    pg_catalog.current_setting('server_version_num'),
    pg_catalog.current_setting('server_version'),
    pg_catalog.current_database(),
    (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
    session_user,
    current_user,
    pg_catalog.pg_database_size(pg_catalog.current_database()),
    (SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'),
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database()
        AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
        AND coalesce(backend_type, 'client backend') = 'client backend'),
    coalesce(pg_catalog.has_function_privilege(
        pg_catalog.to_regprocedure('pg_catalog.pg_control_system()')::oid, 'EXECUTE'), false)";

/// What is known of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Survey {
    /// `server_version_num`, such as 170006.
    pub(super) version_num: u32,
    /// `server_version`, such as `17.6 (Debian 17.6-1)`.
    pub(super) version_text: String,
    /// The database connected to.
    pub(super) database: String,
    pub(super) database_oid: u32,
    /// The role connected as.
    pub(super) user: String,
    /// The role that the session acts as.
    pub(super) current_user: String,
    /// What the database takes on the server's disk.
    pub(super) size_bytes: u64,
    /// Whether the role may create databases.
    pub(super) may_create: bool,
    pub(super) tables: u64,
    pub(super) other_sessions: u64,
    /// Whether the role may ask for the cluster's identifier.
    identifier_readable: bool,
}

impl Survey {
    /// Major version, such as 17.
    pub(super) fn major(&self) -> u32 {
        self.version_num / 10_000
    }

    pub(super) fn read(row: &[String]) -> Option<Self> {
        let [
            version_num,
            version_text,
            database,
            oid,
            user,
            current_user,
            size,
            may_create,
            tables,
            sessions,
            readable,
        ] = row
        else {
            return None;
        };
        Some(Self {
            version_num: version_num.parse().ok()?,
            version_text: version_text.clone(),
            database: database.clone(),
            database_oid: oid.parse().ok()?,
            user: user.clone(),
            current_user: current_user.clone(),
            size_bytes: size.parse().ok()?,
            may_create: may_create == "t",
            tables: tables.parse().ok()?,
            other_sessions: sessions.parse().ok()?,
            identifier_readable: readable == "t",
        })
    }
}

/// Asks the target.
pub(super) async fn survey(tools: &Tools, connection: &LibpqEnv, deadline: Duration) -> Result<Survey, QueryError> {
    let rows = query(tools, connection, SURVEY, deadline).await?;
    let message = "the server's answer is not understood".to_owned();
    let read = rows.first().and_then(|row| Survey::read(row));
    read.ok_or(QueryError::Other { class: FailureClass::Other, message })
}

/// Asks for what tells this cluster from every other, where the role may read it.
pub(super) async fn system_identifier(
    tools: &Tools,
    connection: &LibpqEnv,
    survey: &Survey,
    deadline: Duration,
) -> Result<Option<String>, QueryError> {
    if !survey.identifier_readable {
        return Ok(None);
    }
    let sql = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
    match query(tools, connection, sql, deadline).await {
        Ok(rows) => Ok(rows.into_iter().flatten().next().filter(|text| !text.is_empty())),
        // Some platforms refuse it to roles that the catalog lets through.
        Err(QueryError::PermissionDenied { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_understood() {
        let row = ["170006", "17.6", "app", "16384", "u", "v", "1000", "t", "3", "2", "f"].map(str::to_owned);
        let survey = Survey::read(&row).expect("a whole answer");
        assert_eq!((survey.major(), survey.database_oid, survey.may_create), (17, 16384, true));
        assert_eq!((survey.tables, survey.other_sessions, survey.identifier_readable), (3, 2, false));
        assert_eq!(Survey::read(&row[1..]), None);
        for (index, _) in [0, 3, 6, 8, 9].iter().enumerate() {
            let mut broken = row.clone();
            broken[[0, 3, 6, 8, 9][index]] = "x".to_owned();
            assert_eq!(Survey::read(&broken), None);
        }
    }
}
