//! The credentials of a destination, as they are sealed.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::sealer::SealError;

/// What a bucket's endpoint asks for.
#[derive(Clone)]
pub struct Credentials {
    /// The access key's identifier.
    pub access_key_id: String,
    /// The access key itself.
    pub secret_access_key: SecretString,
}

/// How a destination's bucket is opened.
#[derive(Debug, Clone)]
pub enum Access {
    /// With an access key.
    Key(Credentials),
    /// With sessions of the destination's role.
    Role,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    access_key_id: String,
    secret_access_key: String,
}

impl Credentials {
    /// The bytes to seal.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let written =
            Written { access_key_id: &self.access_key_id, secret_access_key: self.secret_access_key.expose_secret() };
        // Room for everything up front: a buffer that grew would leave its earlier halves behind. JSON writes at
        // most six bytes for one.
        let length = 64 + 6 * (self.access_key_id.len() + self.secret_access_key.expose_secret().len());
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        serde_json::to_writer(&mut *bytes, &written).expect("two strings always have a JSON form");
        bytes
    }

    /// Reads what was sealed.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        let mut read: Read =
            serde_json::from_slice(bytes).map_err(|_| SealError::Content("a destination's credentials"))?;
        let secret_access_key = SecretString::from(read.secret_access_key.as_str());
        read.secret_access_key.zeroize();
        Ok(Self { access_key_id: read.access_key_id, secret_access_key })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}
