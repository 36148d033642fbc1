//! Which place a setting is taken from, and what is refused.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

const FLAGS: GlobalArgs = GlobalArgs {
    json: false,
    profile: None,
    config: None,
    api_url: None,
    api_key: None,
    timeout_ms: None,
    allow_insecure_http: false,
};

const PROFILES: &str = r#"{"profiles": {
    "default": {"baseUrl": "http://of-default", "apiKey": "key-of-default", "timeoutMs": 7, "allowInsecureHttp": true},
    "staging": {"baseUrl": "https://of-staging", "apiKeyFile": "staging.key"},
    "address": {"baseUrl": "https://of-address"}
}}"#;

/// A home directory with a configuration file.
struct Home(TempDir);

impl Home {
    fn new(text: &str) -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(home.file().parent().expect("a folder")).expect("created");
        fs::write(home.file(), text).expect("written");
        home.mode(0o600);
        home
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".config/walwarden/config.json")
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.file(), fs::Permissions::from_mode(mode)).expect("set");
    }

    fn config(&self, flags: GlobalArgs, variables: &[(&str, &str)]) -> Config {
        let mut variables = owned(variables);
        variables.entry("HOME".to_owned()).or_insert_with(|| self.0.path().into());
        Config::new(flags, move |name| variables.get(name).cloned())
    }
}

fn owned(variables: &[(&str, &str)]) -> HashMap<String, OsString> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect()
}

fn homeless(flags: GlobalArgs, variables: &[(&str, &str)]) -> Config {
    let variables = owned(variables);
    Config::new(flags, move |name| variables.get(name).cloned())
}

fn named(profile: &str) -> GlobalArgs {
    GlobalArgs { profile: Some(profile.to_owned()), ..FLAGS }
}

fn address(config: &Config) -> (String, String) {
    let address = config.connection().expect("a connection").address;
    (address.value, address.source.to_string())
}

fn refusal(config: &Config) -> String {
    let failure = config.connection().err().or_else(|| config.api_key().err()).expect("refused");
    assert_eq!(failure.body.code, ErrorCode::ConfigInvalid);
    failure.body.message
}

fn warnings(config: &Config) -> Vec<String> {
    let (connection, key) = (config.connection().expect("a connection"), config.api_key().expect("a key"));
    config.warnings(&connection, Some(&key.source))
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_older_name_and_the_profile() {
    let home = Home::new(PROFILES);
    let of_default = format!("profile default of {}", home.file().display());
    let old = ("WALWARDEN_API_URL", "https://old");
    let new = ("WALWARDEN_BASE_URL", "https://new");
    let flag = GlobalArgs { api_url: Some("https://flag".to_owned()), ..FLAGS };
    let cases = [
        (home.config(flag, &[old, new]), "https://flag", "--api-url"),
        (home.config(FLAGS, &[old, new]), "https://new", "WALWARDEN_BASE_URL"),
        (home.config(FLAGS, &[old, ("WALWARDEN_BASE_URL", " ")]), "https://old", "WALWARDEN_API_URL"),
        (home.config(FLAGS, &[]), "http://of-default", &of_default),
    ];
    for (config, url, source) in cases {
        assert_eq!(address(&config), (url.to_owned(), source.to_owned()));
    }
    let timeout = |flags, variables: &[(&str, &str)]| {
        let timeout = home.config(flags, variables).connection().expect("a connection").timeout;
        timeout.map(|timeout| (timeout.value.as_millis(), timeout.source.to_string()))
    };
    let variable = ("WALWARDEN_TIMEOUT_MS", "6");
    assert_eq!(timeout(GlobalArgs { timeout_ms: Some(5), ..FLAGS }, &[variable]), Some((5, "--timeout-ms".to_owned())));
    assert_eq!(timeout(FLAGS, &[variable]), Some((6, "WALWARDEN_TIMEOUT_MS".to_owned())));
    assert_eq!(timeout(FLAGS, &[]), Some((7, of_default.clone())));
    assert_eq!(timeout(named("address"), &[]), None);
    let key = |flags, variables: &[(&str, &str)]| {
        let key = home.config(flags, variables).api_key().expect("a key");
        (key.value.expose_secret().to_owned(), key.source.to_string())
    };
    fs::write(home.file().with_file_name("staging.key"), "key-of-staging\n").expect("written");
    let flag = GlobalArgs { api_key: Some(SecretString::from("key-of-flag")), ..FLAGS };
    let variable = ("WALWARDEN_API_KEY", "key-of-variable");
    assert_eq!(key(flag, &[variable]), ("key-of-flag".to_owned(), "--api-key".to_owned()));
    assert_eq!(key(FLAGS, &[variable]), ("key-of-variable".to_owned(), "WALWARDEN_API_KEY".to_owned()));
    assert_eq!(key(FLAGS, &[]), ("key-of-default".to_owned(), of_default));
    assert_eq!(key(FLAGS, &[("WALWARDEN_PROFILE", "staging")]).0, "key-of-staging");
}

#[test]
fn the_file_is_found_where_the_flag_the_variable_and_xdg_say() {
    let (home, other) = (Home::new(PROFILES), Home::new(r#"{"profiles": {"default": {"baseUrl": "https://other"}}}"#));
    let file = other.file().display().to_string();
    let flag = GlobalArgs { config: Some(other.file()), ..FLAGS };
    let folder = other.0.path().join(".config").display().to_string();
    for config in [
        home.config(flag, &[("WALWARDEN_CONFIG", "/nonexistent")]),
        home.config(FLAGS, &[("WALWARDEN_CONFIG", &file)]),
        home.config(FLAGS, &[("XDG_CONFIG_HOME", &folder)]),
    ] {
        assert_eq!(address(&config).0, "https://other");
    }
    assert_eq!(address(&home.config(FLAGS, &[("XDG_CONFIG_HOME", "relative")])).0, "http://of-default");
}

#[test]
fn what_is_named_has_to_exist_and_what_is_not_named_may_be_missing() {
    let home = Home::new(PROFILES);
    let full = [("WALWARDEN_BASE_URL", "https://h"), ("WALWARDEN_API_KEY", "k"), ("WALWARDEN_TIMEOUT_MS", "9")];
    assert!(refusal(&homeless(FLAGS, &[])).starts_with("No API address"));
    assert!(refusal(&homeless(FLAGS, &full[..1])).starts_with("No API key"));
    assert!(homeless(FLAGS, &[]).token().is_err());
    assert!(homeless(FLAGS, &full).connection().is_ok());
    let file = GlobalArgs { config: Some("/nonexistent".into()), ..FLAGS };
    assert_eq!(refusal(&homeless(file, &full)), "/nonexistent, which --config names, does not exist.");
    assert!(refusal(&homeless(named("default"), &full)).contains("--profile"));
    assert!(refusal(&home.config(named("nonsense"), &full)).contains("--profile gives"));
    let variable = [full[0], full[1], full[2], ("WALWARDEN_PROFILE", "nonsense")];
    assert!(refusal(&home.config(FLAGS, &variable)).contains("WALWARDEN_PROFILE gives"));
    let file = homeless(FLAGS, &[full[0], ("WALWARDEN_API_KEY_FILE", "/nonexistent")]);
    assert!(refusal(&file).contains("/nonexistent cannot be read"));
    for wrong in ["0", "-1", "1.5", "86400001", "soon"] {
        let refused = refusal(&homeless(FLAGS, &[full[0], full[1], ("WALWARDEN_TIMEOUT_MS", wrong)]));
        assert!(refused.starts_with("WALWARDEN_TIMEOUT_MS is no whole number"), "{refused}");
    }
}

#[test]
fn a_file_that_is_open_to_others_fails_what_needs_it_and_is_named_to_what_does_not() {
    let home = Home::new(PROFILES);
    home.mode(0o640);
    let file = home.file().display().to_string();
    assert!(refusal(&home.config(FLAGS, &[])).ends_with(&format!("(mode 0640). Run: chmod 600 {file}")));
    let address = ("WALWARDEN_BASE_URL", "https://h");
    let without = home.config(FLAGS, &[address, ("WALWARDEN_API_KEY", "k")]);
    let said = warnings(&without);
    assert!(
        said.len() == 1 && said[0].starts_with("no profile is used: ") && said[0].contains("chmod 600"),
        "{said:?}"
    );
    let all = home.config(FLAGS, &[address, ("WALWARDEN_API_KEY", "k"), ("WALWARDEN_TIMEOUT_MS", "9")]);
    assert!(warnings(&all).is_empty(), "it is not even read");
    assert!(refusal(&home.config(named("default"), &[address, ("WALWARDEN_API_KEY", "k")])).contains("chmod 600"));
}

#[test]
fn what_is_no_file_or_too_large_is_refused() {
    let home = Home::new(&format!("{{}}{}", " ".repeat(1 << 20)));
    assert!(refusal(&home.config(FLAGS, &[])).ends_with("is larger than 1 MiB."));
    let folder = GlobalArgs { config: Some(home.0.path().to_owned()), ..FLAGS };
    assert!(refusal(&homeless(folder, &[])).ends_with("is not a regular file."));
    let device = GlobalArgs { config: Some("/dev/zero".into()), ..FLAGS };
    assert!(refusal(&homeless(device, &[])).ends_with("is not a regular file."));
    assert!(read_secret(Path::new("/dev/zero")).expect_err("endless").body.message.ends_with("larger than 64 KiB."));
    assert!(read_secret(Path::new("/dev/null")).expect_err("empty").body.message.ends_with("is empty."));
}

#[test]
fn a_profile_allows_plain_http_to_its_own_address_alone() {
    let home = Home::new(PROFILES);
    assert!(home.config(FLAGS, &[]).connection().expect("a connection").allow_insecure_http);
    let elsewhere = home.config(FLAGS, &[("WALWARDEN_BASE_URL", "http://elsewhere")]);
    assert!(!elsewhere.connection().expect("a connection").allow_insecure_http);
    let flag = GlobalArgs { allow_insecure_http: true, ..FLAGS };
    let elsewhere = home.config(flag, &[("WALWARDEN_BASE_URL", "http://elsewhere")]);
    assert!(elsewhere.connection().expect("a connection").allow_insecure_http);
}

#[test]
fn the_next_command_is_given_what_it_needs_to_reach_the_same_api_and_no_key() {
    let flags = GlobalArgs {
        profile: Some("p".to_owned()),
        config: Some("/c".into()),
        api_url: Some("https://h".to_owned()),
        api_key: Some(SecretString::from("k")),
        allow_insecure_http: true,
        ..FLAGS
    };
    let given = homeless(flags, &[("WALWARDEN_BASE_URL", "https://other")]).reaching();
    assert_eq!(given.join(" "), "--profile p --config /c --api-url https://h --allow-insecure-http");
    assert!(homeless(FLAGS, &[("WALWARDEN_BASE_URL", "https://other")]).reaching().is_empty());
}

#[test]
fn settings_that_do_not_belong_together_are_warned_about() {
    let home = Home::new(PROFILES);
    let (address, key) = (("WALWARDEN_BASE_URL", "https://h"), ("WALWARDEN_API_KEY", "k"));
    let apart = |config: &Config| warnings(config).iter().any(|warning| warning.contains("come from different places"));
    let overruled = |config: &Config| warnings(config).iter().filter(|it| it.contains("overrules")).count();
    assert!(apart(&home.config(FLAGS, &[address])), "the key of the profile goes to another address");
    assert!(apart(&home.config(FLAGS, &[key])), "another key goes to the profile's address");
    assert!(!apart(&home.config(named("address"), &[key])), "that profile holds no key");
    assert!(!apart(&home.config(FLAGS, &[address, key])) && !apart(&home.config(FLAGS, &[])));
    let flag = GlobalArgs { api_url: Some("https://h".to_owned()), ..FLAGS };
    assert!(apart(&home.config(flag, &[])));
    assert_eq!(overruled(&home.config(named("default"), &[address, key, ("WALWARDEN_TIMEOUT_MS", "9")])), 3);
    assert_eq!(overruled(&home.config(named("address"), &[address, key])), 1);
    assert_eq!(overruled(&home.config(FLAGS, &[address, key])), 0, "nobody asked for that profile");
    let variable = [address, key, ("WALWARDEN_PROFILE", "address")];
    assert_eq!(overruled(&home.config(FLAGS, &variable)), 0);
    let flag = GlobalArgs { api_key: Some(SecretString::from("k")), ..FLAGS };
    assert_eq!(warnings(&homeless(flag, &[address])), [API_KEY_IN_ARGV]);
}
