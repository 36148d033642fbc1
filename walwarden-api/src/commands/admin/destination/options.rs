//! How a bucket is spoken to: the choices, what each provider takes for granted, and what does not go together.

use clap::{Args, ValueEnum};
use walwarden_contract::ErrorCode;

use crate::commands::output::Failure;
use crate::store::destinations::Destination;

/// What serves a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Provider {
    /// Amazon S3
    Aws,
    /// `MinIO`
    #[value(help = "MinIO")]
    Minio,
    /// Google Cloud Storage, over its S3 interface
    Gcs,
    /// Wasabi
    Wasabi,
    /// Backblaze B2
    BackblazeB2,
    /// Anything else that speaks S3
    S3Compatible,
}

/// Where a bucket's name stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Addressing {
    /// In the path
    Path,
    /// In the host name
    VirtualHost,
}

/// Whether uploads carry a CRC-32 that the provider checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ChecksumMode {
    /// They do
    Crc32,
    /// They do not; some S3-compatible servers refuse it
    None,
}

/// How artifacts are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LockMode {
    /// Not at all
    None,
    /// Until the date, unless somebody with a special permission lifts the lock
    Governance,
    /// Until the date, for everybody; only on Backblaze B2
    Compliance,
}

impl Provider {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Minio => "minio",
            Self::Gcs => "gcs",
            Self::Wasabi => "wasabi",
            Self::BackblazeB2 => "backblaze-b2",
            Self::S3Compatible => "s3-compatible",
        }
    }

    const fn addressing(self) -> Addressing {
        match self {
            Self::Aws | Self::Wasabi | Self::BackblazeB2 => Addressing::VirtualHost,
            Self::Minio | Self::Gcs | Self::S3Compatible => Addressing::Path,
        }
    }

    /// Only where the provider documents it: others refuse the header or the trailer.
    const fn checksum_mode(self) -> ChecksumMode {
        match self {
            Self::Aws | Self::Minio => ChecksumMode::Crc32,
            Self::Gcs | Self::Wasabi | Self::BackblazeB2 | Self::S3Compatible => ChecksumMode::None,
        }
    }

    fn region(self) -> Option<&'static str> {
        match self {
            Self::Aws | Self::Wasabi | Self::BackblazeB2 => None,
            Self::Gcs => Some("auto"),
            Self::Minio | Self::S3Compatible => Some("us-east-1"),
        }
    }

    /// The endpoint that follows from the region.
    fn endpoint(self, region: &str) -> Result<Option<String>, Failure> {
        match self {
            Self::Aws => Ok(None),
            Self::Gcs => Ok(Some("https://storage.googleapis.com".to_owned())),
            Self::Wasabi => Ok(Some(format!("https://s3.{region}.wasabisys.com"))),
            Self::BackblazeB2 => Ok(Some(format!("https://s3.{region}.backblazeb2.com"))),
            Self::Minio | Self::S3Compatible => Err(usage(format!("--endpoint is required for {}", self.as_str()))),
        }
    }
}

/// The options that adding and updating share.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// URL of the endpoint; https, except on the loopback interface
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// Region
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Where the bucket's name stands in a URL
    #[arg(long, value_enum)]
    pub(super) addressing: Option<Addressing>,
    /// Whether uploads carry a CRC-32 that the provider checks
    #[arg(long, value_enum)]
    pub(super) checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked; anything but none needs Object Lock on the bucket
    #[arg(long, value_enum)]
    pub(super) lock_mode: Option<LockMode>,
    /// For how many days an artifact is locked
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=365))]
    pub(super) retention_days: Option<u32>,
}

pub(super) fn usage(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::UsageError, message)
}

impl Options {
    /// Sets what was given.
    pub(super) fn apply(&self, destination: &mut Destination) {
        let Self { endpoint, region, addressing, checksum_mode, lock_mode, retention_days } = self;
        if let Some(endpoint) = endpoint {
            destination.endpoint = Some(endpoint.trim_end_matches('/').to_owned());
        }
        if let Some(region) = region {
            destination.region.clone_from(region);
        }
        if let Some(addressing) = addressing {
            let text = match addressing {
                Addressing::Path => "path",
                Addressing::VirtualHost => "virtual_host",
            };
            text.clone_into(&mut destination.addressing);
        }
        if let Some(mode) = checksum_mode {
            let text = match mode {
                ChecksumMode::Crc32 => "crc32",
                ChecksumMode::None => "none",
            };
            text.clone_into(&mut destination.checksum_mode);
        }
        if let Some(mode) = lock_mode {
            let text = match mode {
                LockMode::None => "none",
                LockMode::Governance => "governance",
                LockMode::Compliance => "compliance",
            };
            text.clone_into(&mut destination.lock_mode);
        }
        if let Some(days) = retention_days {
            destination.retention_days = *days;
        }
    }

    /// The same options with what the provider takes for granted filled in.
    pub(super) fn with_defaults(self, provider: Provider) -> Result<Self, Failure> {
        let region = match (self.region, provider.region()) {
            (Some(region), _) => region,
            (None, Some(region)) => region.to_owned(),
            (None, None) => return Err(usage(format!("--region is required for {}", provider.as_str()))),
        };
        check_region(&region)?;
        let endpoint = match self.endpoint {
            Some(endpoint) => Some(endpoint),
            None => provider.endpoint(&region)?,
        };
        Ok(Self {
            endpoint,
            region: Some(region),
            addressing: self.addressing.or(Some(provider.addressing())),
            checksum_mode: self.checksum_mode.or(Some(provider.checksum_mode())),
            lock_mode: self.lock_mode.or(Some(LockMode::None)),
            retention_days: self.retention_days.or(Some(30)),
        })
    }
}

/// A region becomes part of a host name.
fn check_region(region: &str) -> Result<(), Failure> {
    let fits = (1..=64).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(()) } else { Err(usage("a region has 1 to 64 lowercase letters, digits and hyphens")) }
}

fn check_bucket(bucket: &str) -> Result<(), Failure> {
    let fits = (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_'));
    if fits { Ok(()) } else { Err(usage("a bucket's name has 3 to 63 lowercase letters, digits, hyphens and dots")) }
}

/// Whether a host is this machine: then nobody else is on the line.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check_endpoint(endpoint: &str) -> Result<(), Failure> {
    let malformed = || usage("--endpoint is a URL such as https://s3.example.com, without user name, path and query");
    let url: http::Uri = endpoint.parse().map_err(|_| malformed())?;
    let authority = url.authority().ok_or_else(malformed)?;
    if authority.as_str().contains('@') || url.query().is_some() || !matches!(url.path(), "" | "/") {
        return Err(malformed());
    }
    match url.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err(usage("--endpoint must begin with https://, except on the loopback interface")),
        _ => Err(malformed()),
    }
}

/// Checks a destination as a whole.
pub(super) fn check(destination: &Destination) -> Result<(), Failure> {
    super::super::check_name(&destination.name)?;
    check_bucket(&destination.bucket)?;
    check_region(&destination.region)?;
    if let Some(endpoint) = &destination.endpoint {
        check_endpoint(endpoint)?;
    }
    match (destination.provider.as_str(), destination.lock_mode.as_str()) {
        ("backblaze-b2", "governance") => {
            Err(usage("Backblaze B2 locks in compliance mode only: use --lock-mode compliance, which nobody can lift"))
        }
        (provider, "compliance") if provider != "backblaze-b2" => {
            Err(usage("--lock-mode compliance is for Backblaze B2 only: use governance"))
        }
        ("gcs", "governance") => Err(usage("Google Cloud Storage has no Object Lock over its S3 interface: use none")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_the_loopback_interface_only() {
        for endpoint in
            ["https://s3.example.com", "http://127.0.0.1:8333", "http://[::1]:9000", "http://localhost:9000/"]
        {
            assert_eq!(check_endpoint(endpoint), Ok(()), "{endpoint}");
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
