//! The URI form of a connection string: percent-encoding, lists of hosts, bracketed addresses.

use std::fmt::Write as _;

use secrecy::ExposeSecret;

use super::{Dsn, DsnError, Host, parse_port};

/// Parses what follows `postgresql://`, splitting it where libpq does.
pub(super) fn parse(rest: &str) -> Result<Dsn, DsnError> {
    // An unescaped '/' or '?' in a password ends the authority early: then an '@' is left over, and whatever
    // error follows would show or blame a piece of the password.
    let leftover = rest.find('/').is_some_and(|slash| rest[slash..].contains('@'));
    parse_parts(rest).map_err(|error| if leftover { DsnError::UnescapedCredentials } else { error })
}

fn parse_parts(rest: &str) -> Result<Dsn, DsnError> {
    let mut dsn = Dsn::default();
    let before_slash = &rest[..rest.find('/').unwrap_or(rest.len())];
    let rest = match before_slash.split_once('@') {
        None => rest,
        Some((credentials, _)) => {
            let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
            dsn.set("user", decode(user)?)?;
            dsn.set("password", decode(password)?)?;
            &rest[credentials.len() + 1..]
        }
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(authority_end);
    if authority.contains('@') {
        return Err(DsnError::UnescapedCredentials);
    }
    if !authority.is_empty() {
        dsn.hosts = authority.split(',').map(parse_host).collect::<Result<_, _>>()?;
        dsn.set_hosts(None, None)?;
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    dsn.set("dbname", decode(path.strip_prefix('/').unwrap_or(path))?)?;
    parse_query(&mut dsn, query)?;
    Ok(dsn)
}

fn parse_host(text: &str) -> Result<Host, DsnError> {
    let (name, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (address, after) = bracketed.split_once(']').ok_or(DsnError::InvalidHost)?;
            match after.strip_prefix(':') {
                Some(port) => (address, port),
                None if after.is_empty() => (address, ""),
                None => return Err(DsnError::InvalidHost),
            }
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let name = decode(name)?;
    if name.chars().any(char::is_control) {
        return Err(DsnError::ControlCharacter);
    }
    if name.contains(',') {
        return Err(DsnError::InvalidHost);
    }
    Ok(Host { name, port: parse_port(&decode(port)?)? })
}

fn parse_query(dsn: &mut Dsn, query: &str) -> Result<(), DsnError> {
    let (mut names, mut ports) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(DsnError::MalformedKeyValue)?;
        let (name, value) = (decode(name)?, decode(value)?);
        match (name.as_str(), value.as_str()) {
            ("host", _) => names = Some(value),
            ("port", _) => ports = Some(value),
            // libpq takes this one spelling from JDBC.
            ("ssl", "true") => dsn.set("sslmode", "require".to_owned())?,
            _ => dsn.set(&name, value)?,
        }
    }
    dsn.set_hosts(names.as_deref(), ports.as_deref())
}

fn decode(text: &str) -> Result<String, DsnError> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let digits = bytes.get(at + 1..at + 3).ok_or(DsnError::InvalidPercentEncoding)?;
            let mut value = [0_u8];
            hex::decode_to_slice(digits, &mut value).map_err(|_| DsnError::InvalidPercentEncoding)?;
            decoded.push(value[0]);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).map_err(|_| DsnError::InvalidPercentEncoding)
}

/// How much of a connection string to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// For people: no password, no parameters, and the default port spelled out.
    Redacted,
    /// For programs: no password, and the default port spelled out.
    WithoutPassword,
    /// Everything.
    Full,
}

pub(super) fn format(dsn: &Dsn, detail: Detail) -> String {
    let mut uri = String::from("postgresql://");
    if let Some(user) = &dsn.user {
        encode_into(&mut uri, user);
    }
    if let (Detail::Full, Some(password)) = (detail, &dsn.password) {
        uri.push(':');
        encode_into(&mut uri, password.expose_secret());
    }
    if uri.len() > "postgresql://".len() {
        uri.push('@');
    }
    for (index, host) in dsn.hosts.iter().enumerate() {
        if index > 0 {
            uri.push(',');
        }
        if host.name.contains(':') {
            let _ = write!(uri, "[{}]", encoded(&host.name, b":"));
        } else {
            encode_into(&mut uri, &host.name);
        }
        let default_port = (detail != Detail::Full).then_some(5432);
        if let Some(port) = host.port.or(default_port) {
            let _ = write!(uri, ":{port}");
        }
    }
    uri.push('/');
    if let Some(database) = &dsn.database {
        encode_into(&mut uri, database);
    }
    if detail != Detail::Redacted {
        for (index, (name, value)) in dsn.parameters.iter().enumerate() {
            let _ = write!(uri, "{}{name}={}", if index == 0 { '?' } else { '&' }, encoded(value, b""));
        }
    }
    uri
}

fn encode_into(uri: &mut String, text: &str) {
    uri.push_str(&encoded(text, b""));
}

/// Percent-encodes as [`Dsn::to_uri`] does.
pub(in crate::postgres) fn percent_encoded(text: &str) -> String {
    encoded(text, b"")
}

/// Percent-encodes all but RFC 3986's unreserved characters and those allowed here.
fn encoded(text: &str, allowed: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || allowed.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
