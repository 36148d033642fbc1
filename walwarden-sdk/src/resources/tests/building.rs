//! What a client is built from.

use super::*;

#[tokio::test]
async fn keys_and_tokens_that_cannot_stand_in_a_header_are_refused() {
    let builder = || WalwardenClient::builder().base_url("https://h");
    for key in ["", "a b", "a\nb", "schlüssel"] {
        assert_eq!(builder().api_key(key).build().expect_err("refused").code(), ErrorCode::ConfigInvalid);
    }
    for token in ["", "wrt1", "wrt1.e30.x", "wal_0"] {
        let refused = builder().restore_session(SecretString::from(token));
        assert_eq!(refused.expect_err("refused").code(), ErrorCode::TokenInvalid);
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let address = WalwardenClient::builder().api_key(KEY).build().expect_err("no address");
    let key = WalwardenClient::builder().base_url("https://h").build().expect_err("no key");
    assert!(address.to_string().contains("base_url") && key.to_string().contains("api_key"));
    let agent = WalwardenClient::builder().base_url("https://h").api_key(KEY).user_agent("a\nb").build();
    assert_eq!(agent.expect_err("refused").code(), ErrorCode::ConfigInvalid);
}

#[tokio::test]
async fn the_program_names_itself_and_brings_its_own_http_client() {
    let server = server(vec![problem(ErrorCode::NotFound)]).await;
    let headers = [(reqwest::header::HeaderName::from_static("x-proxy"), "mine".parse().expect("a value"))];
    let http = reqwest::Client::builder().default_headers(headers.into_iter().collect()).build().expect("a client");
    let client = builder(&server).user_agent("my-service/1.0").http_client(http).build().expect("a client");
    assert!(client.get_profile().await.is_err());
    assert!(self::client(&server).get_profile().await.is_err());
    let requests = requests(&server).await;
    let agent = |request| header(request, "user-agent").expect("an agent");
    assert_eq!(agent(&requests[0]), format!("my-service/1.0 walwarden-sdk/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(header(&requests[0], "x-proxy").as_deref(), Some("mine"));
    assert_eq!(agent(&requests[1]), format!("walwarden-sdk/{}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn the_time_for_a_request_holds_for_any_http_client() {
    let late = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let server = server(vec![late]).await;
    let http = reqwest::Client::builder().build().expect("a client");
    let builder = builder(&server).http_client(http).timeout(Duration::from_millis(20)).retries(RetryPolicy::never());
    let error = builder.build().expect("a client").get_profile().await.expect_err("late");
    assert!(matches!(error, Error::Timeout(_)) && error.code() == ErrorCode::Timeout && error.is_retryable());
}

#[tokio::test]
async fn the_server_says_whether_it_understands_this_client() {
    let profile = |surface: &str, oldest: &str| {
        json!({
            "orgId": OrgId::from_uuid(ID), "orgName": "o", "apiKeyId": walwarden_contract::ApiKeyId::from_uuid(ID),
            "apiKeyName": "k", "clientKind": "service", "scopes": [], "expiresAt": null, "serverVersion": "9.9.9",
            "surfaceVersion": surface, "minClientVersion": oldest,
        })
    };
    let mut silent = profile("", "");
    silent.as_object_mut().expect("an object").retain(|name, _| !name.ends_with("Version") || name == "serverVersion");
    let cases = [
        (profile("1.0.0", "0.1.0"), true),
        (profile("1.99.0", "0.0.1"), true),
        (silent, true),
        (profile("2.0.0", "0.1.0"), false),
        (profile("1.0.0", "99.0.0"), false),
        (profile("one", "0.1.0"), false),
    ];
    for (profile, compatible) in cases {
        let answer = ResponseTemplate::new(200).insert_header("date", "Sat, 31 Jan 2026 02:00:00 GMT");
        let server = server(vec![answer.set_body_json(&profile)]).await;
        let found = client(&server).check_compatibility().await.expect("an answer");
        assert_eq!(found.compatible, compatible, "{profile}");
        assert_eq!(found.server_time.map(|time| time.to_string()).as_deref(), Some("2026-01-31T02:00:00.000Z"));
    }
}
