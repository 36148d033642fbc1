//! Following a backup job.

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
    let poll = PollBackup { interval: Duration::from_millis(1), ..PollBackup::default() };
    let mut seen = Vec::new();
    let id = BackupJobId::from_uuid(ID);
    let backup = client(&server).poll_backup(id, &poll, |backup| seen.push(backup.state)).await.expect("followed");
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
async fn following_ends_at_its_deadline_or_when_cancelled() {
    let server = server(vec![backup(BackupState::Running)]).await;
    let id = BackupJobId::from_uuid(ID);
    let deadline = Some(Duration::from_millis(30));
    let poll = PollBackup { interval: Duration::from_millis(1), deadline, ..PollBackup::default() };
    assert_eq!(client(&server).poll_backup(id, &poll, |_| {}).await.expect_err("late").code(), ErrorCode::Timeout);
    let cancel = CancellationToken::new();
    let poll = PollBackup { cancel: cancel.clone(), ..PollBackup::default() };
    let error = client(&server).poll_backup(id, &poll, |_| cancel.cancel()).await.expect_err("cancelled");
    assert_eq!(error.code(), ErrorCode::Cancelled);
}
