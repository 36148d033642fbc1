//! The tool catalog is what the key may call, and no more.

use serde_json::json;
use walwarden_contract::Scope;
use walwarden_contract::capabilities::catalog;

use super::fixture::{Fixture, api_key};

#[tokio::test]
async fn the_catalog_holds_what_the_key_may_call_and_no_more() {
    let fixture = Fixture::new().await;
    for scopes in [Scope::ALL, &[Scope::DatabasesRead], &[]] {
        let (_, key) = api_key(&fixture.state, fixture.org_id, scopes, None).await;
        let answer = fixture.get("/mcp/tools", &key).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let tools = answer.json();
        assert_eq!(tools, json!(catalog(scopes)));
        for tool in tools["tools"].as_array().expect("a list") {
            for scope in tool["requiredScopes"].as_array().expect("a list") {
                let held = scopes.iter().any(|held| scope == held.as_str());
                assert!(held, "{} needs {scope}", tool["name"]);
            }
        }
    }
    let all = fixture.get("/mcp/tools", &fixture.key).await.json();
    assert!(
        all["tools"]
            .as_array()
            .is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "walwarden.backup.trigger"))
    );
}
