//! A server, and what the tests put into it.

use std::path::PathBuf;
use std::time::Duration;

use walwarden_sdk::postgres::{Ambient, ClusterOptions, Dsn, EphemeralCluster, LibpqEnv, Tools, query};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The newest installed directory of server programs.
pub(crate) fn server_directory() -> PathBuf {
    let entries = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|directory| directory.join("initdb").is_file());
    found.sort();
    found.pop().expect("a PostgreSQL server is installed")
}

pub(crate) fn tools() -> Tools {
    Tools::discover(Some(&server_directory()), None)
}

pub(crate) async fn cluster() -> EphemeralCluster {
    EphemeralCluster::start(&server_directory(), &ClusterOptions::default()).await.expect("a server")
}

pub(crate) fn connection(dsn: &Dsn) -> LibpqEnv {
    dsn.libpq_env(None, &Ambient::default()).expect("a passfile")
}

pub(crate) async fn sql(connection: &LibpqEnv, sql: &str) -> Vec<Vec<String>> {
    query(&tools(), connection, sql, DEADLINE).await.expect("the query succeeds")
}
