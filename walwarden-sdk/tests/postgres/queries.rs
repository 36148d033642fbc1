//! Control queries, their answers and their failures.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use walwarden_sdk::postgres::{
    Ambient, Dsn, FailureClass, QueryError, Tools, query, quote_identifier, quote_literal, server_info,
};

use crate::support::{DEADLINE, cluster, connection, sql, tools};

#[tokio::test]
async fn queries_answer_in_rows_and_failures_fall_into_their_classes() {
    let server = cluster().await;
    let dsn = server.dsn("postgres");
    let env = connection(&dsn);

    let odd = "a,\"b'\\\nc";
    let rows = sql(&env, &format!("SELECT {}, NULL, 1 AS {}", quote_literal(odd), quote_identifier("x\"y"))).await;
    assert_eq!(rows, [[odd, "", "1"]]);
    assert!(sql(&env, "SELECT 1 WHERE false").await.is_empty());
    // psql's own substitutions stay out of SQL.
    assert_eq!(sql(&env, "SELECT ':ON_ERROR_STOP'").await, [[":ON_ERROR_STOP"]]);

    let info = server_info(&tools(), &env, DEADLINE).await.expect("an answer");
    assert_eq!(info.database_name, "postgres");
    assert!(
        info.major() >= 15 && info.size_bytes > 1_000_000 && info.version_text.starts_with(&info.major().to_string())
    );
    assert_eq!(sql(&env, "SELECT current_setting('application_name')").await, [["walwarden"]]);

    sql(&env, "CREATE ROLE reader LOGIN PASSWORD 'hunter2'").await;
    sql(&env, "CREATE TABLE private(secret text)").await;
    let failed = async |dsn: &Dsn, text: &str| {
        query(&tools(), &connection(dsn), text, DEADLINE).await.expect_err("the query fails")
    };
    let reader = Dsn::parse(&format!("postgres://reader:hunter2@127.0.0.1:{}/postgres", server.port())).expect("valid");
    assert!(matches!(failed(&reader, "TABLE private").await, QueryError::PermissionDenied { .. }));
    let error = failed(&reader.with_password(SecretString::from("hunter3")), "SELECT 1").await;
    assert!(matches!(error, QueryError::AuthFailed { .. }) && !error.is_retryable(), "{error}");
    assert!(matches!(failed(&dsn.with_database("nope"), "SELECT 1").await, QueryError::DatabaseMissing { .. }));
    assert!(matches!(failed(&dsn, "CREATE DATABASE postgres").await, QueryError::DatabaseExists { .. }));
    let error = failed(&dsn, "SELECT nonsense").await;
    assert!(matches!(error, QueryError::Other { class: FailureClass::Other, .. }), "{error}");
    let error = failed(&dsn, "SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(matches!(error, QueryError::Other { class: FailureClass::ConnectionLost, .. }), "{error}");
    assert!(error.is_retryable());
    let error = query(&tools(), &env, "SELECT pg_sleep(60)", Duration::from_millis(200)).await.expect_err("too slow");
    assert!(matches!(error, QueryError::DeadlineExceeded { .. }) && error.is_retryable());

    // Several hosts, a socket, and a password from the environment reach the same server.
    let port = server.port();
    let several = format!("postgres://reader:hunter2@127.0.0.1:1,127.0.0.1:{port}/postgres");
    sql(&connection(&Dsn::parse(&several).expect("valid")), "SELECT 1").await;
    let socket = format!("user=reader dbname=postgres host='{}' port={port}", server.directory().display());
    let ambient = Ambient { pgpassword: Some(SecretString::from("hunter2")), ..Ambient::default() };
    let env = Dsn::parse(&socket).expect("valid").libpq_env(None, &ambient).expect("a passfile");
    sql(&env, "SELECT 1").await;

    let unreachable = server.dsn("postgres");
    server.stop(DEADLINE).await.expect("stopped");
    let error = failed(&unreachable, "SELECT 1").await;
    assert!(matches!(error, QueryError::Unreachable { .. }) && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_missing_psql_is_said_to_be_missing() {
    let env = connection(&Dsn::parse("host=/nonexistent").expect("valid"));
    let nowhere = Tools::discover(None, Some(Path::new("/nonexistent").as_os_str()));
    let error = query(&nowhere, &env, "SELECT 1", DEADLINE).await.expect_err("no psql");
    assert!(matches!(error, QueryError::ToolMissing(_)), "{error}");
}
