//! Which layer wins, and what is refused.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, FromArgMatches};
use secrecy::ExposeSecret;

use super::table::SETTINGS;
use super::*;

#[derive(Default)]
struct Given<'a> {
    flags: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    file: Option<&'a str>,
}

fn load(given: &Given<'_>) -> Result<Settings, ConfigError> {
    let directory = tempfile::tempdir().expect("a directory");
    let config = directory.path().join("walwarden.toml");
    let mut arguments = vec!["walwarden-api".to_owned()];
    if let Some(text) = given.file {
        std::fs::write(&config, text).expect("writes");
        arguments.push(format!("--config={}", config.display()));
    }
    arguments.extend(given.flags.iter().map(ToString::to_string));
    let command = clap::Command::new("walwarden-api");
    let matches = ServeArguments::augment_args(CommonArguments::augment_args(command)).get_matches_from(arguments);
    let common = CommonArguments::from_arg_matches(&matches).expect("reads");
    let serve = ServeArguments::from_arg_matches(&matches).expect("reads");
    let env: BTreeMap<_, _> = given.env.iter().copied().collect();
    Settings::load(&common, Some(&serve), &|name| env.get(name).map(ToString::to_string))
}

/// What a setting reads as, for every setting that is given by its value.
fn shown(settings: &Settings, name: &str) -> String {
    match name {
        "data_dir" => settings.data_dir.display().to_string(),
        "listen" => settings.listen.to_string(),
        "role" => settings.role.to_string(),
        "requests_per_second" => settings.requests_per_second.to_string(),
        "request_burst" => settings.request_burst.to_string(),
        "workers" => settings.workers.to_string(),
        "part_memory_mib" => settings.part_memory_mib.to_string(),
        "lease_seconds" => settings.lease_seconds.to_string(),
        "backup_attempts" => settings.backup_attempts.to_string(),
        "retry_delay_seconds" => settings.retry_delay_seconds.to_string(),
        "schedule_spread_seconds" => settings.schedule_spread_seconds.to_string(),
        "upload_sweep_seconds" => settings.upload_sweep_seconds.to_string(),
        "upload_grace_seconds" => settings.upload_grace_seconds.to_string(),
        "restore_timeout_seconds" => settings.restore_timeout_seconds.to_string(),
        "presign_seconds" => settings.presign_seconds.to_string(),
        "shutdown_seconds" => settings.shutdown_seconds.to_string(),
        "lock_wait_seconds" => settings.lock_wait_seconds.to_string(),
        "audit_check_seconds" => settings.audit_check_seconds.to_string(),
        "inventory_check_seconds" => settings.inventory_check_seconds.to_string(),
        "pg_bin_dir" => settings.pg_bin_dir.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        "aws_principal" => settings.aws_principal.clone().unwrap_or_default(),
        "pkcs11_module" | "pkcs11_token" | "pkcs11_key_label" => {
            let token = settings.keys.pkcs11.as_ref();
            let read = token.and_then(|token| match name {
                "pkcs11_module" => Some(token.module.display().to_string()),
                "pkcs11_token" => token.token.clone(),
                _ => token.key_label.clone(),
            });
            read.unwrap_or_default()
        }
        "log" => settings.log.clone(),
        "log_format" => format!("{:?}", settings.log_format).to_lowercase(),
        other => panic!("{other} is a setting that this test does not know"),
    }
}

/// Three values of a setting that differ from each other and from its default: for the flag, the variable and the file.
fn samples(name: &str) -> [&'static str; 3] {
    match name {
        "data_dir" | "pg_bin_dir" | "pkcs11_module" => ["/flag", "/variable", "/file"],
        "listen" => ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"],
        "role" => ["api", "worker", "api"],
        "aws_principal" => {
            ["arn:aws:iam::210987654321:root", "arn:aws:iam::210987654321:role/a", "arn:aws:iam::210987654321:user/b"]
        }
        "log" => ["warn", "error", "debug"],
        "log_format" => ["json", "text", "json"],
        _ => ["41", "42", "43"],
    }
}

fn in_bounds(name: &str, sample: &'static str) -> &'static str {
    match (name, sample) {
        ("backup_attempts", "41") => "11",
        ("backup_attempts", "42") => "12",
        ("backup_attempts", "43") => "13",
        _ => sample,
    }
}

#[test]
fn flags_win_over_variables_over_the_file_over_the_defaults() {
    for setting in SETTINGS.iter().filter(|setting| setting.kind == super::table::Kind::Plain) {
        let name = setting.name;
        // What belongs to a token means nothing without its module.
        let of_token = ["pkcs11_token", "pkcs11_key_label"].contains(&name);
        let [flag, variable, file] = samples(name).map(|sample| in_bounds(name, sample));
        let flag_text = format!("{}={flag}", setting.flag());
        let variable_name = setting.variable();
        let file_text = format!("{name} = \"{file}\"");
        let cases: [(bool, bool, bool, &str); 4] = [
            (true, true, true, flag),
            (false, true, true, variable),
            (false, false, true, file),
            (false, false, false, setting.default.unwrap_or_default()),
        ];
        for (by_flag, by_variable, by_file, expected) in cases {
            let flags: &[&str] = if by_flag { &[&flag_text] } else { &[] };
            let mut env = Vec::new();
            env.extend(by_variable.then_some((variable_name.as_str(), variable)));
            env.extend(of_token.then_some(("WALWARDEN_PKCS11_MODULE", "/m.so")));
            let given = Given { flags, env: &env, file: by_file.then_some(file_text.as_str()) };
            let settings = load(&given).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                shown(&settings, name),
                expected,
                "{name} by flag {by_flag}, variable {by_variable}, file {by_file}"
            );
        }
    }
}

#[test]
fn numbers_stand_in_the_file_without_quotes_and_empty_variables_count_as_unset() {
    let given = Given { file: Some("workers = 4"), env: &[("WALWARDEN_WORKERS", "")], ..Given::default() };
    assert_eq!(load(&given).expect("loads").workers, 4);
}

#[test]
fn a_key_that_is_no_setting_is_refused_by_name() {
    for (text, key) in
        [("worker = 4", "worker"), ("sealing_key = \"00\"", "sealing_key"), ("[server]\na = 1", "server")]
    {
        let error = load(&Given { file: Some(text), ..Given::default() }).expect_err("refuses").to_string();
        assert!(error.contains(&format!("`{key}`")), "{error}");
    }
}

#[test]
fn what_is_out_of_bounds_is_refused_where_it_was_given() {
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 7] = [
        (&["--workers=0"], &[], "--workers: expected a whole number from 1 to 64"),
        (&[], &[("WALWARDEN_WORKERS", "65")], "WALWARDEN_WORKERS: expected a whole number from 1 to 64"),
        (&[], &[("WALWARDEN_LISTEN", "8420")], "WALWARDEN_LISTEN: expected an address and a port"),
        (&["--role=both"], &[], "--role: expected all, api or worker"),
        (&[], &[("WALWARDEN_LOG_FORMAT", "xml")], "WALWARDEN_LOG_FORMAT: expected text or json"),
        (&[], &[("WALWARDEN_LOG", "a=b=c")], "WALWARDEN_LOG: expected a filter"),
        (&[], &[("WALWARDEN_DATABASE_URL", "mysql://x")], "database_url: expected postgres://"),
    ];
    for (flags, env, expected) in cases {
        let error = load(&Given { flags, env, file: None }).expect_err("refuses").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_secret_is_given_by_value_or_by_file_and_never_by_both() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("url");
    std::fs::write(&path, "postgres://from.file/db\n").expect("writes");
    let path = path.to_str().expect("is text");
    let url = |given: &Given<'_>| {
        load(given).map(|settings| settings.database_url.map(|url| url.expose_secret().to_owned()).unwrap_or_default())
    };
    let value = ("WALWARDEN_DATABASE_URL", "postgres://from.variable/db");
    let file = ("WALWARDEN_DATABASE_URL_FILE", path);
    let flag = format!("--database-url-file={path}");

    assert_eq!(url(&Given::default()).expect("loads"), "");
    assert_eq!(url(&Given { env: &[value], ..Given::default() }).expect("loads"), "postgres://from.variable/db");
    assert_eq!(url(&Given { env: &[file], ..Given::default() }).expect("loads"), "postgres://from.file/db");
    assert_eq!(url(&Given { flags: &[&flag], env: &[value], file: None }).expect("loads"), "postgres://from.file/db");
    let text = "database_url = \"postgres://from.toml/db\"";
    assert_eq!(url(&Given { file: Some(text), ..Given::default() }).expect("loads"), "postgres://from.toml/db");

    let error = url(&Given { env: &[value, file], ..Given::default() }).expect_err("refuses").to_string();
    assert_eq!(error, "both WALWARDEN_DATABASE_URL and WALWARDEN_DATABASE_URL_FILE are set: set only one of them");
    let error = url(&Given { env: &[("WALWARDEN_DATABASE_URL_FILE", "/nowhere")], ..Given::default() });
    assert!(error.expect_err("refuses").to_string().contains("/nowhere cannot be read"));
}

#[test]
fn keys_come_from_the_data_directory_unless_given() {
    let settings = load(&Given {
        flags: &["--data-dir=/data", "--token-key-file=/run/token"],
        env: &[("WALWARDEN_SEALING_KEY", "00")],
        file: None,
    })
    .expect("loads");
    assert!(matches!(settings.keys.sealing, KeySource::Text(_)));
    assert!(matches!(&settings.keys.signing, KeySource::File(path) if path == Path::new("/data/signing.key.pem")));
    assert!(matches!(&settings.keys.token, KeySource::File(path) if path == Path::new("/run/token")));
}

#[test]
fn a_token_needs_its_module_and_leaves_no_room_for_another_signing_key() {
    let module = ("WALWARDEN_PKCS11_MODULE", "/m.so");
    let env = [module, ("WALWARDEN_PKCS11_KEY_LABEL", "k"), ("WALWARDEN_PKCS11_PIN", "hunter2")];
    let settings = load(&Given { env: &env, ..Given::default() }).expect("loads");
    assert!(!format!("{settings:?}").contains("hunter2"));
    let (token, label) = settings.keys.signs_with_token().expect("signs");
    assert_eq!((token.module.as_path(), label), (Path::new("/m.so"), "k"));
    assert_eq!(token.pin.as_ref().map(|pin| pin.expose_secret().to_owned()).as_deref(), Some("hunter2"));
    let to_come = load(&Given { env: &[module], ..Given::default() }).expect("loads");
    assert!(to_come.keys.signs_with_token().is_none() && to_come.keys.pkcs11.is_some());

    let error = load(&Given { env: &env[1..], ..Given::default() }).expect_err("refuses").to_string();
    assert!(error.starts_with("pkcs11_module: "), "{error}");
    let flags = ["--signing-key-file=/k"];
    let error = load(&Given { flags: &flags, env: &env, file: None }).expect_err("refuses").to_string();
    assert!(error.contains("--signing-key-file") && error.contains("pkcs11_key_label"), "{error}");
}

#[test]
fn no_error_and_no_debug_text_repeats_a_secret() {
    let canary = "hunter2";
    let file = format!("database_url = \"postgres://u:{canary}@h/d\" oops");
    let error = load(&Given { file: Some(&file), ..Given::default() }).expect_err("refuses");
    assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    let error = load(&Given { env: &[("WALWARDEN_DATABASE_URL", canary)], ..Given::default() }).expect_err("refuses");
    assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    let url = format!("postgres://u:{canary}@h/d");
    let settings = load(&Given { env: &[("WALWARDEN_DATABASE_URL", &url)], ..Given::default() }).expect("loads");
    assert!(!format!("{settings:?}").contains(canary));
}
