//! What each provider takes for granted, and what does not go together.

use walwarden_contract::model::{Addressing, ChecksumMode, LockMode, Provider};

use crate::registry::{Field, RegistryError, check_name};
use crate::store::destinations::Destination;

pub(super) const fn addressing(provider: Provider) -> Addressing {
    match provider {
        Provider::Aws | Provider::Wasabi | Provider::BackblazeB2 => Addressing::VirtualHost,
        Provider::Minio | Provider::Gcs | Provider::S3Compatible => Addressing::Path,
    }
}

/// Only where the provider documents it: others refuse the header or the trailer.
pub(super) const fn checksum_mode(provider: Provider) -> ChecksumMode {
    match provider {
        Provider::Aws | Provider::Minio => ChecksumMode::Crc32,
        Provider::Gcs | Provider::Wasabi | Provider::BackblazeB2 | Provider::S3Compatible => ChecksumMode::None,
    }
}

pub(super) const fn region(provider: Provider) -> Option<&'static str> {
    match provider {
        Provider::Aws | Provider::Wasabi | Provider::BackblazeB2 => None,
        Provider::Gcs => Some("auto"),
        Provider::Minio | Provider::S3Compatible => Some("us-east-1"),
    }
}

/// The endpoint that follows from the region. The client knows Amazon's.
pub(super) fn endpoint(provider: Provider, region: &str) -> Option<String> {
    match provider {
        Provider::Gcs => Some("https://storage.googleapis.com".to_owned()),
        Provider::Wasabi => Some(format!("https://s3.{region}.wasabisys.com")),
        Provider::BackblazeB2 => Some(format!("https://s3.{region}.backblazeb2.com")),
        Provider::Aws | Provider::Minio | Provider::S3Compatible => None,
    }
}

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

/// Whether a host is this machine: then nobody else is on the line.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check_endpoint(endpoint: &str) -> Result<(), RegistryError> {
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
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err(invalid("must begin with https://, except on the loopback interface")),
        _ => Err(malformed()),
    }
}

fn check_lock(provider: &str, lock_mode: &str) -> Result<(), RegistryError> {
    let b2 = provider == Provider::BackblazeB2.as_str();
    let governance = lock_mode == LockMode::Governance.as_str();
    let problem = if b2 && governance {
        "cannot be governance on Backblaze B2: use compliance, which nobody can lift"
    } else if !b2 && lock_mode == LockMode::Compliance.as_str() {
        "can be compliance on Backblaze B2 only: use governance"
    } else if governance && provider == Provider::Gcs.as_str() {
        "can only be none on Google Cloud Storage, which has no Object Lock over its S3 interface"
    } else {
        return Ok(());
    };
    Err(RegistryError::invalid(Field::LockMode, problem))
}

/// Checks a destination as a whole.
pub(super) fn check(destination: &Destination) -> Result<(), RegistryError> {
    check_name(&destination.name)?;
    check_bucket(&destination.bucket)?;
    check_region(&destination.region)?;
    if let Some(endpoint) = &destination.endpoint {
        check_endpoint(endpoint)?;
    }
    if !(1..=365).contains(&destination.retention_days) {
        return Err(RegistryError::invalid(Field::Retention, "is a whole number from 1 to 365"));
    }
    check_lock(&destination.provider, &destination.lock_mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_the_loopback_interface_only() {
        for endpoint in
            ["https://s3.example.com", "http://127.0.0.1:8333", "http://[::1]:9000", "http://localhost:9000/"]
        {
            assert!(check_endpoint(endpoint).is_ok(), "{endpoint}");
        }
        for endpoint in [
            "http://s3.example.com",
            "http://10.0.0.1:9000",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "https://user:secret@s3.example.com",
            "https://s3.example.com/path",
            "https://s3.example.com?x=1",
            "s3.example.com",
            "ftp://s3.example.com",
            "",
        ] {
            assert!(check_endpoint(endpoint).is_err(), "{endpoint} was accepted");
        }
    }
}
