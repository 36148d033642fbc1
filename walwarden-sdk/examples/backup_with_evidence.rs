//! Backs a database up, and calls that a success only after its evidence was read.
//!
//! `WALWARDEN_BASE_URL=… WALWARDEN_API_KEY=… WALWARDEN_DATABASE_ID=db_… cargo run -p walwarden-sdk --example backup_with_evidence`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it found")]

use std::time::Duration;

use walwarden_sdk::contract::DatabaseId;
use walwarden_sdk::contract::model::{BackupState, IntegrityResult};
use walwarden_sdk::{Poll, WalwardenClient, new_idempotency_key};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database: DatabaseId = std::env::var("WALWARDEN_DATABASE_ID")?.parse()?;
    let client = WalwardenClient::builder()
        .base_url(std::env::var("WALWARDEN_BASE_URL")?)
        .api_key(std::env::var("WALWARDEN_API_KEY")?)
        .user_agent("backup-with-evidence/1.0")
        .build()?;

    // The same key starts one backup, however often the call is made.
    let triggered = client.trigger_backup(database, &new_idempotency_key()).await?;
    let poll = Poll { deadline: Some(Duration::from_mins(10)), ..Poll::default() };
    let backup = client
        .poll_backup(triggered.backup_job_id, &poll, |backup| {
            eprintln!("{} (attempt {})", backup.state, backup.attempt);
        })
        .await?;
    if backup.state != BackupState::Completed {
        return Err(format!("backup {} is {}", backup.id, backup.state).into());
    }

    let evidence = client.get_evidence(backup.id).await?;
    if evidence.integrity_verification.result != IntegrityResult::Passed {
        return Err(format!("the evidence of {} does not hold", backup.id).into());
    }
    println!("{} manifest {} age {} min", backup.id, evidence.manifest_hash, evidence.rpo_minutes);
    Ok(())
}
