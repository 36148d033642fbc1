//! The settings as data: from this table come the flags, the variables' names and the keys of the configuration file.

use clap::Arg;

/// Which commands take a setting as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Every command.
    Common,
    /// Only `serve`.
    Serve,
}

/// How a setting may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its value.
    Plain,
    /// By its value in the environment or the file, and everywhere by the path of a file that holds it.
    Secret,
    /// As [`Kind::Secret`], but not by its value in the configuration file.
    Key,
}

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Its key in the configuration file.
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) kind: Kind,
    pub(super) default: Option<&'static str>,
    value_name: &'static str,
    help: &'static str,
}

macro_rules! setting {
    ($group:ident, $kind:ident, $name:literal, $default:expr, $value_name:literal, $help:literal) => {
        Setting {
            name: $name,
            group: Group::$group,
            kind: Kind::$kind,
            default: $default,
            value_name: $value_name,
            help: $help,
        }
    };
}

/// Every setting there is.
pub(super) const SETTINGS: &[Setting] = &[
    setting!(
        Common,
        Plain,
        "data_dir",
        Some("./walwarden-data"),
        "DIR",
        "Directory of the keys and of the embedded store"
    ),
    setting!(Common, Secret, "database_url", None, "URL", "Postgres store, instead of the embedded one"),
    setting!(
        Common,
        Key,
        "sealing_key",
        None,
        "KEY",
        "Key that seals stored secrets, instead of the one in the data directory"
    ),
    setting!(
        Common,
        Key,
        "signing_key",
        None,
        "KEY",
        "Key that signs manifests, instead of the one in the data directory"
    ),
    setting!(
        Common,
        Plain,
        "pkcs11_module",
        None,
        "PATH",
        "PKCS#11 module (a shared library) of the token that holds, or is to hold, the key that signs"
    ),
    setting!(Common, Plain, "pkcs11_token", None, "LABEL", "Label of the PKCS#11 token, where there are several"),
    setting!(
        Common,
        Plain,
        "pkcs11_key_label",
        None,
        "LABEL",
        "Label of the key pair in the PKCS#11 token that signs, instead of a file"
    ),
    setting!(Common, Key, "pkcs11_pin", None, "PIN", "User PIN of the PKCS#11 token"),
    setting!(Common, Key, "token_key", None, "KEY", "Key of restore tokens, instead of the one in the data directory"),
    setting!(
        Common,
        Plain,
        "aws_principal",
        None,
        "ARN",
        "AWS identity of this server, as the trust policies of roles name it"
    ),
    setting!(Common, Plain, "log", Some("info"), "FILTER", "Log filter, for example info,walwarden_api=debug"),
    setting!(Common, Plain, "log_format", Some("text"), "FORMAT", "text or json"),
    setting!(Serve, Plain, "listen", Some("127.0.0.1:8420"), "ADDRESS", "Address and port of the API"),
    setting!(Serve, Plain, "role", Some("all"), "ROLE", "all, api or worker"),
    setting!(
        Serve,
        Plain,
        "requests_per_second",
        Some("100"),
        "N",
        "Requests per second of one API key or restore job; 0 for no limit"
    ),
    setting!(Serve, Plain, "request_burst", Some("200"), "N", "Requests that it may send at once, before that counts"),
    setting!(Serve, Plain, "workers", Some("1"), "N", "Backups at a time"),
    setting!(Serve, Plain, "part_memory_mib", Some("128"), "MIB", "Memory for the parts of one backup"),
    setting!(Serve, Plain, "lease_seconds", Some("60"), "N", "Silence after which a worker is taken for dead"),
    setting!(Serve, Plain, "backup_attempts", Some("3"), "N", "Attempts of one backup"),
    setting!(
        Serve,
        Plain,
        "retry_delay_seconds",
        Some("30"),
        "N",
        "Wait before the second attempt; doubles after each"
    ),
    setting!(
        Serve,
        Plain,
        "schedule_spread_seconds",
        Some("30"),
        "N",
        "Time over which scheduled backups of one moment are spread; at most a tenth of the time to the next run"
    ),
    setting!(
        Serve,
        Plain,
        "upload_sweep_seconds",
        Some("21600"),
        "N",
        "Time between two searches of a bucket for unfinished uploads that no backup needs"
    ),
    setting!(
        Serve,
        Plain,
        "upload_grace_seconds",
        Some("86400"),
        "N",
        "Age from which an unfinished upload of an unknown backup is given up"
    ),
    setting!(
        Serve,
        Plain,
        "restore_timeout_seconds",
        Some("300"),
        "N",
        "Silence after which a restore is sealed as timed out"
    ),
    setting!(Serve, Plain, "presign_seconds", Some("900"), "N", "Life of a presigned download URL"),
    setting!(Serve, Plain, "shutdown_seconds", Some("30"), "N", "Time for running work to end when asked to stop"),
    setting!(Serve, Plain, "lock_wait_seconds", Some("300"), "N", "How long pg_dump waits for a locked table"),
    setting!(Serve, Plain, "audit_check_seconds", Some("21600"), "N", "How often every audit chain is checked"),
    setting!(
        Serve,
        Plain,
        "inventory_check_seconds",
        Some("86400"),
        "N",
        "How often schedules, chains, manifests and buckets are held against each other"
    ),
    setting!(Serve, Plain, "pg_bin_dir", None, "DIR", "Directory of pg_dump, instead of PATH"),
];

impl Setting {
    /// The environment variable of the value.
    pub(super) fn variable(&self) -> String {
        format!("WALWARDEN_{}", self.name.to_uppercase())
    }

    /// The key, and the flag's identifier, of what a flag sets: the value, or for a secret its file.
    pub(super) fn flag_key(&self) -> String {
        match self.kind {
            Kind::Plain => self.name.to_owned(),
            Kind::Secret | Kind::Key => format!("{}_file", self.name),
        }
    }

    /// The flag.
    pub(super) fn flag(&self) -> String {
        format!("--{}", self.flag_key().replace('_', "-"))
    }

    pub(super) fn argument(&self) -> Arg {
        let (value_name, what) = match self.kind {
            Kind::Plain => (self.value_name, self.help.to_owned()),
            Kind::Secret | Kind::Key => ("PATH", format!("{}: the file that holds it", self.help)),
        };
        let variable = match self.kind {
            Kind::Plain => self.variable(),
            Kind::Secret | Kind::Key => format!("{0} or {0}_FILE", self.variable()),
        };
        let default = self.default.map(|default| format!("; default: {default}")).unwrap_or_default();
        Arg::new(self.flag_key())
            .long(self.flag_key().replace('_', "-"))
            .value_name(value_name)
            .help(format!("{what} [env: {variable}{default}]"))
            .help_heading("Settings")
            .global(self.group == Group::Common)
    }
}
