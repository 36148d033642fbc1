//! Lists every protected database with the age of its data.
//!
//! `WALWARDEN_BASE_URL=… WALWARDEN_API_KEY=… cargo run -p walwarden-sdk --example list_databases`
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use futures::TryStreamExt;
use walwarden_sdk::{Error, WalwardenClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = WalwardenClient::builder()
        .base_url(std::env::var("WALWARDEN_BASE_URL")?)
        .api_key(std::env::var("WALWARDEN_API_KEY")?)
        .user_agent("list-databases/1.0")
        .build()?;

    let mut databases = std::pin::pin!(client.databases());
    let mut found = 0;
    while let Some(database) = databases.try_next().await? {
        found += 1;
        match database.rpo_minutes {
            Some(minutes) => println!("{} {}: data is {minutes} minutes old", database.id, database.name),
            None => println!("{} {}: no backup yet", database.id, database.name),
        }
    }
    println!("{found} databases");

    // What went wrong is told by a stable code, and whether to try again.
    if let Err(error @ Error::Api(_)) = client.get_database("db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3".parse()?).await {
        println!("{} (retryable: {})", error.code(), error.is_retryable());
    }
    Ok(())
}
