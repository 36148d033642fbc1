//! What is repeated, how often, and under which key.

use super::*;

#[tokio::test]
async fn passing_failures_are_repeated_with_the_same_key() {
    let answers = vec![
        problem(ErrorCode::ServiceUnavailable),
        ResponseTemplate::new(502).set_body_string("<html>"),
        problem(ErrorCode::InternalError),
        ResponseTemplate::new(202).set_body_json(triggered()),
    ];
    let server = server(answers).await;
    client(&server).trigger_backup(DatabaseId::from_uuid(ID), "mine").await.expect("queued");
    let keys: Vec<_> = requests(&server).await.iter().map(|request| header(request, "idempotency-key")).collect();
    assert_eq!(keys, vec![Some("mine".to_owned()); 4]);
}

#[tokio::test]
async fn a_sessions_call_keeps_its_key_and_the_next_call_has_another() {
    let server = server(vec![problem(ErrorCode::RateLimited), problem(ErrorCode::TokenUsed)]).await;
    let session = session(&server);
    for _ in 0..2 {
        assert_eq!(session.claim_restore().await.expect_err("refused").code(), ErrorCode::TokenUsed);
    }
    let keys: Vec<_> = requests(&server).await.iter().map(|request| header(request, "idempotency-key")).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[1], keys[2]);
}

#[tokio::test]
async fn what_repeating_does_not_mend_is_not_repeated() {
    for code in [ErrorCode::BackupInProgress, ErrorCode::NotFound, ErrorCode::SourceAuthFailed, ErrorCode::Unauthorized]
    {
        let server = server(vec![problem(code)]).await;
        let error = client(&server).trigger_backup(DatabaseId::from_uuid(ID), "k").await.expect_err("refused");
        assert_eq!((error.code(), requests(&server).await.len()), (code.into(), 1));
    }
}

#[tokio::test]
async fn repetitions_are_bounded_and_long_waits_are_left_to_the_caller() {
    let one = server(vec![problem(ErrorCode::ServiceUnavailable)]).await;
    assert_eq!(client(&one).get_profile().await.expect_err("down").code(), ErrorCode::ServiceUnavailable);
    assert_eq!(requests(&one).await.len(), 5);
    let limited = server(vec![problem(ErrorCode::RateLimited).insert_header("retry-after", "3600")]).await;
    let error = client(&limited).get_profile().await.expect_err("limited");
    assert_eq!(error.body().retry_after_ms, Some(3_600_000));
    assert_eq!(requests(&limited).await.len(), 1);
}

#[tokio::test]
async fn a_wait_that_is_told_as_a_date_is_honoured() {
    let limited = problem(ErrorCode::RateLimited).insert_header("date", "Sat, 31 Jan 2026 02:00:00 GMT");
    let server = server(vec![limited.insert_header("retry-after", "Sat, 31 Jan 2026 03:00:00 GMT")]).await;
    let error = client(&server).get_profile().await.expect_err("limited");
    assert_eq!((error.body().retry_after_ms, requests(&server).await.len()), (Some(3_600_000), 1));
}
