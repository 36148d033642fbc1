//! Tests of connection strings, against libpq's documented rules.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Dsn {
    Dsn::parse(text).expect("a valid connection string")
}

fn host(name: &str, port: impl Into<Option<u16>>) -> Host {
    Host { name: name.to_owned(), port: port.into() }
}

#[test]
fn uri_forms_of_libpq_are_understood() {
    let dsn =
        parse("postgres://app%40x:s%3Ac%2Fr%25t@db.example.com:6432/my%20db?sslmode=verify-full&sslrootcert=/ca.pem");
    assert_eq!(dsn.user(), Some("app@x"));
    assert_eq!(dsn.password().map(ExposeSecret::expose_secret), Some("s:c/r%t"));
    assert_eq!(dsn.hosts(), [host("db.example.com", 6432)]);
    assert_eq!(dsn.database(), Some("my db"));
    assert_eq!(dsn.parameter("sslmode"), Some("verify-full"));
    assert_eq!(dsn.parameter("sslrootcert"), Some("/ca.pem"));

    assert_eq!(
        parse("postgresql://[::1]:5433,[fe80::1%25eth0]/d").hosts(),
        [host("::1", 5433), host("fe80::1%eth0", None)]
    );
    assert_eq!(
        parse("postgresql://h1:1,h2,h3:3/d?target_session_attrs=read-write").hosts(),
        [host("h1", 1), host("h2", None), host("h3", 3)]
    );
    assert_eq!(parse("postgresql:///d?host=/run/postgresql&port=5433").hosts(), [host("/run/postgresql", 5433)]);
    assert_eq!(parse("postgresql://%2Frun%2Fpostgresql/d").hosts(), [host("/run/postgresql", None)]);
    assert_eq!(parse("postgresql://h:7/d?host=other").hosts(), [host("other", 7)]);
    assert_eq!(parse("postgresql://u@h?dbname=d&ssl=true").parameter("sslmode"), Some("require"));
    let bare = parse("postgresql://");
    assert!(bare.hosts().is_empty() && bare.user().is_none() && bare.database().is_none() && !bare.has_password());
}

#[test]
fn key_value_forms_of_libpq_are_understood() {
    let dsn =
        parse(r"host = a,b port=1,2 user='o\'neil x' password='p w\\d' dbname=d connect_timeout=3 options='-c x=y'");
    assert_eq!(dsn.hosts(), [host("a", 1), host("b", 2)]);
    assert_eq!(dsn.user(), Some("o'neil x"));
    assert_eq!(dsn.password().map(ExposeSecret::expose_secret), Some(r"p w\d"));
    assert_eq!(dsn.parameter("options"), Some("-c x=y"));
    assert_eq!(parse("host=a,b port=9").hosts(), [host("a", 9), host("b", 9)]);
    assert_eq!(parse(r"dbname=a\ b host=").database(), Some("a b"));
    assert_eq!(parse("password=a://b host=h").password().map(ExposeSecret::expose_secret), Some("a://b"));
}

#[test]
fn refusals_name_the_parameter_and_never_a_value() {
    let unknown = |name: &str| DsnError::UnknownParameter { name: name.to_owned() };
    let invalid = |name: &str| DsnError::InvalidValue { name: name.to_owned() };
    let cases = [
        ("", DsnError::Empty),
        ("mysql://hunter2@h/d", DsnError::UnsupportedScheme),
        ("hunter2", DsnError::UnsupportedScheme),
        ("postgres://u:hunter%2@h/d", DsnError::InvalidPercentEncoding),
        ("postgres://u:%ff@h/d", DsnError::InvalidPercentEncoding),
        ("postgres://u:hunter2%00@h/d", DsnError::ControlCharacter),
        ("postgres://u:hunter2%0A@h/d", DsnError::ControlCharacter),
        ("postgres://u:p\n@h/d", DsnError::ControlCharacter),
        ("postgres://h:hunter2/d", DsnError::InvalidPort),
        ("postgres://h:70000/d", DsnError::InvalidPort),
        ("host=a,b,c port=1,2", DsnError::InvalidPort),
        ("postgres://[::1/d", DsnError::InvalidHost),
        ("postgres://u:hunter2@x@h/d", DsnError::UnescapedCredentials),
        ("postgres://u:hun/ter2@h/d", DsnError::UnescapedCredentials),
        ("postgres://u:hun/ter?2=x@h/d", DsnError::UnescapedCredentials),
        ("host=h password=hunter2 more=x dbname=d", DsnError::UnescapedCredentials),
        ("host=h password=hunter2 more", DsnError::UnescapedCredentials),
        ("host=h password='hunter2", DsnError::MalformedKeyValue),
        ("host=h Hunter2=x", DsnError::MalformedKeyValue),
        ("postgres://h/d?service=x", unknown("service")),
        ("host=h passfile=/etc/x", unknown("passfile")),
        ("host=h sslpassword=hunter2", unknown("sslpassword")),
        ("postgres://h/d?sslmode=hunter2", invalid("sslmode")),
        ("postgres://h/d?keepalives_idle=1%20host=evil", invalid("keepalives_idle")),
        ("postgres://h/d?connect_timeout=-1", invalid("connect_timeout")),
    ];
    for (text, expected) in cases {
        let error = Dsn::parse(text).expect_err(text);
        assert_eq!(error, expected, "{text}");
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(!shown.contains("hunter") && !shown.contains("ter2"), "{text}: {shown}");
    }
}

#[test]
fn what_is_shown_never_holds_the_password_or_a_parameter() {
    let dsn = parse("postgres://app:hunter2@h1,h2:7/db?sslkey=/home/me/key&application_name=hunter2");
    assert_eq!(dsn.redacted(), "postgresql://app@h1:5432,h2:7/db");
    assert_eq!(format!("{dsn:?}"), "Dsn(\"postgresql://app@h1:5432,h2:7/db\")");
    assert_eq!(parse("dbname=d").redacted(), "postgresql:///d");
}

#[test]
fn a_changed_copy_keeps_the_rest() {
    let dsn = parse("postgres://u:p@h/a?sslmode=require");
    let other = dsn.with_database("b/c").with_password(SecretString::from("q"));
    assert_eq!(other, parse("postgres://u:q@h/b%2Fc?sslmode=require"));
    assert_ne!(other, dsn);
}

fn text() -> impl Strategy<Value = String> {
    "[^\\p{C}]{1,12}".prop_filter("not only spaces", |text| !text.chars().any(char::is_control))
}

prop_compose! {
    fn any_dsn()(
        hosts in prop::collection::vec(("[a-zA-Z0-9.:/@%_ -]{1,12}", prop::option::of(1_u16..)), 0..4),
        user in prop::option::of(text()),
        password in prop::option::of(text()),
        database in prop::option::of(text()),
        application in prop::option::of(text()),
    ) -> Dsn {
        Dsn {
            hosts: hosts.into_iter().map(|(name, port)| Host { name, port }).collect(),
            user,
            password: password.map(SecretString::from),
            database,
            parameters: application.into_iter().map(|name| ("application_name".to_owned(), name)).collect(),
        }
    }
}

proptest! {
    #[test]
    fn a_written_uri_parses_back_to_the_same(dsn in any_dsn()) {
        prop_assert_eq!(Dsn::parse(dsn.to_uri().expose_secret()), Ok(dsn));
    }

    #[test]
    fn key_value_quoting_parses_back_to_the_same(user in text(), password in text(), database in text()) {
        let quote = |text: &str| text.replace('\\', r"\\").replace('\'', r"\'");
        let written =
            format!("user='{}' password='{}' dbname='{}'", quote(&user), quote(&password), quote(&database));
        let dsn = Dsn::parse(&written).expect("quoted values are valid");
        prop_assert_eq!(dsn.user(), Some(user.as_str()));
        prop_assert_eq!(dsn.password().map(ExposeSecret::expose_secret), Some(password.as_str()));
        prop_assert_eq!(dsn.database(), Some(database.as_str()));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}", form in 0..3) {
        let prefix = ["postgres://", "host=", ""][usize::try_from(form).expect("small")];
        let _ = Dsn::parse(&format!("{prefix}{text}"));
    }
}

#[test]
fn what_is_carried_to_a_later_command_is_all_but_the_password() {
    let carried = |text: &str| parse(text).shareable();
    assert_eq!(
        carried("postgresql://u:hunter2@h/d?sslmode=require&options=-c%20role%3Downer&application_name=x").as_deref(),
        Some("postgresql://u@h:5432/d?application_name=x&options=-c%20role%3Downer&sslmode=require")
    );
    assert_eq!(
        carried("user=u password=hunter2 host=/run/pg dbname=d").as_deref(),
        Some("postgresql://u@%2Frun%2Fpg:5432/d")
    );
    for plain in ["-crole=x", "--search_path=a,b", "-c role=x -c statement_timeout=0"] {
        assert!(carried(&format!("host=h options='{plain}'")).is_some(), "{plain}");
    }
    for secret in
        ["-c app.jwt=s3cr3t", "-capp.jwt=x", "--app.jwt=x", "s3cr3t", r"-c role=a\\ s3cr3t", "-c a=b -c x.y=z"]
    {
        assert_eq!(carried(&format!("host=h options='{secret}'")), None, "{secret}");
    }
}
