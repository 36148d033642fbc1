//! Tests of what reaches a child's environment, and what must not.

use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;

use super::*;

fn env(text: &str, ambient: &Ambient) -> LibpqEnv {
    Dsn::parse(text).expect("valid").libpq_env(None, ambient).expect("written")
}

fn value<'a>(env: &'a LibpqEnv, name: &str) -> Option<&'a str> {
    env.variables().iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str())
}

#[test]
fn a_connection_string_becomes_variables_and_a_private_passfile() {
    let text = "postgres://app:hunter2@h1:1,h2/db?sslmode=require&keepalives_idle=30&tcp_user_timeout=9";
    let env = env(text, &Ambient::default());
    assert_eq!(value(&env, "PGHOST"), Some("h1,h2"));
    assert_eq!(value(&env, "PGPORT"), Some("1,"));
    assert_eq!(value(&env, "PGUSER"), Some("app"));
    assert_eq!(value(&env, "PGDATABASE"), Some("db"));
    assert_eq!(value(&env, "PGSSLMODE"), Some("require"));
    assert_eq!(value(&env, "PGCONNECT_TIMEOUT"), Some("15"));
    assert_eq!(value(&env, "PGAPPNAME"), Some("walwarden"));
    assert_eq!(
        env.connection_argument(),
        "keepalives=1 keepalives_count=6 keepalives_interval=10 keepalives_idle=30 tcp_user_timeout=9"
    );
    assert!(!format!("{env:?} {:?} {}", env.variables(), env.connection_argument()).contains("hunter2"));

    let path = env.passfile().expect("a passfile").to_owned();
    assert_eq!(std::fs::read_to_string(&path).expect("readable"), "*:*:*:app:hunter2\n");
    assert_eq!(path.metadata().expect("exists").permissions().mode() & 0o777, 0o600);
    let copy = env.clone();
    drop(env);
    assert!(path.exists());
    drop(copy);
    assert!(!path.exists());
}

#[test]
fn an_ambient_password_goes_into_the_passfile_and_only_where_the_string_has_none() {
    let ambient = Ambient { pgpassword: Some(SecretString::from("ambient")), ..Ambient::default() };
    let read = |env: &LibpqEnv| std::fs::read_to_string(env.passfile().expect("a passfile")).expect("readable");
    assert_eq!(read(&env("postgres://h/d", &ambient)), "*:*:*:*:ambient\n");
    assert_eq!(read(&env("postgres://u:own@h/d", &ambient)), "*:*:*:u:own\n");
}

#[test]
fn an_ambient_passfile_is_passed_on_and_a_server_never_is() {
    let pair = |name: &str| (name.to_owned(), "x".to_owned());
    let ambient = Ambient {
        pgpassfile: Some("/home/me/pass".into()),
        variables: ["PGHOST", "PGDATABASE", "PGSERVICE", "PGUSER", "LD_PRELOAD"].map(pair).to_vec(),
        ..Ambient::default()
    };
    let env = env("dbname=d", &ambient);
    assert_eq!(value(&env, "PGPASSFILE"), Some("/home/me/pass"));
    assert_eq!(value(&env, "PGUSER"), Some("x"));
    assert_eq!(value(&env, "PGDATABASE"), Some("d"));
    assert_eq!((value(&env, "PGHOST"), value(&env, "PGSERVICE"), value(&env, "LD_PRELOAD")), (None, None, None));
    assert!(env.passfile().is_none() && env.secrets().is_empty());
    assert_eq!(value(&env.with_database("other"), "PGDATABASE"), Some("other"));
}

#[test]
fn a_password_with_a_line_break_is_refused() {
    let dsn = Dsn::parse("dbname=d").expect("valid").with_password(SecretString::from("a\nb"));
    assert!(dsn.libpq_env(None, &Ambient::default()).is_err());
}

/// Splits a line as libpq does: a backslash takes the next character, a colon ends a field.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' => fields.push(String::new()),
            '\\' => fields.last_mut().expect("never empty").extend(characters.next()),
            other => fields.last_mut().expect("never empty").push(other),
        }
    }
    fields
}

proptest! {
    #[test]
    fn passfile_fields_come_back_as_they_were(user in "[^\\p{C}]{1,20}", password in "[:\\\\a-z#* ]{1,20}") {
        let line = passfile_line(Some(&user), &password);
        prop_assert_eq!(fields(line.trim_end_matches('\n')), vec!["*", "*", "*", user.as_str(), password.as_str()]);
    }
}
