//! What the client makes of answers, addresses and keys.

use super::*;

#[tokio::test]
async fn answers_that_are_not_the_apis_are_told_apart() {
    let cases = [
        (ResponseTemplate::new(404).set_body_string("<html>nginx"), ErrorCode::UnexpectedResponse),
        (
            ResponseTemplate::new(418).set_body_json(json!({"code": "teapot", "message": "?"})),
            ErrorCode::UnexpectedResponse,
        ),
        (ResponseTemplate::new(500).set_body_string("oops"), ErrorCode::ServiceUnavailable),
        (ResponseTemplate::new(504).set_body_string("oops"), ErrorCode::ServiceUnavailable),
        (ResponseTemplate::new(429).set_body_string("slow"), ErrorCode::RateLimited),
        (ResponseTemplate::new(200).set_body_string("<html>login"), ErrorCode::UnexpectedResponse),
        (ResponseTemplate::new(200).set_body_json(json!({"orgId": "wrong"})), ErrorCode::UnexpectedResponse),
        (
            ResponseTemplate::new(302).insert_header("location", "https://elsewhere.example"),
            ErrorCode::UnexpectedResponse,
        ),
    ];
    for (answer, code) in cases {
        let server = server(vec![answer]).await;
        let error = client(&server).get_profile().await.expect_err("not the API");
        assert_eq!(error.code(), code, "{error}");
    }
}

#[tokio::test]
async fn what_the_server_says_is_kept_and_cleaned() {
    let mut body = ErrorBody::new(ErrorCode::Forbidden, format!("no \u{1b}[31m{KEY}"));
    body.required_scope = Some(walwarden_contract::Scope::BackupsTrigger);
    body.request_id = Some("req-1".to_owned());
    let server = server(vec![ResponseTemplate::new(403).set_body_json(Problem::from(body))]).await;
    let error = client(&server).get_profile().await.expect_err("forbidden");
    assert_eq!(error.body().message, "no [31m[redacted]");
    assert_eq!(error.body().required_scope, Some(walwarden_contract::Scope::BackupsTrigger));
    assert_eq!(error.body().request_id.as_deref(), Some("req-1"));
    assert!(!format!("{error:?} {:?}", client(&server)).contains(KEY));
}

#[tokio::test]
async fn an_address_without_a_server_is_a_network_error() {
    let endpoint = Endpoint { retry: RetryPolicy::never(), ..Endpoint::new("http://127.0.0.1:1/base/") };
    let http = api_http_client(Duration::from_secs(5)).expect("a client");
    let client = Client::new(&endpoint, SecretString::from(KEY), http).expect("a client");
    let error = client.get_profile().await.expect_err("nobody there");
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert!(!error.to_string().contains("/base/"), "{error}");
}

#[tokio::test]
async fn keys_that_cannot_stand_in_a_header_are_refused() {
    let http = api_http_client(Duration::from_secs(5)).expect("a client");
    for key in ["", "a b", "a\nb", "schlüssel"] {
        let refused = Client::new(&Endpoint::new("https://h"), SecretString::from(key), http.clone());
        assert_eq!(refused.expect_err("refused").code(), ErrorCode::ConfigInvalid);
    }
    for token in ["", "wrt1", "wrt1.e30.x", "wal_0"] {
        let refused = RestoreSessionClient::new(&Endpoint::new("https://h"), SecretString::from(token), http.clone());
        assert_eq!(refused.expect_err("refused").code(), ErrorCode::TokenInvalid);
    }
}
