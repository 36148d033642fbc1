//! `scopes.md`

use crate::capabilities::HumanGate;
use crate::commands::{COMMANDS, Command};
use crate::emit::markdown::{codes, head, table};
use crate::operations::{Auth, OPERATIONS};
use crate::scope::Scope;

const LEAD: &str = "\
A scope is one thing that an API key may do. The set is closed, and there is no wildcard. The operator names a key's
scopes when issuing it (`walwarden-api admin key issue`); they do not change afterwards. A request that lacks its scope is
answered with 403 [`forbidden`](errors.md#forbidden), and `requiredScope` names the scope. Some operations need an API key
and no scope, and the restore machine has a token of its own in place of a key.
";

const RECIPES: &str = "\
## Common keys

| for | scopes |
|---|---|
| watching backups and recoverability | `databases:read` |
| a backup before a migration, with its evidence | `databases:read`, `backups:trigger`, `evidence:read` |
| restores with `walwarden restore execute` | `restores:write`, `restores:read` |
| running a restore that somebody else opened | none: the restore token is enough |
| adding databases and destinations from code | `databases:read`, `databases:write`, `destinations:read`, `destinations:write` |
| an auditor | `audit:read`, `evidence:read`, `evidence:export` |
| monitoring of the service | `readiness:read` |
";

pub(in crate::emit) fn page() -> String {
    let rows = Scope::ALL.iter().map(|scope| {
        let operations = OPERATIONS.iter().filter(|operation| operation.scope() == Some(*scope));
        let commands = COMMANDS.iter().filter(|command| command.scopes.contains(scope));
        [
            format!("`{scope}`"),
            scope.grants().to_owned(),
            codes(operations.map(|operation| operation.id)),
            codes(commands.map(Command::words).collect::<Vec<_>>().iter().map(String::as_str)),
        ]
    });
    let scopes = table(["scope", "grants", "operations", "commands"], rows);
    let endpoints = OPERATIONS.iter().map(|operation| {
        [
            format!("`{} {}`", operation.method.as_str(), operation.path),
            format!("[`{}`](api.md#{})", operation.id, operation.id.to_lowercase()),
            match operation.auth {
                Auth::ApiKey(Some(scope)) => format!("`{scope}`"),
                Auth::ApiKey(None) => "any API key".to_owned(),
                Auth::RestoreToken => "the job's restore token".to_owned(),
            },
            if operation.gate() == HumanGate::None { String::new() } else { "yes".to_owned() },
        ]
    });
    let endpoints = table(["endpoint", "operation", "needs", "a person's consent, for agents"], endpoints);
    format!("{}\n{scopes}\n{RECIPES}\n## Endpoints\n\n{endpoints}", head("Scopes", LEAD))
}
