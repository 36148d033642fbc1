use super::*;

const EXIT_1: ToolStatus = ToolStatus::Code(1);

fn judge(stderr: &str, status: ToolStatus) -> Result<Tolerated, Error> {
    let mut classifier = Classifier::default();
    stderr.lines().for_each(|line| classifier.line(line));
    classifier.judge(status)
}

/// One entry as `pg_restore` 12 and later writes it, with its own count at the end.
fn entry(toc: &str, error: &str, statement: &str) -> String {
    format!(
        "pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry {toc}\npg_restore: error: could not execute \
         query: ERROR:  {error}\nCommand was: {statement}\n\n\npg_restore: warning: errors ignored on restore: 1\n"
    )
}

#[test]
fn known_harmless_errors_leave_a_warning() {
    let cases = [
        ("5; 2615 2200 SCHEMA public postgres", "schema \"public\" already exists", "CREATE SCHEMA public;"),
        (
            "3270; 0 0 COMMENT SCHEMA public postgres",
            "must be owner of schema public",
            "COMMENT ON SCHEMA public IS 'standard public schema';",
        ),
        ("5; 2615 2200 SCHEMA public postgres", "must be owner of schema public", "DROP SCHEMA IF EXISTS public;"),
        (
            "5; 2615 2200 SCHEMA public postgres",
            "cannot drop schema public because other objects depend on it",
            "DROP SCHEMA IF EXISTS public;",
        ),
        (
            "3271; 0 0 COMMENT EXTENSION pgcrypto ",
            "must be owner of extension pgcrypto",
            "COMMENT ON EXTENSION pgcrypto IS 'cryptographic functions';",
        ),
        (
            "2; 3079 16385 EXTENSION pgcrypto ",
            "must be owner of extension pgcrypto",
            "DROP EXTENSION IF EXISTS pgcrypto;",
        ),
        (
            "2; 3079 16385 EXTENSION pgcrypto ",
            "cannot drop extension pgcrypto because other objects depend on it",
            "DROP EXTENSION IF EXISTS pgcrypto;",
        ),
    ];
    for (toc, error, statement) in cases {
        let tolerated = judge(&entry(toc, error, statement), EXIT_1).unwrap_or_else(|failed| panic!("{failed}"));
        assert_eq!(tolerated.ignored_errors, 1, "{error}");
        assert_eq!(tolerated.warnings.len(), 1);
    }
    let initializing = "pg_restore: while INITIALIZING:\npg_restore: error: could not execute query: ERROR:  \
                        unrecognized configuration parameter \"transaction_timeout\"\nCommand was: SET \
                        transaction_timeout = 0;\npg_restore: warning: errors ignored on restore: 1\n";
    assert_eq!(judge(initializing, EXIT_1).map(|tolerated| tolerated.ignored_errors), Ok(1));
}

#[test]
fn anything_else_fails_closed() {
    let cases = [
        ("215; 1259 16386 TABLE t app", "relation \"t\" already exists", "CREATE TABLE public.t (id integer);"),
        (
            "5; 2615 2200 SCHEMA public postgres",
            "schema \"public\" already exists",
            "CREATE TABLE public.t (id integer);",
        ),
        ("6; 2615 16400 SCHEMA private app", "schema \"private\" already exists", "CREATE SCHEMA private;"),
        ("5; 2615 2200 SCHEMA public_data app", "schema \"public\" already exists", "CREATE SCHEMA public_data;"),
        ("215; 1259 16386 TABLE t app", "must be owner of table t", "DROP TABLE IF EXISTS public.t;"),
        ("2; 3079 16385 EXTENSION postgis ", "extension \"postgis\" is not available", "CREATE EXTENSION postgis;"),
        ("0; 0 ", "unrecognized configuration parameter \"row_security\"", "SET row_security = off;"),
        ("5; 2615 2200 SCHEMA public postgres", "das Schema »public« existiert bereits", "CREATE SCHEMA public;"),
    ];
    for (toc, error, statement) in cases {
        let failed = judge(&entry(toc, error, statement), EXIT_1).expect_err(error);
        assert_eq!(failed.code(), ErrorCode::RestoreFailed, "{error}");
        assert!(failed.to_string().contains(error), "{failed}");
    }
}

#[test]
fn one_real_error_among_harmless_ones_fails() {
    let stderr = "pg_restore: while PROCESSING TOC:\n\
        pg_restore: from TOC entry 5; 2615 2200 SCHEMA public postgres\n\
        pg_restore: error: could not execute query: ERROR:  schema \"public\" already exists\n\
        Command was: CREATE SCHEMA public;\n\n\n\
        pg_restore: from TOC entry 3255; 0 16386 TABLE DATA t app\n\
        pg_restore: error: COPY failed for table \"t\": ERROR:  duplicate key value violates unique constraint \"t_pkey\"\n\
        DETAIL:  Key (email)=(someone@example.com) already exists.\n\
        CONTEXT:  COPY t, line 1\n\
        pg_restore: warning: errors ignored on restore: 2\n";
    let failed = judge(stderr, EXIT_1).expect_err("a real error").to_string();
    assert!(failed.contains("1 errors that are not known to be harmless: TABLE DATA t app: COPY failed"), "{failed}");
    assert!(!failed.contains("someone@example.com"), "data in the message: {failed}");
}

#[test]
fn an_exit_status_without_an_explanation_fails() {
    assert_eq!(judge("", ToolStatus::Code(0)), Ok(Tolerated::default()));
    for status in [EXIT_1, ToolStatus::Code(2), ToolStatus::Code(-1), ToolStatus::Signal(9)] {
        assert_eq!(judge("", status).expect_err("unexplained").code(), ErrorCode::RestoreFailed);
    }
    let harmless =
        entry("5; 2615 2200 SCHEMA public postgres", "schema \"public\" already exists", "CREATE SCHEMA public;");
    assert!(judge(&harmless, ToolStatus::Signal(15)).is_err());
    let more_counted = harmless.replace("restore: 1", "restore: 2");
    assert!(judge(&more_counted, EXIT_1).is_err(), "an error that was not read is not harmless");
    let uncounted = harmless.replace("pg_restore: warning: errors ignored on restore: 1\n", "");
    assert!(judge(&uncounted, EXIT_1).is_err(), "pg_restore gave up before its own count");
    let old_style = "pg_restore: [archiver (db)] Error while PROCESSING TOC:\n";
    assert!(judge(old_style, EXIT_1).is_err());
}

#[test]
fn connection_failures_have_codes_of_their_own() {
    let to = "pg_restore: error: connection to server at \"127.0.0.1\", port 5432 failed: ";
    let cases = [
        (format!("{to}Connection refused"), ErrorCode::TargetUnreachable),
        (format!("{to}FATAL:  password authentication failed for user \"app\""), ErrorCode::TargetAuthFailed),
        (format!("{to}FATAL:  database \"app\" does not exist"), ErrorCode::TargetDatabaseMissing),
        ("pg_restore: error: unsupported version (1.16) in file header".to_owned(), ErrorCode::ToolVersionUnsupported),
        ("pg_restore: error: could not open input file \"x\": No such file".to_owned(), ErrorCode::RestoreFailed),
    ];
    for (stderr, code) in cases {
        assert_eq!(judge(&stderr, EXIT_1).expect_err("failed").code(), code, "{stderr}");
    }
    let exists =
        entry("4000; 1262 1 DATABASE app app", "database \"app\" already exists", "CREATE DATABASE app WITH …;");
    assert_eq!(judge(&exists, EXIT_1).expect_err("failed").code(), ErrorCode::TargetDatabaseExists);
}

#[test]
fn missing_roles_are_explained() {
    let stderr =
        entry("215; 1259 16386 TABLE t app", "role \"app\" does not exist", "ALTER TABLE public.t OWNER TO app;");
    let failed = judge(&stderr, EXIT_1).expect_err("ownership is lost").to_string();
    assert!(failed.contains("--no-owner --no-acl"), "{failed}");
}

#[test]
fn memory_is_bounded_by_any_number_of_errors() {
    let mut classifier = Classifier::default();
    for _ in 0..100_000 {
        classifier.line(&format!("pg_restore: error: could not execute query: ERROR:  {}", "x".repeat(8000)));
        classifier.line("Command was: SELECT 1;");
        classifier.line("pg_restore: warning: something");
    }
    assert!(classifier.kept.len() <= MAX_KEPT && classifier.warnings.len() <= MAX_WARNINGS);
    let failed = classifier.judge(EXIT_1).expect_err("failed").to_string();
    assert!(failed.contains("100000 errors") && failed.len() < 4000, "{}", failed.len());
}

#[test]
fn errors_that_only_pg_restore_has_counted_speak_against_the_data() {
    let count = "pg_restore: warning: errors ignored on restore: 3\n";
    let verdict = judge_stderr(count).expect("of pg_restore");
    let error = verdict.error.expect("three errors that were not read");
    assert_eq!(error.code(), ErrorCode::RestoreFailed);
    assert!(error.to_string().contains("counted 3 errors, of which 0 are known to be harmless"), "{error}");
    assert_eq!(judge(count, EXIT_1).expect_err("as a restore does"), error);
    let harmless =
        entry("5; 2615 2200 SCHEMA public postgres", "schema \"public\" already exists", "CREATE SCHEMA public;");
    assert_eq!(judge_stderr(&harmless).expect("of pg_restore").error, None);
}
