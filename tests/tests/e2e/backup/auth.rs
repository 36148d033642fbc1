//! Every operation with every kind of wrong key: 401 for what is no valid key, 403 with the scope that a valid one lacks.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use walwarden_contract::operations::{Auth, BASE_PATH, Method, OPERATIONS, Operation};
use walwarden_contract::{ErrorCode, Scope};
use walwarden_tests::canary::random_hex;
use walwarden_tests::harness::TestContext;
use walwarden_tests::walwarden::{Answer, Store};

use crate::setting::{Options, Setting, assert_failure, data};

/// The operation's path with ids that exist where the setting has them.
fn path(setting: &Setting<'_>, operation: &Operation) -> String {
    let (backup, restore) = ("bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3", "rst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3");
    let path = operation
        .path
        .replace("{databaseId}", &setting.database_id.to_string())
        .replace("{backupJobId}", backup)
        .replace("{restoreJobId}", restore);
    format!("{BASE_PATH}{path}")
}

fn call(setting: &Setting<'_>, operation: &Operation, authorization: Option<&str>) -> Result<Answer> {
    let mut headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    let body = json!({});
    let post = matches!(operation.method, Method::Post);
    if post {
        headers.push(("idempotency-key", "auth-matrix"));
    }
    let path = path(setting, operation);
    setting.server()?.request(operation.method.as_str(), &path, &headers, post.then_some(&body))
}

/// The problem's body without the request's id, after checking its shape and that it repeats nothing of the key.
fn problem(answer: &Answer, code: ErrorCode, presented: Option<&str>) -> Result<Value> {
    let mut body = answer.json()?;
    ensure!(
        answer.status == code.http_status()
            && answer.header("content-type") == Some("application/problem+json")
            && body["code"] == code.as_str(),
        "expected {code}: {answer:?} {body}"
    );
    let secret = presented.and_then(|value| value.split(' ').nth(1)).filter(|secret| secret.len() > 8);
    let shown = format!("{answer:?} {body}");
    ensure!(secret.is_none_or(|secret| !shown.contains(secret)), "the key is repeated");
    let object = body.as_object_mut().context("a problem is an object")?;
    ensure!(object.remove("requestId").is_some(), "{shown}");
    Ok(body)
}

pub(super) fn matrix(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Postgres, Options::default())?;
    let revoked = issue_and_revoke(&setting)?;
    let expired = setting.issue_key(Scope::ALL)?;
    let sql = "UPDATE api_keys SET expires_at = 1 WHERE id = (SELECT id FROM api_keys ORDER BY id DESC LIMIT 1)";
    let metadata = setting.walwarden.metadata().context("the store is a Postgres database")?;
    context.postgres().psql_as_owner(metadata, sql)?;
    let unknown = format!("wal_{}", random_hex(32));
    context.canaries().register("an unknown API key", &unknown);
    let invalid = [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer garbage".to_owned()),
        Some(format!("Bearer {unknown}")),
        Some(format!("Bearer {revoked}")),
        Some(format!("Bearer {expired}")),
        Some(format!("Basic {}", setting.api_key)),
        Some(format!("Bearer {}0", setting.api_key)),
        Some(format!("Bearer {}", &setting.api_key[..setting.api_key.len() - 1])),
    ];
    for operation in OPERATIONS {
        let refused = |authorization: Option<&str>| -> Result<Value> {
            let answer = call(&setting, operation, authorization)?;
            let code = match operation.auth {
                Auth::ApiKey(_) => ErrorCode::Unauthorized,
                Auth::RestoreToken => ErrorCode::TokenInvalid,
            };
            problem(&answer, code, authorization).with_context(|| operation.id)
        };
        let first = refused(None)?;
        for authorization in &invalid {
            let body = refused(authorization.as_deref())?;
            ensure!(body == first, "{}: wrong keys can be told apart: {body} {first}", operation.id);
        }
        if let Auth::ApiKey(Some(scope)) = operation.auth {
            lacks_scope(&setting, operation, scope).with_context(|| operation.id)?;
        }
    }
    ensure!(setting.last_backup().is_err(), "a refused request queued a backup");
    setting.assert_no_leftovers()
}

fn issue_and_revoke(setting: &Setting<'_>) -> Result<String> {
    let key = setting.issue_key(Scope::ALL)?;
    let listed = setting.walwarden.admin(&["key", "list"], &[])?;
    let keys = listed["keys"].as_array().context("a list of keys")?;
    let newest = keys.iter().filter_map(|key| key["id"].as_str()).max().context("a key was issued")?;
    setting.walwarden.admin(&["key", "revoke", newest], &[])?;
    Ok(key)
}

fn lacks_scope(setting: &Setting<'_>, operation: &Operation, scope: Scope) -> Result<()> {
    let others: Vec<_> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
    let key = setting.issue_key(&others)?;
    let authorization = format!("Bearer {key}");
    let answer = call(setting, operation, Some(&authorization))?;
    let body = problem(&answer, ErrorCode::Forbidden, Some(&authorization))?;
    ensure!(body["requiredScope"] == scope.as_str(), "{body}");
    Ok(())
}

/// The same through the command line: exit code 2, the code, the scope, and no key in the output.
pub(super) fn command_line(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let database = setting.database_id.to_string();
    let trigger = ["--json", "backup", "trigger", "--database", &database];
    let unknown = format!("wal_{}", random_hex(32));
    context.canaries().register("an unknown API key", &unknown);
    let run = |key: Option<&str>| setting.walwarden.cli(setting.server()?, key, &trigger)?.output();
    assert_failure(&run(None)?, ErrorCode::ConfigInvalid)?;
    assert_failure(&run(Some(&unknown))?, ErrorCode::Unauthorized)?;
    let reader = setting.issue_key(&[Scope::DatabasesRead])?;
    let refused = run(Some(&reader))?;
    assert_failure(&refused, ErrorCode::Forbidden)?;
    ensure!(refused.json()?["error"]["requiredScope"] == Scope::BackupsTrigger.as_str(), "{refused}");
    let profile = data(&setting.json(&["profile", "validate"])?)?;
    ensure!(!profile.to_string().contains(&setting.api_key), "the key is repeated");
    setting.assert_no_leftovers()
}
