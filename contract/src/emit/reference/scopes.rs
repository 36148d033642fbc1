//! `scopes.md`

use crate::commands::{COMMANDS, Command};
use crate::emit::markdown::{codes, head, table};
use crate::operations::OPERATIONS;
use crate::scope::Scope;

const LEAD: &str = "\
A scope is one thing that an API key may do. The set is closed, and there is no wildcard. The operator names a key's
scopes when issuing it (`walwarden-api admin key issue`); they do not change afterwards. A request that lacks its scope is
answered with 403 [`forbidden`](errors.md#forbidden), and `requiredScope` names the scope. `getProfile` needs no scope:
it tells what the key may do.

A scope without operations can be granted, and grants nothing yet.
";

const RECIPES: &str = "\
## Common keys

| for | scopes |
|---|---|
| watching backups | `databases:read` |
| a backup before a migration, with its evidence | `databases:read`, `backups:trigger`, `evidence:read` |
| restores with `walwarden restore execute` | `restores:write`, `restores:read` |
| running a restore that somebody else opened | none: the restore token is enough |
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
    let table = table(["scope", "grants", "operations", "commands"], rows);
    format!("{}\n{table}\n{RECIPES}", head("Scopes", LEAD))
}
