//! One row for each provider: what it takes for granted, and which regions, endpoints, buckets, checksums and locks it has.

use walwarden_contract::model::{Addressing, ChecksumMode, Encryption, LockMode, Provider};

use crate::engine::backup::PartRules;

/// What a provider's regions look like. A list of them would be out of date soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Regions {
    /// Whatever the server was set up with.
    Any,
    /// Words, and a number of so many digits at the end: `eu-central-1`.
    Numbered(usize),
    /// Google's, whose number has no hyphen before it: `us-east1`, or `eu`, `nam4` and `auto`.
    Google,
}

/// Which hosts are a provider's. `{region}` stands for the region.
pub(super) struct Endpoints {
    /// The domains that are all its own; none where customers run their own servers.
    pub(super) domains: &'static [&'static str],
    /// The hosts, the usual one first. A leading `*` stands for any beginning.
    pub(super) hosts: &'static [&'static str],
    /// Hosts without a region in their name, and the region that they are of.
    pub(super) nameless: &'static [(&'static str, &'static str)],
    /// Whether the client finds the endpoint when none is given.
    pub(super) implied: bool,
}

/// What may be in a bucket's name beyond lowercase letters, digits and hyphens.
pub(super) struct Buckets {
    pub(super) shortest: usize,
    pub(super) dots: bool,
    pub(super) underscores: bool,
}

/// A provider's row.
pub(super) struct Rules {
    pub(super) provider: Provider,
    /// Its name for people.
    pub(super) name: &'static str,
    pub(super) regions: Regions,
    /// A region of it.
    pub(super) region_example: &'static str,
    /// What an unnamed region is.
    pub(super) region: Option<&'static str>,
    pub(super) endpoints: Endpoints,
    pub(super) buckets: Buckets,
    pub(super) addressing: Addressing,
    /// The parts of its uploads.
    pub(super) parts: PartRules,
    /// The usual checksum first. Only where the provider documents it: others refuse the header or the trailer.
    pub(super) checksums: &'static [ChecksumMode],
    pub(super) locks: &'static [LockMode],
    /// What to do instead of a lock that it does not have.
    pub(super) lock_advice: &'static str,
    /// What it can be asked to encrypt with.
    pub(super) encryptions: &'static [Encryption],
    /// What to do instead of an encryption that it does not have.
    pub(super) encryption_advice: &'static str,
}

const NO_LOCK_OR_GOVERNANCE: &[LockMode] = &[LockMode::None, LockMode::Governance];
const CRC32_FIRST: &[ChecksumMode] = &[ChecksumMode::Crc32, ChecksumMode::None];
const CRC32_IF_ASKED: &[ChecksumMode] = &[ChecksumMode::None, ChecksumMode::Crc32];
const WITH_OWN_KEYS: &[Encryption] = &[Encryption::None, Encryption::SseS3];
const WITH_ANY_KEYS: &[Encryption] = &[Encryption::None, Encryption::SseS3, Encryption::SseKms];
const USE_GOVERNANCE: &str = "can be compliance on Backblaze B2 only: use governance";
/// Servers that customers run themselves, or whose hosts are not known here.
const ANYWHERE: Endpoints = Endpoints { domains: &[], hosts: &[], nameless: &[], implied: false };

/// Every provider's row.
pub(super) const ALL: [Rules; 6] = [
    Rules {
        provider: Provider::Aws,
        name: "Amazon S3",
        regions: Regions::Numbered(1),
        region_example: "eu-central-1",
        region: None,
        endpoints: Endpoints {
            domains: &["amazonaws.com", "amazonaws.com.cn", "api.aws"],
            hosts: &[
                "s3.{region}.amazonaws.com",
                "s3.dualstack.{region}.amazonaws.com",
                "s3-fips.{region}.amazonaws.com",
                "s3-fips.dualstack.{region}.amazonaws.com",
                "*.s3.{region}.vpce.amazonaws.com",
                "s3.{region}.amazonaws.com.cn",
                "s3.dualstack.{region}.amazonaws.com.cn",
            ],
            nameless: &[("s3.amazonaws.com", "us-east-1")],
            implied: true,
        },
        buckets: Buckets { shortest: 3, dots: true, underscores: false },
        addressing: Addressing::VirtualHost,
        parts: PartRules::USUAL,
        checksums: CRC32_FIRST,
        locks: NO_LOCK_OR_GOVERNANCE,
        lock_advice: USE_GOVERNANCE,
        encryptions: WITH_ANY_KEYS,
        encryption_advice: "can be none, sse_s3 or sse_kms",
    },
    Rules {
        provider: Provider::Minio,
        name: "MinIO",
        regions: Regions::Any,
        region_example: "us-east-1",
        region: Some("us-east-1"),
        endpoints: ANYWHERE,
        buckets: Buckets { shortest: 3, dots: true, underscores: false },
        addressing: Addressing::Path,
        parts: PartRules::USUAL,
        checksums: CRC32_FIRST,
        locks: NO_LOCK_OR_GOVERNANCE,
        lock_advice: USE_GOVERNANCE,
        encryptions: WITH_OWN_KEYS,
        encryption_advice: "cannot be sse_kms on MinIO, where only sse_s3 is asked for over the S3 interface: use sse_s3, or none",
    },
    Rules {
        provider: Provider::Gcs,
        name: "Google Cloud Storage",
        regions: Regions::Google,
        region_example: "us-east1",
        region: Some("auto"),
        endpoints: Endpoints {
            domains: &["googleapis.com"],
            hosts: &["storage.googleapis.com"],
            nameless: &[],
            implied: false,
        },
        buckets: Buckets { shortest: 3, dots: true, underscores: true },
        addressing: Addressing::Path,
        parts: PartRules::USUAL,
        checksums: &[ChecksumMode::None],
        locks: &[LockMode::None],
        lock_advice: "can only be none on Google Cloud Storage, which has no Object Lock over its S3 interface: use none, and lock the bucket's retention policy",
        encryptions: &[Encryption::None],
        encryption_advice: "can only be none on Google Cloud Storage, which encrypts everything with keys of its own: use none",
    },
    Rules {
        provider: Provider::Wasabi,
        name: "Wasabi",
        regions: Regions::Numbered(1),
        region_example: "eu-central-1",
        region: None,
        endpoints: Endpoints {
            domains: &["wasabisys.com"],
            hosts: &["s3.{region}.wasabisys.com"],
            nameless: &[("s3.wasabisys.com", "us-east-1")],
            implied: false,
        },
        buckets: Buckets { shortest: 3, dots: true, underscores: false },
        addressing: Addressing::VirtualHost,
        parts: PartRules::USUAL,
        checksums: CRC32_IF_ASKED,
        locks: NO_LOCK_OR_GOVERNANCE,
        lock_advice: USE_GOVERNANCE,
        encryptions: WITH_OWN_KEYS,
        encryption_advice: "cannot be sse_kms on Wasabi, which has keys of its own only: use sse_s3, or none",
    },
    Rules {
        provider: Provider::BackblazeB2,
        name: "Backblaze B2",
        regions: Regions::Numbered(3),
        region_example: "us-west-002",
        region: None,
        endpoints: Endpoints {
            domains: &["backblazeb2.com"],
            hosts: &["s3.{region}.backblazeb2.com"],
            nameless: &[],
            implied: false,
        },
        buckets: Buckets { shortest: 6, dots: false, underscores: false },
        addressing: Addressing::VirtualHost,
        // Its gigabytes are decimal, which matters at the upper end alone.
        parts: PartRules { largest: 5_000_000_000, ..PartRules::USUAL },
        checksums: CRC32_IF_ASKED,
        locks: &[LockMode::None, LockMode::Compliance],
        lock_advice: "cannot be governance on Backblaze B2: use compliance, which nobody can lift",
        encryptions: WITH_OWN_KEYS,
        encryption_advice: "cannot be sse_kms on Backblaze B2, which has keys of its own only: use sse_s3, or none",
    },
    Rules {
        provider: Provider::S3Compatible,
        name: "an S3-compatible server",
        regions: Regions::Any,
        region_example: "us-east-1",
        region: Some("us-east-1"),
        endpoints: ANYWHERE,
        buckets: Buckets { shortest: 3, dots: true, underscores: true },
        addressing: Addressing::Path,
        parts: PartRules::USUAL,
        checksums: CRC32_IF_ASKED,
        locks: NO_LOCK_OR_GOVERNANCE,
        lock_advice: USE_GOVERNANCE,
        encryptions: WITH_ANY_KEYS,
        encryption_advice: "can be none, sse_s3 or sse_kms",
    },
];

/// A provider's row.
pub(super) const fn rules(provider: Provider) -> &'static Rules {
    const ROWS: &[Rules; 6] = &ALL;
    &ROWS[provider as usize]
}

impl Regions {
    /// Whether a region looks like one of these.
    pub(super) fn fit(self, region: &str) -> bool {
        let mut parts: Vec<_> = region.split('-').collect();
        let last = parts.pop().unwrap_or_default();
        let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Any => true,
            Self::Google => !digits,
            Self::Numbered(count) => {
                let words =
                    parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
                digits && last.len() == count && parts.len() >= 2 && words
            }
        }
    }
}

impl Endpoints {
    /// The usual endpoint of a region.
    pub(super) fn usual(&self, region: &str) -> Option<String> {
        let chinese = region.starts_with("cn-");
        let host = self.hosts.iter().find(|host| !chinese || host.ends_with(".com.cn")).or(self.hosts.first());
        host.map(|host| format!("https://{}", host.replace("{region}", region)))
    }

    /// Whether a host is below one of the provider's domains.
    pub(super) fn own(&self, host: &str) -> bool {
        self.domains.iter().any(|domain| host == *domain || host.ends_with(&format!(".{domain}")))
    }

    /// Whether a host serves a region.
    pub(super) fn serve(&self, host: &str, region: &str) -> bool {
        let nameless = self.nameless.iter().any(|(name, of)| *name == host && *of == region);
        nameless || self.hosts.iter().any(|pattern| fits(&pattern.replace("{region}", region), host))
    }

    /// The region that a host's name says it is of.
    pub(super) fn region_of<'a>(&'a self, host: &'a str) -> Option<&'a str> {
        let nameless = self.nameless.iter().find(|(name, _)| *name == host).map(|(_, of)| *of);
        nameless.or_else(|| host.split('.').find(|label| label.contains('-') && self.serve(host, label)))
    }
}

fn fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_provider_is_sent_parts_beyond_what_it_documents() {
        for row in &ALL {
            let PartRules { smallest, largest, most } = row.parts;
            assert!(smallest >= 5 << 20 && largest <= 5 << 30 && most <= 10_000, "{}", row.name);
        }
        assert_eq!(rules(Provider::BackblazeB2).parts.largest, 5_000_000_000, "decimal gigabytes");
    }
}
