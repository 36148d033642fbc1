//! What does not go together in a destination, each refusal with the field to change and what it may be.

use walwarden_contract::model::{ChecksumMode, LockMode, Provider};

use super::encryption::check_encryption;
use super::providers::{ALL, Rules, rules};
use crate::registry::{Field, RegistryError, check_name};
use crate::store::destinations::Destination;

/// A region becomes part of a host name.
pub(super) fn check_region(region: &str) -> Result<(), RegistryError> {
    let fits = (1..=64).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        Ok(())
    } else {
        Err(RegistryError::invalid(Field::Region, "has 1 to 64 lowercase letters, digits and hyphens"))
    }
}

fn check_bucket(bucket: &str) -> Result<(), RegistryError> {
    let fits = (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_'));
    if fits {
        Ok(())
    } else {
        let problem = "has 3 to 63 lowercase letters, digits, hyphens, dots and underscores";
        Err(RegistryError::invalid(Field::Bucket, problem))
    }
}

/// What the provider asks of a bucket's name beyond that.
fn check_bucket_of(rules: &Rules, bucket: &str) -> Result<(), RegistryError> {
    let refused = |problem: &str| Err(RegistryError::invalid(Field::Bucket, format!("{problem} on {}", rules.name)));
    let at_an_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if bucket.len() < rules.buckets.shortest {
        return refused(&format!("has at least {} characters", rules.buckets.shortest));
    }
    if !rules.buckets.dots && bucket.contains('.') {
        return refused("has no dots");
    }
    if !rules.buckets.underscores && bucket.contains('_') {
        return refused("has no underscores");
    }
    let bytes = bucket.as_bytes();
    if !at_an_end(bytes.first()) || !at_an_end(bytes.last()) || bucket.contains("..") {
        return refused("begins and ends with a letter or a digit, and has no two dots in a row");
    }
    if bucket.parse::<std::net::Ipv4Addr>().is_ok() {
        return refused("does not look like an IP address");
    }
    Ok(())
}

/// Whether a host is this machine: then nobody else is on the line.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Checks an endpoint by itself, and answers its host.
fn check_endpoint(endpoint: &str) -> Result<String, RegistryError> {
    let invalid = |problem: &str| RegistryError::invalid(Field::Endpoint, problem);
    let malformed = || invalid("is a URL such as https://s3.example.com, without user name, path and query");
    let url: http::Uri = endpoint.parse().map_err(|_| malformed())?;
    let authority = url.authority().ok_or_else(malformed)?;
    if endpoint.len() > 512
        || authority.as_str().contains('@')
        || url.query().is_some()
        || !matches!(url.path(), "" | "/")
    {
        return Err(malformed());
    }
    match url.scheme_str() {
        Some("https") => Ok(authority.host().to_ascii_lowercase()),
        Some("http") if is_loopback(authority.host()) => Ok(authority.host().to_owned()),
        Some("http") => Err(invalid("must begin with https://, except on the loopback interface")),
        _ => Err(malformed()),
    }
}

/// Whether the endpoint is the provider's, and of the region. A loopback address says neither: a proxy or a tunnel ends there.
fn check_endpoint_of(rules: &Rules, host: &str, region: &str) -> Result<(), RegistryError> {
    let endpoints = &rules.endpoints;
    if is_loopback(host) || endpoints.serve(host, region) {
        return Ok(());
    }
    let instead = endpoints.usual(region).map_or_else(String::new, |usual| format!(", or use {usual}"));
    let problem = if let Some(owner) = ALL.iter().find(|row| row.endpoints.own(host)) {
        if owner.provider != rules.provider {
            let other = owner.provider.as_str();
            format!(
                "is one of {}, and the provider is {}: add it with the provider {other}{instead}",
                owner.name, rules.name
            )
        } else if let Some(of) = endpoints.region_of(host) {
            format!("is of the region {of}, and the region is {region}: make the region {of}{instead}")
        } else {
            let usual = endpoints.usual(region).unwrap_or_default();
            format!("is none that {} has for the region {region}: use {usual}, without the bucket's name", rules.name)
        }
    } else if endpoints.domains.is_empty() {
        return Ok(());
    } else {
        format!("is none of {}: add it with the provider s3_compatible{instead}", rules.name)
    };
    Err(RegistryError::invalid(Field::Endpoint, problem))
}

fn check_region_of(rules: &Rules, region: &str) -> Result<(), RegistryError> {
    if rules.regions.fit(region) {
        return Ok(());
    }
    let problem = format!("{region} is none of {}, whose regions look like {}", rules.name, rules.region_example);
    Err(RegistryError::invalid(Field::Region, problem))
}

fn check_lock(rules: &Rules, lock_mode: &str) -> Result<(), RegistryError> {
    if rules.locks.iter().copied().map(LockMode::as_str).any(|mode| mode == lock_mode) {
        return Ok(());
    }
    Err(RegistryError::invalid(Field::LockMode, rules.lock_advice))
}

fn check_checksum(rules: &Rules, checksum_mode: &str) -> Result<(), RegistryError> {
    if rules.checksums.iter().copied().map(ChecksumMode::as_str).any(|mode| mode == checksum_mode) {
        return Ok(());
    }
    let problem = format!("can only be none on {}, which refuses uploads with a checksum in their trailer", rules.name);
    Err(RegistryError::invalid(Field::ChecksumMode, problem))
}

/// Checks a destination as a whole. What the provider asks is not held against what stood there `before`: a destination that was
/// added under looser rules keeps working, and can be changed.
pub(super) fn check(destination: &Destination, before: Option<&Destination>) -> Result<(), RegistryError> {
    let changed = |part: fn(&Destination) -> &str| before.is_none_or(|before| part(before) != part(destination));
    // The store holds no other provider than the contract's; a newer version's could do no more than speak S3.
    let rules = rules(destination.provider.parse().unwrap_or(Provider::S3Compatible));
    check_name(&destination.name)?;
    check_bucket(&destination.bucket)?;
    check_region(&destination.region)?;
    let host = destination.endpoint.as_deref().map(check_endpoint).transpose()?;
    if !(1..=365).contains(&destination.retention_days) {
        return Err(RegistryError::invalid(Field::Retention, "is a whole number from 1 to 365"));
    }
    check_lock(rules, &destination.lock_mode)?;
    check_encryption(rules, destination)?;
    if changed(|destination| &destination.checksum_mode) {
        check_checksum(rules, &destination.checksum_mode)?;
    }
    if changed(|destination| &destination.bucket) {
        check_bucket_of(rules, &destination.bucket)?;
    }
    let moved = changed(|destination| &destination.region);
    if moved {
        check_region_of(rules, &destination.region)?;
    }
    match host {
        Some(host) if moved || changed(|destination| destination.endpoint.as_deref().unwrap_or_default()) => {
            check_endpoint_of(rules, &host, &destination.region)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
