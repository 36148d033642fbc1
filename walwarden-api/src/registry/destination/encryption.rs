//! What a bucket can be asked to encrypt with: whether the provider has it, and whether the key can be one.

use walwarden_contract::model::{Encryption, Provider};

use super::providers::Rules;
use crate::registry::{Field, RegistryError};
use crate::store::destinations::Destination;

/// Checks method and key together, and the key against the bucket's region, where its name tells its own.
pub(super) fn check_encryption(rules: &Rules, destination: &Destination) -> Result<(), RegistryError> {
    let method = rules.encryptions.iter().find(|method| method.as_str() == destination.encryption);
    let Some(method) = method else {
        return Err(RegistryError::invalid(Field::Encryption, rules.encryption_advice));
    };
    let refused = |problem: String| Err(RegistryError::invalid(Field::KmsKeyId, problem));
    match (method, destination.kms_key_id.as_deref()) {
        (Encryption::SseKms, None) => {
            refused("is required for sse_kms: give the ARN of the key, its id, or the ARN of an alias".to_owned())
        }
        (Encryption::SseKms, Some(key)) => match key_problem(rules.provider, key, &destination.region) {
            Some(problem) => refused(problem),
            None => Ok(()),
        },
        (_, Some(_)) => refused(format!("goes with the encryption sse_kms only, and it is {}", method.as_str())),
        (_, None) => Ok(()),
    }
}

/// What is wrong with a key, continuing a sentence that begins with its field. A server of the customer's own may name its keys as
/// it likes.
fn key_problem(provider: Provider, key: &str, region: &str) -> Option<String> {
    if !(1..=512).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("has 1 to 512 printable characters without spaces".to_owned());
    }
    if provider != Provider::Aws {
        return None;
    }
    if key.starts_with("alias/") {
        let whole = format!("arn:aws:kms:{region}:<account>:{key}");
        return Some(format!("is the whole ARN of an alias, {whole}: the bare name means another key in each account"));
    }
    let example = format!("arn:aws:kms:{region}:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d");
    let malformed = || Some(format!("is a key's ARN such as {example}, the id at its end, or the ARN of an alias"));
    if is_key_id(key) {
        return None;
    }
    let parts: Vec<_> = key.splitn(6, ':').collect();
    let ["arn", partition, "kms", of, account, name] = parts.as_slice() else { return malformed() };
    let named = match name.split_once('/') {
        Some(("key", id)) => is_key_id(id),
        Some(("alias", alias)) => {
            !alias.is_empty() && alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
        }
        _ => false,
    };
    let account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !named || !account || !matches!(*partition, "aws" | "aws-cn" | "aws-us-gov") {
        return malformed();
    }
    (*of != region).then(|| {
        format!("is of the region {of}, and the bucket of {region}: a bucket encrypts with keys of its own region only")
    })
}

/// A UUID, or the id of a key that is the same in several regions.
fn is_key_id(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    match text.strip_prefix("mrk-") {
        Some(rest) => rest.len() == 32 && hex(rest),
        None => groups == [8, 4, 4, 4, 12] && hex(&text.replace('-', "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str = "eu-central-1";
    const ID: &str = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

    fn problem(key: &str) -> Option<String> {
        key_problem(Provider::Aws, key, REGION)
    }

    #[test]
    fn amazons_keys_are_taken_by_arn_by_id_and_by_an_aliass_arn() {
        let arn = |name: &str| format!("arn:aws:kms:{REGION}:210987654321:{name}");
        for good in [
            ID.to_owned(),
            format!("mrk-{}", "0a".repeat(16)),
            arn(&format!("key/{ID}")),
            arn(&format!("key/mrk-{}", "0a".repeat(16))),
            arn("alias/walwarden/backup"),
        ] {
            assert_eq!(problem(&good), None, "{good}");
        }
        for bad in [
            "",
            "a key",
            "my-key",
            "arn:aws:kms:eu-central-1:210987654321:key/*",
            "arn:aws:kms:eu-central-1:account:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "arn:aws:kms:eu-central-1:210987654321:alias/",
            "arn:aws:s3:eu-central-1:210987654321:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
        ] {
            assert!(problem(bad).is_some(), "{bad} was accepted");
        }
    }

    #[test]
    fn a_key_of_another_region_and_a_bare_alias_are_refused_with_what_to_give_instead() {
        let elsewhere = problem(&format!("arn:aws:kms:us-east-1:210987654321:key/{ID}")).expect("is refused");
        assert!(elsewhere.contains("us-east-1") && elsewhere.contains(REGION), "{elsewhere}");
        let bare = problem("alias/walwarden").expect("is refused");
        assert!(bare.contains("arn:aws:kms:eu-central-1:<account>:alias/walwarden"), "{bare}");
    }

    #[test]
    fn a_server_of_the_customers_own_names_its_keys_as_it_likes() {
        for key in ["my-key", "alias/my-key", "transit/keys/backup"] {
            assert_eq!(key_problem(Provider::S3Compatible, key, "us-east-1"), None, "{key}");
        }
        assert!(key_problem(Provider::S3Compatible, "two words", "us-east-1").is_some());
    }
}
