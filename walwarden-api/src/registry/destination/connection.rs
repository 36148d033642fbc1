//! How a bucket is spoken to: what is given, and what follows from the provider.

use walwarden_contract::model::{Addressing, ChecksumMode, Encryption, LockMode, Provider};

use super::providers::rules;
use super::rules::check_region;
use crate::registry::{Field, RegistryError};
use crate::store::destinations::Destination;

/// For how many days an artifact is locked, unless somebody says otherwise.
const USUAL_RETENTION_DAYS: u32 = 30;

/// How a bucket is spoken to. What is left out follows from the provider, or stays.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// The endpoint's URL.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Where the bucket's name stands in a URL.
    pub addressing: Option<Addressing>,
    /// Whether uploads carry a checksum that the provider checks.
    pub checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked.
    pub lock_mode: Option<LockMode>,
    /// For how many days.
    pub retention_days: Option<u32>,
    /// What the bucket is asked to encrypt objects with.
    pub encryption: Option<Encryption>,
    /// The key of `sse_kms`.
    pub kms_key_id: Option<String>,
}

impl Connection {
    pub(super) fn set(self, destination: &mut Destination) {
        let Self { endpoint, region, addressing, checksum_mode, lock_mode, retention_days, encryption, kms_key_id } =
            self;
        if let Some(endpoint) = endpoint {
            destination.endpoint = Some(endpoint.trim_end_matches('/').to_owned());
        }
        if let Some(region) = region {
            destination.region = region;
        }
        if let Some(addressing) = addressing {
            addressing.as_str().clone_into(&mut destination.addressing);
        }
        if let Some(mode) = checksum_mode {
            mode.as_str().clone_into(&mut destination.checksum_mode);
        }
        if let Some(mode) = lock_mode {
            mode.as_str().clone_into(&mut destination.lock_mode);
        }
        destination.retention_days = retention_days.unwrap_or(destination.retention_days);
        if let Some(encryption) = encryption {
            encryption.as_str().clone_into(&mut destination.encryption);
            // The key of before belongs to nothing else.
            destination.kms_key_id.take_if(|_| encryption != Encryption::SseKms);
        }
        if let Some(key) = kms_key_id {
            destination.kms_key_id = Some(key);
        }
    }

    /// The same with what the provider takes for granted filled in.
    pub(super) fn with_defaults(self, provider: Provider) -> Result<Self, RegistryError> {
        let required = |field| RegistryError::invalid(field, format!("is required for {}", provider.as_str()));
        let rules = rules(provider);
        let region = self.region.or_else(|| rules.region.map(str::to_owned));
        let region = region.ok_or_else(|| required(Field::Region))?;
        check_region(&region)?;
        let endpoint = match self.endpoint {
            Some(endpoint) => Some(endpoint),
            None if rules.endpoints.implied => None,
            None => Some(rules.endpoints.usual(&region).ok_or_else(|| required(Field::Endpoint))?),
        };
        Ok(Self {
            endpoint,
            region: Some(region),
            addressing: self.addressing.or(Some(rules.addressing)),
            checksum_mode: self.checksum_mode.or_else(|| rules.checksums.first().copied()),
            lock_mode: self.lock_mode.or(Some(LockMode::None)),
            retention_days: self.retention_days.or(Some(USUAL_RETENTION_DAYS)),
            encryption: self.encryption.or(Some(Encryption::None)),
            kms_key_id: self.kms_key_id,
        })
    }

    /// The same with the endpoint of a new region, where the present one followed from the present region.
    pub(super) fn following(self, before: &Destination) -> Self {
        let endpoints = before.provider.parse().ok().map(|provider| &rules(provider).endpoints);
        let usual = |region: &str| endpoints.and_then(|endpoints| endpoints.usual(region));
        match &self.region {
            Some(region)
                if self.endpoint.is_none() && before.endpoint.is_some() && before.endpoint == usual(&before.region) =>
            {
                Self { endpoint: usual(region), ..self }
            }
            _ => self,
        }
    }
}
