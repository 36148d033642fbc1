//! Restore tokens: used up, expired, forged or for another job, they open nothing, and the attempt is on record.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use walwarden_contract::audit::EventKind as K;
use walwarden_contract::model::RestoreState;
use walwarden_contract::token::{self, read_unverified};
use walwarden_contract::{ErrorCode, Timestamp};
use walwarden_tests::harness::TestContext;
use walwarden_tests::process::Output;
use walwarden_tests::walwarden::Store;

use super::stage::{Session, Stage, WHOLE, assert_ending};

/// Fails unless the last event of the job's chain records this refusal.
fn assert_recorded(stage: &Stage<'_>, session: &Session, reason: &str) -> Result<()> {
    let chain = stage.setting.audit_chain(&session.id.to_string())?;
    let last = chain.last().context("an event")?;
    ensure!(last.kind == K::RestoreTokenRejected && last.payload["reason"] == reason, "expected {reason}: {last:?}");
    Ok(())
}

/// Fails unless the token was refused with this code and the job stands where it stood.
fn assert_refused(stage: &Stage<'_>, session: &Session, output: &Output, code: ErrorCode, reason: &str) -> Result<()> {
    stage.assert_unused(session, output, code)?;
    assert_recorded(stage, session, reason)
}

pub(super) fn expired(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let session = stage.session()?;
    // The server's clock cannot be moved: its own key makes a token that is an hour old.
    let mut payload = read_unverified(&session.token)?;
    payload.exp = Timestamp::from_millis(stage.backup.created_at.as_millis() - 1).context("a time")?;
    let mut key = [0; 32];
    let text = std::fs::read_to_string(stage.setting.walwarden.data().join("token.key"))?;
    hex::decode_to_slice(text.trim(), &mut key)?;
    let old = Session { token: token::issue(&payload, &key), ..session.clone() };
    context.canaries().register("an expired restore token", &old.token);
    let output = stage.restore(&old, &stage.maintenance())?.output()?;
    assert_refused(&stage, &session, &output, ErrorCode::TokenExpired, "expired")?;
    stage.succeeds(&session, &stage.maintenance()).map(drop)
}

pub(super) fn reused(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let session = stage.session()?;
    stage.succeeds(&session, &stage.maintenance())?;
    let again = Session {
        created: Some(format!("{}_again", session.created.as_deref().context("a name")?)),
        ..session.clone()
    };
    let output = stage.restore(&again, &stage.maintenance())?.output()?;
    assert_ending(&output, "rejected", ErrorCode::TokenUsed)?;
    stage.assert_untouched(&again)?;
    assert_recorded(&stage, &session, "used")?;
    let kinds = stage.setting.audit_kinds(session.id)?;
    ensure!(kinds[..WHOLE.len()] == WHOLE && kinds.len() == WHOLE.len() + 1, "{kinds:?}");
    ensure!(stage.job(session.id)?.state == RestoreState::Completed, "a completed job stays completed");
    Ok(())
}

pub(super) fn forged(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Sqlite)?;
    let session = stage.session()?;
    // The last character carries two bits that mean nothing: the one before it is all signature.
    let mut token = session.token.clone().into_bytes();
    let at = token.len() - 2;
    token[at] = if token[at] == b'A' { b'B' } else { b'A' };
    let forged = Session { token: String::from_utf8(token)?, ..session.clone() };
    let output = stage.restore(&forged, &stage.maintenance())?.output()?;
    assert_refused(&stage, &session, &output, ErrorCode::TokenInvalid, "forged")?;

    // A payload that says more than was granted, under the signature of the one that did not.
    let mut payload = read_unverified(&session.token)?;
    payload.exp = Timestamp::from_millis(payload.exp.as_millis() + 86_400_000).context("a time")?;
    let longer = token::issue(&payload, &[0; 32]);
    let (body, _) = longer.rsplit_once('.').context("a token has two dots")?;
    let (_, signature) = session.token.rsplit_once('.').context("a token has two dots")?;
    let forged = Session { token: format!("{body}.{signature}"), ..session.clone() };
    let output = stage.restore(&forged, &stage.maintenance())?.output()?;
    assert_refused(&stage, &session, &output, ErrorCode::TokenInvalid, "forged")?;
    stage.succeeds(&session, &stage.maintenance()).map(drop)
}

pub(super) fn other_job(context: &TestContext) -> Result<()> {
    let stage = Stage::new(context, Store::Postgres)?;
    let (one, other) = (stage.session()?, stage.session()?);
    let body = json!({"manifestHash": one.manifest_hash, "mode": one.mode});
    for (step, body) in [("trigger", body), ("claim", json!({})), ("artifact-url", json!({}))] {
        let path = format!("/api/v1/restores/{}/{step}", one.id);
        let answer = stage.post(&path, &format!("Bearer {}", other.token), &body)?;
        ensure!(
            answer.status == 401 && answer.json()?["code"] == ErrorCode::TokenInvalid.as_str(),
            "{step}: {} {}",
            answer.status,
            answer.json()?
        );
        assert_recorded(&stage, &one, "other_job")?;
    }
    // An API key is no restore token, however much it may do.
    let path = format!("/api/v1/restores/{}/claim", one.id);
    let answer = stage.post(&path, &format!("Bearer {}", stage.setting.api_key), &json!({}))?;
    ensure!(answer.json()?["code"] == ErrorCode::TokenInvalid.as_str(), "{}", answer.json()?);
    for session in [&one, &other] {
        ensure!(stage.job(session.id)?.state == RestoreState::TokenIssued, "a refused token moved its job");
    }
    let kinds = stage.setting.audit_kinds(other.id)?;
    ensure!(kinds == [K::RestoreTokenIssued], "{kinds:?}");
    stage.succeeds(&one, &stage.maintenance()).map(drop)
}
