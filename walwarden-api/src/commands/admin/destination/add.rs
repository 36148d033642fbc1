//! `walwarden-api admin destination add`.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;
use walwarden_contract::model::Provider;

use super::options::{self, Options};
use super::preflight;
use super::view::shown;
use crate::commands::admin::context::Context;
use crate::commands::admin::{secret, usage};
use crate::commands::output::{CommandResult, Failure};
use crate::config::Environment;
use crate::jobs::Submitted;
use crate::registry::destination::{self, Looker, NewAccess, NewDestination};
use crate::secrets::Credentials;

pub(super) const EXAMPLE: &str = "Example:
  WALWARDEN_SECRET_ACCESS_KEY_FILE=secret.txt walwarden-api admin destination add --name eu \\
      --provider aws --region eu-central-1 --bucket my-backups --lock-mode governance --access-key-id AKIAEXAMPLE
  walwarden-api admin destination add --name eu-kms --provider aws --region eu-central-1 --bucket my-backups \\
      --encryption sse_kms --kms-key-id arn:aws:kms:eu-central-1:210987654321:alias/walwarden-backup \\
      --role-arn arn:aws:iam::210987654321:role/walwarden-backup --skip-preflight";

/// The arguments of `destination add`.
#[derive(Debug, Args)]
pub(in crate::commands::admin) struct AddArguments {
    /// Name of the destination
    #[arg(long)]
    name: String,
    /// What serves the bucket
    #[arg(long, value_parser = options::provider())]
    provider: Provider,
    /// The bucket
    #[arg(long)]
    bucket: String,
    #[command(flatten)]
    options: Options,
    /// Identifier of the access key
    #[arg(long, value_name = "ID", required_unless_present = "role_arn")]
    access_key_id: Option<String>,
    /// Role to assume in place of an access key; Amazon S3 only
    #[arg(long, value_name = "ARN", conflicts_with_all = ["access_key_id", "secret_access_key_file", "secret_access_key_stdin"])]
    role_arn: Option<String>,
    #[command(flatten)]
    secret: SecretArguments,
    /// Leave the preflight to a worker, because the bucket is not set up yet
    #[arg(long)]
    skip_preflight: bool,
}

/// Where the access key's secret comes from.
#[derive(Debug, Args)]
pub(super) struct SecretArguments {
    /// File that holds the access key's secret, unless it is in `WALWARDEN_SECRET_ACCESS_KEY` or
    /// `WALWARDEN_SECRET_ACCESS_KEY_FILE` names its file
    #[arg(long, value_name = "PATH", conflicts_with = "secret_access_key_stdin")]
    secret_access_key_file: Option<PathBuf>,
    /// Read the access key's secret from standard input
    #[arg(long)]
    secret_access_key_stdin: bool,
}

impl SecretArguments {
    /// Whether a flag says where the secret is.
    pub(super) const fn is_named(&self) -> bool {
        self.secret_access_key_stdin || self.secret_access_key_file.is_some()
    }

    /// The secret, if one was given.
    pub(super) fn read(&self, env: &Environment<'_>) -> Result<Option<SecretString>, Failure> {
        if self.secret_access_key_stdin {
            return secret::from_stdin().map(Some);
        }
        let file: Option<&Path> = self.secret_access_key_file.as_deref();
        secret::from_file_or_environment(file, "WALWARDEN_SECRET_ACCESS_KEY", env)
    }
}

pub(super) async fn run(arguments: AddArguments, context: &Context<'_>) -> CommandResult {
    let AddArguments { name, provider, bucket, options, access_key_id, role_arn, secret, skip_preflight } = arguments;
    let access = match (access_key_id, role_arn) {
        (Some(access_key_id), _) => NewAccess::Key(Credentials {
            access_key_id,
            secret_access_key: secret.read(context.env)?.ok_or_else(|| {
                usage("the access key's secret is missing: set WALWARDEN_SECRET_ACCESS_KEY or WALWARDEN_SECRET_ACCESS_KEY_FILE, or add --secret-access-key-file or --secret-access-key-stdin")
            })?,
        }),
        (None, role_arn) => NewAccess::of(None, None, role_arn)?,
    };
    let looker = if skip_preflight { Looker::Worker } else { Looker::Caller };
    let new = NewDestination { name, provider, bucket, connection: options.into(), access, looker };
    let (store, system, keyring) = (&context.store, context.system, context.keyring()?);
    let destination = match destination::create(store, system, &keyring, context.org_id, new, None, None).await? {
        Submitted::New(destination) => destination,
        Submitted::Replayed(_) => unreachable!("nothing is replayed that was asked for without an Idempotency-Key"),
    };
    let id = destination.id.to_string();
    let outcome = if skip_preflight {
        shown(&destination).then(&["walwarden-api", "admin", "destination", "policy", &id]).then(&[
            "walwarden-api",
            "admin",
            "destination",
            "preflight",
            &id,
        ])
    } else {
        preflight::after_change(context, &keyring, &destination).await?
    };
    Ok(outcome.then(&[
        "walwarden-api",
        "admin",
        "database",
        "add",
        "--name",
        "<name>",
        "--destination",
        &id,
        "--source-file",
        "<path>",
    ]))
}
