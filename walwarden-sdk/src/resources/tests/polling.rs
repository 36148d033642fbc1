//! Following jobs.

use super::*;

#[tokio::test]
async fn a_backup_is_followed_to_its_end() {
    let states = [
        BackupState::Queued,
        BackupState::Queued,
        BackupState::Running,
        BackupState::FailedRetryable,
        BackupState::Running,
        BackupState::Completed,
    ];
    let mut answers: Vec<_> = states.map(backup).to_vec();
    answers.insert(2, ResponseTemplate::new(502));
    let server = server(answers).await;
    let poll = quick();
    let mut seen = Vec::new();
    let id = BackupJobId::from_uuid(ID);
    let backup =
        client(&server).poll_backup(id, &poll, |backup| seen.push(backup.state.clone())).await.expect("followed");
    assert_eq!(backup.state, BackupState::Completed);
    assert_eq!(
        seen,
        [
            BackupState::Queued,
            BackupState::Running,
            BackupState::FailedRetryable,
            BackupState::Running,
            BackupState::Completed
        ]
    );
}

#[tokio::test]
async fn a_restore_is_followed_to_its_end() {
    let answers =
        [RestoreState::TokenIssued, RestoreState::Downloading, RestoreState::Restoring, RestoreState::TimedOut];
    let server = server(answers.map(|state| restore(&json!(state), None)).to_vec()).await;
    let mut seen = Vec::new();
    let id = RestoreJobId::from_uuid(ID);
    let ended = client(&server).poll_restore(id, &quick(), |job| seen.push(job.state.clone())).await.expect("followed");
    assert_eq!(ended.state, RestoreState::TimedOut);
    assert_eq!(seen, answers);
}

#[tokio::test]
async fn a_state_that_is_not_known_is_an_end_once_the_job_says_when_it_ended() {
    let finished = Some("2026-01-31T02:00:00.000Z");
    let server = server(vec![restore(&json!("paused"), None), restore(&json!("archived"), finished)]).await;
    let id = RestoreJobId::from_uuid(ID);
    let ended = client(&server).poll_restore(id, &quick(), |_| {}).await.expect("followed");
    assert_eq!((ended.state.known(), ended.state.word().as_str()), (None, "archived"));
}

#[tokio::test]
async fn a_job_that_cannot_be_read_any_more_is_not_followed_for_ever() {
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "0");
    let server = server(vec![backup(BackupState::Running), busy]).await;
    let client = builder(&server).retries(RetryPolicy::never()).build().expect("a client");
    let error = client.poll_backup(BackupJobId::from_uuid(ID), &quick(), |_| {}).await.expect_err("gone");
    assert_eq!((error.code(), requests(&server).await.len()), (ErrorCode::ServiceUnavailable.into(), 11));
}

#[tokio::test]
async fn a_deadline_that_no_clock_reaches_is_none() {
    let server = server(vec![backup(BackupState::Completed)]).await;
    let poll = Poll { deadline: Some(Duration::MAX), ..quick() };
    assert!(client(&server).poll_backup(BackupJobId::from_uuid(ID), &poll, |_| {}).await.is_ok());
}

#[tokio::test]
async fn following_ends_at_its_deadline_or_when_cancelled() {
    let server = server(vec![backup(BackupState::Running)]).await;
    let id = BackupJobId::from_uuid(ID);
    let deadline = Some(Duration::from_millis(30));
    let poll = Poll { deadline, ..quick() };
    assert_eq!(client(&server).poll_backup(id, &poll, |_| {}).await.expect_err("late").code(), ErrorCode::Timeout);
    let cancel = CancellationToken::new();
    let poll = Poll { cancel: cancel.clone(), ..Poll::default() };
    let error = client(&server).poll_backup(id, &poll, |_| cancel.cancel()).await.expect_err("cancelled");
    assert_eq!(error.code(), ErrorCode::Cancelled);
}

fn quick() -> Poll {
    Poll { interval: Duration::from_millis(1), max_interval: Duration::from_millis(5), ..Poll::default() }
}
