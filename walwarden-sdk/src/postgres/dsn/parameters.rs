//! The libpq connection parameters which a connection string may hold, and where each one goes.

use super::DsnError;

/// Parameters with a libpq environment variable of their own.
const WITH_VARIABLE: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("hostaddr", "PGHOSTADDR"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("options", "PGOPTIONS"),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkey", "PGSSLKEY"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
];

/// Parameters without an environment variable: they are numbers, and safe to show in a process list.
const CONNINFO_ONLY: &[&str] =
    &["keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "tcp_user_timeout"];

/// Keepalives below the idle limit of common NAT gateways and load balancers (about 350 s).
pub(in crate::postgres) const KEEPALIVE_DEFAULTS: &[(&str, &str)] =
    &[("keepalives", "1"), ("keepalives_count", "6"), ("keepalives_idle", "60"), ("keepalives_interval", "10")];

const SSL_MODES: &[&str] = &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The environment variable libpq reads for a parameter.
pub(in crate::postgres) fn environment_variable(name: &str) -> Option<&'static str> {
    WITH_VARIABLE.iter().find(|(parameter, _)| *parameter == name).map(|(_, variable)| *variable)
}

/// Whether a parameter can reach libpq only through a conninfo string.
pub(in crate::postgres) fn is_conninfo_only(name: &str) -> bool {
    CONNINFO_ONLY.contains(&name)
}

/// Refuses parameters which libpq lacks or which would read credentials from elsewhere, and values it would not take.
pub(super) fn check(name: &str, value: Option<&str>) -> Result<(), DsnError> {
    let known = environment_variable(name).is_some() || is_conninfo_only(name);
    if !known {
        return Err(unknown(name));
    }
    let Some(value) = value else { return Ok(()) };
    let valid = match name {
        "sslmode" => SSL_MODES.contains(&value),
        "connect_timeout" => is_number(value),
        _ if is_conninfo_only(name) => is_number(value),
        _ => true,
    };
    if valid { Ok(()) } else { Err(DsnError::InvalidValue { name: name.to_owned() }) }
}

/// Whether a value may be a secret: `options` can set parameters of an application's own, whose names have a dot.
pub(super) fn may_hold_secret(name: &str, value: &str) -> bool {
    name == "options" && !value.split_ascii_whitespace().all(is_plain_option)
}

/// `-c`, `name=value`, `-cname=value` or `--name=value`, of a parameter of the server's own.
fn is_plain_option(word: &str) -> bool {
    let setting = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).unwrap_or(word);
    let name = setting.split_once('=').map_or(setting, |(name, _)| name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    word == "-c" || (setting.contains('=') && !name.is_empty() && name.bytes().all(plain))
}

fn is_number(value: &str) -> bool {
    value.parse::<u32>().is_ok_and(|number| i32::try_from(number).is_ok())
}

/// Names the parameter only when it looks like one, because a mangled password can land in its place.
fn unknown(name: &str) -> DsnError {
    let plausible = !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plausible { DsnError::UnknownParameter { name: name.to_owned() } } else { DsnError::MalformedKeyValue }
}
