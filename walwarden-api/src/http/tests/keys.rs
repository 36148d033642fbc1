//! A key says of itself what it is and what it opens.

use serde_json::json;
use walwarden_contract::Scope;
use walwarden_contract::operations::{Auth, OPERATIONS};

use super::fixture::{Fixture, HOUR, api_key};

#[tokio::test]
async fn a_key_lists_the_operations_that_it_opens() {
    let fixture = Fixture::new().await;
    let (id, key) = api_key(&fixture.state, fixture.org_id, &[Scope::BackupsTrigger], Some(HOUR)).await;
    let answer = fixture.get("/keys/self", &key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let described = answer.json();
    assert_eq!(described["id"], id.to_string());
    assert_eq!(described["orgId"], fixture.org_id.to_string());
    assert_eq!(described["clientKind"], "service");
    assert_eq!(described["scopes"], json!(["backups:trigger"]));
    assert_eq!(described["expiresAt"], "2026-01-31T03:00:00.000Z");
    let operations = ["getProfile", "triggerBackup", "cancelBackup", "dismissBackup", "getApiKey", "listTools"];
    assert_eq!(described["operations"], json!(operations));
    assert!(!answer.text.contains(&key));

    let whole = fixture.get("/keys/self", &fixture.key).await.json();
    let by_key = OPERATIONS.iter().filter(|operation| matches!(operation.auth, Auth::ApiKey(_)));
    assert_eq!(whole["operations"].as_array().map(Vec::len), Some(by_key.count()));
}
