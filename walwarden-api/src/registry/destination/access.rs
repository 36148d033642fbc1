//! What a bucket is opened with: an access key, or a role and the external id that is made for it.

use secrecy::{ExposeSecret, SecretString};
use walwarden_contract::model::Provider;

use crate::registry::{Field, RegistryError};
use crate::secrets::{Credentials, Keyring};
use crate::store::destinations::{Destination, Role};
use crate::system::System;

/// What a new destination's bucket is opened with.
#[derive(Debug, Clone)]
pub enum NewAccess {
    /// An access key.
    Key(Credentials),
    /// A role, by its Amazon Resource Name.
    Role(String),
}

impl NewAccess {
    /// What was given, which has to be one of both.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] that names what is missing or too much.
    pub fn of(
        access_key_id: Option<String>,
        secret_access_key: Option<SecretString>,
        role_arn: Option<String>,
    ) -> Result<Self, RegistryError> {
        let refused = |field, problem: &str| Err(RegistryError::invalid(field, problem));
        match (access_key_id, secret_access_key, role_arn) {
            (None, None, Some(arn)) => Ok(Self::Role(arn)),
            (_, _, Some(_)) => refused(Field::RoleArn, "goes without an access key"),
            (Some(access_key_id), Some(secret_access_key), None) => {
                Ok(Self::Key(Credentials { access_key_id, secret_access_key }))
            }
            (Some(_), None, None) => refused(Field::SecretAccessKey, "is missing: it comes together with accessKeyId"),
            (None, Some(_), None) => refused(Field::AccessKeyId, "is missing: it comes together with secretAccessKey"),
            (None, None, None) => refused(Field::AccessKeyId, "is required, unless there is a role"),
        }
    }

    /// Gives a destination this access.
    pub(super) fn set(
        self,
        destination: &mut Destination,
        system: &System,
        keyring: &Keyring,
    ) -> Result<(), RegistryError> {
        match self {
            Self::Key(credentials) => {
                check_credentials(&credentials)?;
                destination.sealed_credentials = keyring.seal_credentials(system, destination.id, &credentials);
                destination.role = None;
                Ok(())
            }
            Self::Role(arn) => set_role(arn, destination, system),
        }
    }
}

/// An access key, or the half of it that is new.
#[derive(Clone)]
pub struct NewCredentials<'a> {
    /// What seals it.
    pub keyring: &'a Keyring,
    /// Its identifier.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<SecretString>,
}

impl NewCredentials<'_> {
    /// Gives a destination this access key. The half that is not new is the one `before`.
    pub(super) fn set(
        self,
        destination: &mut Destination,
        before: &Destination,
        system: &System,
    ) -> Result<(), RegistryError> {
        let Self { keyring, access_key_id, secret_access_key } = self;
        let access = match (access_key_id, secret_access_key) {
            (Some(access_key_id), Some(secret_access_key)) => {
                NewAccess::Key(Credentials { access_key_id, secret_access_key })
            }
            (access_key_id, secret_access_key) if before.role.is_some() => {
                NewAccess::of(access_key_id, secret_access_key, None)?
            }
            (access_key_id, secret_access_key) => {
                let kept = keyring.open_credentials(before)?;
                NewAccess::Key(Credentials {
                    access_key_id: access_key_id.unwrap_or(kept.access_key_id),
                    secret_access_key: secret_access_key.unwrap_or(kept.secret_access_key),
                })
            }
        };
        access.set(destination, system, keyring)
    }
}

/// Gives a destination a role. An external id that it has stays: the owner's trust policies name it.
pub(super) fn set_role(arn: String, destination: &mut Destination, system: &System) -> Result<(), RegistryError> {
    if destination.provider != Provider::Aws.as_str() {
        return Err(RegistryError::invalid(Field::RoleArn, "is for the provider aws only: give an access key"));
    }
    if !is_role(&arn) {
        let problem = "is a role's ARN such as arn:aws:iam::210987654321:role/walwarden-backup";
        return Err(RegistryError::invalid(Field::RoleArn, problem));
    }
    let before = destination.role.take().map(|role| role.external_id);
    let external_id = before.unwrap_or_else(|| format!("wal-{}", hex::encode(system.random::<16>())));
    destination.role = Some(Role { arn, external_id });
    destination.sealed_credentials.clear();
    Ok(())
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, name] = parts.as_slice() else { return false };
    let name = name.strip_prefix("role/").unwrap_or_default();
    arn.len() <= 512
        && matches!(*partition, "aws" | "aws-cn" | "aws-us-gov")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte))
}

fn check_credentials(credentials: &Credentials) -> Result<(), RegistryError> {
    let id = credentials.access_key_id.as_str();
    if !(1..=256).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let problem = "has 1 to 256 printable characters without spaces";
        return Err(RegistryError::invalid(Field::AccessKeyId, problem));
    }
    let secret = credentials.secret_access_key.expose_secret();
    if !(1..=4096).contains(&secret.len()) || secret.chars().any(char::is_control) {
        let problem = "has 1 to 4096 bytes, none of them a control character";
        return Err(RegistryError::invalid(Field::SecretAccessKey, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_role_of_one_account_is_taken() {
        for good in ["arn:aws:iam::210987654321:role/walwarden", "arn:aws-cn:iam::210987654321:role/backup/w@x"] {
            assert!(is_role(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "walwarden",
            "arn:aws:iam::210987654321:role/",
            "arn:aws:iam::210987654321:root",
            "arn:aws:iam::210987654321:user/walwarden",
            "arn:aws:iam::account:role/walwarden",
            "arn:aws:iam::210987654321:role/*",
            "arn:aws:sts::210987654321:assumed-role/a/b",
        ] {
            assert!(!is_role(bad), "{bad}");
        }
    }
}
