//! How a bucket is spoken to, as flags.

use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use walwarden_contract::model::{Addressing, ChecksumMode, Encryption, LockMode, Provider};

use crate::registry::destination::Connection;

/// The options that adding and updating share.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// URL of the endpoint; https, except on the loopback interface
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Region
    #[arg(long)]
    region: Option<String>,
    /// Where the bucket's name stands in a URL
    #[arg(long, value_parser = choice(Addressing::ALL, Addressing::as_str))]
    addressing: Option<Addressing>,
    /// Whether uploads carry a CRC-32 that the provider checks
    #[arg(long, value_parser = choice(ChecksumMode::ALL, ChecksumMode::as_str))]
    checksum_mode: Option<ChecksumMode>,
    /// How artifacts are locked; anything but none needs Object Lock on the bucket
    #[arg(long, value_parser = choice(LockMode::ALL, LockMode::as_str))]
    lock_mode: Option<LockMode>,
    /// For how many days an artifact is locked
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=365))]
    retention_days: Option<u32>,
    /// What the bucket is asked to encrypt objects with; none leaves it to the bucket's default
    #[arg(long, value_parser = choice(Encryption::ALL, Encryption::as_str))]
    encryption: Option<Encryption>,
    /// Key of `sse_kms`: its ARN, its id, or an alias's ARN
    #[arg(long, value_name = "KEY")]
    kms_key_id: Option<String>,
}

impl From<Options> for Connection {
    fn from(options: Options) -> Self {
        let Options { endpoint, region, addressing, checksum_mode, lock_mode, retention_days, encryption, kms_key_id } =
            options;
        Self { endpoint, region, addressing, checksum_mode, lock_mode, retention_days, encryption, kms_key_id }
    }
}

/// What serves a bucket.
pub(super) fn provider() -> impl TypedValueParser<Value = Provider> {
    choice(Provider::ALL, Provider::as_str)
}

/// One of the contract's choices. Hyphens are taken for underscores, without a word in the help.
fn choice<T>(all: &'static [T], text: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Copy + Send + Sync + 'static,
{
    let values = all.iter().map(|choice| {
        let text = text(*choice);
        PossibleValue::new(text).alias(text.replace('_', "-"))
    });
    PossibleValuesParser::new(values).try_map(|text| text.replace('-', "_").parse())
}
