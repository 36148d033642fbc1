//! What can be refused without a call: flags that contradict each other, the token, or the manifest hash.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::RestoreMode;
use walwarden_contract::token::TokenPayload;

use super::options::{MAX_JOBS, RestoreOptions};
use super::verify;
use crate::Error;

const MAX_NAME: usize = 63;

impl RestoreOptions {
    /// Refuses what no restore could be: what [`RestoreOptions::check_form`] refuses, and an unconfirmed `in_place`.
    /// Makes no call and touches nothing.
    ///
    /// # Errors
    /// `confirmation_required`, `usage_error`, `target_invalid` or `config_invalid`.
    pub fn check(&self) -> Result<(), Error> {
        self.check_form()?;
        if self.mode == RestoreMode::InPlace && !self.confirm_destructive {
            let target = self.target.redacted();
            let message = format!(
                "in_place replaces in {target} every object that the backup holds, and was not confirmed. Nothing was done."
            );
            return Err(Error::new(ErrorCode::ConfirmationRequired, message));
        }
        Ok(())
    }

    /// Refuses a name that cannot be created, a target that the mode cannot work with, more jobs than [`MAX_JOBS`], and a
    /// public key that is none.
    ///
    /// # Errors
    /// `usage_error`, `target_invalid` or `config_invalid`.
    pub fn check_form(&self) -> Result<(), Error> {
        if self.jobs.is_some_and(|jobs| jobs.get() > MAX_JOBS) {
            return Err(usage(&format!("--jobs must be a number from 1 to {MAX_JOBS}.")));
        }
        self.public_key_pem.as_deref().map(verify::pinned_key).transpose()?;
        match self.mode {
            RestoreMode::InPlace => {
                if self.created_database.is_some() {
                    return Err(usage("--created-database goes with --mode new_database only."));
                }
                if self.target.database().is_none() {
                    let message = "in_place needs a target that names the database to overwrite.";
                    return Err(Error::new(ErrorCode::TargetInvalid, message));
                }
            }
            RestoreMode::NewDatabase => {
                if let Some(name) = &self.created_database {
                    check_name(name)?;
                }
            }
        }
        Ok(())
    }
}

/// A name may become an SQL identifier and a file-like argument: letters, digits, `_` and `-`, not beginning with a
/// digit or a hyphen.
fn check_name(name: &str) -> Result<(), Error> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if first && rest && name.len() <= MAX_NAME {
        return Ok(());
    }
    Err(usage(
        "--created-database must begin with a letter or an underscore and hold only letters, digits, underscores and \
         hyphens, 63 at most.",
    ))
}

fn usage(message: &str) -> Error {
    Error::new(ErrorCode::UsageError, message)
}

/// Compares what the operator named with what the token says, before the token is used up.
pub(super) fn check_token(payload: &TokenPayload, manifest_hash: &str, mode: RestoreMode) -> Result<(), Error> {
    if manifest_hash.len() != 64 || !manifest_hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(usage("--manifest must be 64 lowercase hexadecimal digits: the manifest hash of a backup."));
    }
    if payload.manifest_hash != manifest_hash {
        let message = "--manifest is not the manifest that the restore token names. The token was not used.";
        return Err(Error::new(ErrorCode::ManifestHashMismatch, message));
    }
    if payload.mode != mode {
        let message = format!(
            "--mode is {}, the restore token is for {}. The token was not used.",
            mode.as_str(),
            payload.mode.as_str()
        );
        return Err(usage(&message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use walwarden_contract::{DatabaseId, OrgId, RestoreJobId, Timestamp};

    use super::*;
    use crate::postgres::{Dsn, Tools};

    fn options(target: &str, mode: RestoreMode) -> RestoreOptions {
        RestoreOptions::new(Dsn::parse(target).expect("a DSN"), mode, Tools::default())
    }

    #[test]
    fn in_place_needs_a_confirmation_and_a_database() {
        let mut options = options("postgresql://u:hunter2@h/app", RestoreMode::InPlace);
        let error = options.check().expect_err("unconfirmed");
        assert_eq!(error.code(), ErrorCode::ConfirmationRequired);
        assert!(!error.to_string().contains("hunter2"));
        options.confirm_destructive = true;
        assert_eq!(options.check(), Ok(()));
        options.created_database = Some("x".to_owned());
        assert_eq!(options.check().expect_err("contradiction").code(), ErrorCode::UsageError);
        options.created_database = None;
        options.target = Dsn::parse("postgresql://u@h").expect("a DSN");
        assert_eq!(options.check().expect_err("no database").code(), ErrorCode::TargetInvalid);
    }

    #[test]
    fn only_plain_names_are_created() {
        let mut options = options("postgresql://u@h/postgres", RestoreMode::NewDatabase);
        for good in ["recovery_2026_06_30", "_x", "A-b", &"a".repeat(63)] {
            options.created_database = Some(good.to_owned());
            assert_eq!(options.check(), Ok(()), "{good}");
        }
        for bad in ["", "1x", "-x", "a b", "a\"b", "zürich", "a;drop", "x=y", &"a".repeat(64)] {
            options.created_database = Some(bad.to_owned());
            assert_eq!(options.check().expect_err(bad).code(), ErrorCode::UsageError);
        }
    }

    #[test]
    fn jobs_are_bounded() {
        let mut options = options("postgresql://u@h/postgres", RestoreMode::NewDatabase);
        for (jobs, fits) in [(1, true), (256, true), (257, false), (99_999_999_999, false)] {
            options.jobs = std::num::NonZeroUsize::new(jobs);
            let code = options.check().map_err(|error| error.code().known());
            assert_eq!(code, if fits { Ok(()) } else { Err(Some(ErrorCode::UsageError)) }, "{jobs}");
        }
    }

    #[test]
    fn a_pinned_key_that_is_none_is_refused_before_any_call() {
        let mut options = options("postgresql://u@h/postgres", RestoreMode::NewDatabase);
        for bad in ["", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            options.public_key_pem = Some(bad.to_owned());
            assert_eq!(options.check_form().expect_err(bad).code(), ErrorCode::ConfigInvalid);
        }
    }

    #[test]
    fn the_token_must_name_the_same_restore() {
        let hash = "ab".repeat(32);
        let payload = TokenPayload {
            org_id: OrgId::from_uuid(uuid::Uuid::nil()),
            database_id: DatabaseId::from_uuid(uuid::Uuid::nil()),
            manifest_hash: hash.clone(),
            mode: RestoreMode::NewDatabase,
            job_intent_id: RestoreJobId::from_uuid(uuid::Uuid::nil()),
            exp: Timestamp::from_millis(0).expect("in range"),
        };
        let check = |hash: &str, mode| {
            check_token(&payload, hash, mode).map_err(|error| error.code().known().expect("a known code"))
        };
        assert_eq!(check(&hash, RestoreMode::NewDatabase), Ok(()));
        assert_eq!(check(&hash, RestoreMode::InPlace), Err(ErrorCode::UsageError));
        assert_eq!(check(&"cd".repeat(32), RestoreMode::NewDatabase), Err(ErrorCode::ManifestHashMismatch));
        assert_eq!(check("abc", RestoreMode::NewDatabase), Err(ErrorCode::UsageError));
    }
}
