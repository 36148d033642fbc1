//! The `key=value` form of a connection string, with libpq's quoting rules.

use super::{Dsn, DsnError};

/// Parses `host=… user=…`, where values may be quoted and backslashes escape one character.
pub(super) fn parse(text: &str) -> Result<Dsn, DsnError> {
    let mut dsn = Dsn::default();
    let (mut names, mut ports) = (None, None);
    let mut rest = text.trim_start();
    let mut after_bare_password = false;
    while !rest.is_empty() {
        let pair = next_pair(rest);
        let outcome = pair.and_then(|pair| {
            match pair.name {
                "host" => names = Some(pair.value),
                "port" => ports = Some(pair.value),
                name => dsn.set(name, pair.value)?,
            }
            Ok((pair.name, pair.quoted, pair.rest))
        });
        match outcome {
            Ok((name, quoted, remaining)) => {
                after_bare_password = name == "password" && !quoted;
                rest = remaining.trim_start();
            }
            // What follows a password without quotes may be the rest of that password.
            Err(_) if after_bare_password => return Err(DsnError::UnescapedCredentials),
            Err(error) => return Err(error),
        }
    }
    dsn.set_hosts(names.as_deref(), ports.as_deref())?;
    Ok(dsn)
}

struct Pair<'a> {
    name: &'a str,
    value: String,
    quoted: bool,
    rest: &'a str,
}

fn next_pair(text: &str) -> Result<Pair<'_>, DsnError> {
    let (name, rest) = text.split_once('=').ok_or(DsnError::MalformedKeyValue)?;
    let name = name.trim_end();
    if name.contains(char::is_whitespace) {
        return Err(DsnError::MalformedKeyValue);
    }
    let rest = rest.trim_start();
    let quoted = rest.starts_with('\'');
    let mut value = String::new();
    let mut characters = rest.char_indices();
    if quoted {
        characters.next();
    }
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => value.push(escaped),
                None if quoted => return Err(DsnError::MalformedKeyValue),
                None => {}
            },
            '\'' if quoted => {
                return Ok(Pair { name, value, quoted, rest: &rest[at + 1..] });
            }
            space if space.is_whitespace() && !quoted => {
                return Ok(Pair { name, value, quoted, rest: &rest[at..] });
            }
            other => value.push(other),
        }
    }
    if quoted { Err(DsnError::MalformedKeyValue) } else { Ok(Pair { name, value, quoted, rest: "" }) }
}
