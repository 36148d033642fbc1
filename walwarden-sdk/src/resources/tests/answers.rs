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
    body.required_scope = Some(walwarden_contract::Scope::BackupsTrigger.into());
    body.request_id = Some("req-1".to_owned());
    let server = server(vec![ResponseTemplate::new(403).set_body_json(Problem::from(body))]).await;
    let error = client(&server).get_profile().await.expect_err("forbidden");
    assert_eq!(error.body().message, "no [31m[redacted]");
    assert_eq!(error.body().required_scope, Some(walwarden_contract::Scope::BackupsTrigger.into()));
    assert_eq!(error.body().request_id.as_deref(), Some("req-1"));
    assert!(!format!("{error:?} {:?}", client(&server)).contains(KEY));
}

#[tokio::test]
async fn an_address_without_a_server_is_a_network_error() {
    let builder = WalwardenClient::builder().base_url("http://127.0.0.1:1/base/").api_key(KEY);
    let client = builder.retries(RetryPolicy::never()).build().expect("a client");
    let error = client.get_profile().await.expect_err("nobody there");
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert!(!error.to_string().contains("/base/"), "{error}");
}

#[tokio::test]
async fn a_success_without_a_body_is_one() {
    let server = server(vec![ResponseTemplate::new(204)]).await;
    client(&server).delete_database(DatabaseId::from_uuid(ID)).await.expect("deleted");
}

#[tokio::test]
async fn an_archive_comes_as_it_is_and_only_up_to_its_bound() {
    let archive = vec![0x1f, 0x8b, 0x00, 0xff];
    let small = server(vec![ResponseTemplate::new(200).set_body_raw(archive.clone(), "application/gzip")]).await;
    let id = BackupJobId::from_uuid(ID);
    assert_eq!(
        client(&small)
            .export_evidence(id, &walwarden_contract::model::ExportEvidenceQuery::default())
            .await
            .expect("an archive"),
        archive
    );
    assert_eq!(
        header(&requests(&small).await[0], "accept").as_deref(),
        Some("application/gzip, application/problem+json")
    );
    let large =
        server(vec![ResponseTemplate::new(200).set_body_raw(vec![0; (64 << 20) + 1], "application/gzip")]).await;
    let error = client(&large)
        .export_evidence(id, &walwarden_contract::model::ExportEvidenceQuery::default())
        .await
        .expect_err("too large");
    assert_eq!((error.code(), requests(&large).await.len()), (ErrorCode::UnexpectedResponse.into(), 1));
}

#[tokio::test]
async fn consent_is_asked_for_once_and_sent_with_the_call_it_was_given_for() {
    let mut body = ErrorBody::new(ErrorCode::HumanConfirmationRequired, "delete database shop");
    body.confirmation = Some(ConfirmationChallenge {
        summary: "Delete the database shop.".to_owned(),
        challenge: "wcc1.abc".to_owned(),
        expires_at: Timestamp::from_millis(0).expect("in range"),
    });
    let refused = ResponseTemplate::new(428).set_body_json(Problem::from(body));
    let server = server(vec![refused, ResponseTemplate::new(204)]).await;
    let (client, id) = (client(&server), DatabaseId::from_uuid(ID));
    let error = client.delete_database(id).await.expect_err("gated");
    assert_eq!((error.code(), error.is_retryable()), (ErrorCode::HumanConfirmationRequired.into(), false));
    let challenge = error.confirmation().expect("a challenge").challenge.clone();
    client.confirming(&challenge).delete_database(id).await.expect("deleted");
    client.delete_database(id).await.expect("the client itself carries no challenge");
    client.confirming("no\nchallenge").delete_database(id).await.expect("sent without it");
    let sent: Vec<_> = requests(&server).await.iter().map(|it| header(it, "walwarden-confirmation")).collect();
    assert_eq!(sent, [None, Some("wcc1.abc".to_owned()), None, None]);
}

#[tokio::test]
async fn the_request_is_named_even_where_the_body_names_none() {
    let answer = |template: ResponseTemplate| template.insert_header("x-request-id", "req-7");
    let server = server(vec![answer(problem(ErrorCode::NotFound))]).await;
    assert_eq!(client(&server).get_profile().await.expect_err("refused").request_id(), Some("req-7"));
}

#[tokio::test]
async fn the_kind_of_an_error_says_where_it_arose() {
    let api = client(&server(vec![problem(ErrorCode::NotFound)]).await).get_profile().await;
    let decode = client(&server(vec![ResponseTemplate::new(200).set_body_string("{}")]).await).get_profile().await;
    let unexpected = client(&server(vec![ResponseTemplate::new(404)]).await).get_profile().await;
    let nobody = WalwardenClient::builder().base_url("http://127.0.0.1:1").api_key(KEY).retries(RetryPolicy::never());
    let transport = nobody.build().expect("a client").get_profile().await;
    assert!(matches!(api, Err(Error::Api(_))) && matches!(decode, Err(Error::Decode(_))), "{api:?} {decode:?}");
    assert!(matches!(unexpected, Err(Error::Unexpected(_))) && matches!(transport, Err(Error::Transport(_))));
    assert!(matches!(WalwardenClient::builder().build(), Err(Error::Local(_))));
}
