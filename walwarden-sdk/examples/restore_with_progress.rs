//! Restores a backup from within a service, with a progress callback of its own.
//!
//! `WALWARDEN_BASE_URL=… WALWARDEN_API_KEY=… WALWARDEN_BACKUP_ID=bkp_… WALWARDEN_TARGET_DSN=postgresql://…/postgres \
//! cargo run -p walwarden-sdk --features restore --example restore_with_progress`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use secrecy::SecretString;
use walwarden_sdk::contract::model::{CreateRestoreRequest, RestoreMode};
use walwarden_sdk::postgres::{Ambient, Dsn, Tools};
use walwarden_sdk::restore::{Executor, RestoreEvent, RestoreOptions};
use walwarden_sdk::{WalwardenClient, new_idempotency_key};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = WalwardenClient::builder()
        .base_url(std::env::var("WALWARDEN_BASE_URL")?)
        .api_key(std::env::var("WALWARDEN_API_KEY")?)
        .user_agent("restore-with-progress/1.0")
        .build()?;

    let target = Dsn::parse(&std::env::var("WALWARDEN_TARGET_DSN")?)?;
    let tools = Tools::discover(None, std::env::var_os("PATH").as_deref());
    let mut options = RestoreOptions::new(target, RestoreMode::NewDatabase, tools);
    options.ambient = Ambient::from_process();
    options.created_database = std::env::var("WALWARDEN_CREATED_DATABASE").ok();

    // The API learns where the restore goes, never how to get in.
    let request = CreateRestoreRequest {
        backup_job_id: std::env::var("WALWARDEN_BACKUP_ID")?.parse()?,
        mode: options.mode,
        target_redacted_dsn: options.target.redacted(),
        created_database: options.created_database.clone(),
        confirm_destructive: false,
    };
    let opened = client.create_restore(&request, &new_idempotency_key()).await?;
    let session = client.restore_session(SecretString::from(opened.token))?;

    let executor = Executor::new(options).on_event(|event| match event {
        RestoreEvent::State { state, .. } => eprintln!("{}", state.as_str()),
        RestoreEvent::Downloaded { bytes, total } => eprintln!("{bytes} of {total} bytes"),
        _ => {}
    });
    let outcome = executor.run(&session, &opened.manifest_hash).await?;
    println!("{} restored into {}", outcome.restore_job_id, outcome.database);
    Ok(())
}
