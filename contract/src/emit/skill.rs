//! `SKILL.md`: how an agent drives the command line, and what it may say afterwards.

use super::markdown::{codes, list, table};
use crate::capabilities::{CAPABILITIES, CLAIM_RULES, Capability, HumanGate, Status};
use crate::commands::COMMANDS;
use crate::error::CONFIRMATION_HEADER;
use crate::exit::ExitStatus;
use crate::operations::BASE_PATH;

const FRONT_MATTER: &str = "\
---
name: walwarden
description: Drives the walwarden command line, which backs up Postgres databases into a bucket of the customer's own and \
restores them. Use it to check a Walwarden API key, list protected databases, start and follow a backup, read the evidence \
of a backup, and restore a backup into a database. Also use it before a migration that needs a fresh backup, and whenever \
a statement about backups or recoverability is to be made, because it says what the evidence allows to claim.
license: Apache-2.0
---
";

const PATTERN: &str = r#"# Walwarden

`surface.json` beside this file lists every operation, command, capability, scope, exit code and error code as data, with JSON Schemas of
inputs and outputs. It is long: search it, do not read it whole.

## Set up

```bash
export WALWARDEN_BASE_URL=https://walwarden.example.com
export WALWARDEN_API_KEY_FILE=/run/secrets/walwarden-api-key   # or WALWARDEN_API_KEY
walwarden --json profile validate                              # which organization, which scopes
```

If the key lacks a scope, stop and say which one: `error.requiredScope` names it. Do not look for another key.

## Safe command pattern

1. Always pass `--json`. stdout is then exactly one document, `{"schemaVersion", "ok", "kind", "data" or "error", "warnings", "next"}`.
2. Check the exit code, then `ok`, then the state in `data`. Never parse output for people.
3. On failure read `error.code`, `error.retryable` and `error.nextAction`. Do not repeat a command that is not retryable.
   `walwarden --json explain-error --from-json -` reads the document and says who can fix it.
4. `next` holds commands as argument vectors. Run them as they are, without a shell.
5. Never put keys, tokens or passwords into arguments, logs or answers. Restore tokens and presigned URLs are secrets too.

```bash
walwarden --json database list
walwarden --json backup trigger --database "$WALWARDEN_DATABASE_ID" --wait > backup.json
backup_id="$(jq -r .data.completed.id backup.json)"
walwarden --json evidence get "$backup_id" > evidence.json
jq -e '.data.integrityVerification.result == "passed"' evidence.json
```

## Evidence before success

- A backup succeeded when `backup trigger --wait` exited 0 **and** `evidence get` for the same id shows
  `integrityVerification.result` = `passed`. Report the backup id and `manifestHash` with it.
- A migration may begin when that holds for a backup that was triggered for it.
- A restore succeeded when `restore execute` exited 0 and `restore status` shows `completed`.
- Completed is not proven recoverable. Only a completed restore of that backup proves it, and only for that backup.
- If the evidence cannot be read, say that it could not be read. Do not fill the gap.

## Restore

```bash
walwarden --json restore execute --backup "$backup_id" --target-file target.dsn \
  --mode new_database --created-database recovery
```

- `new_database` creates a database and touches nothing else. Prefer it.
- `in_place` drops from the target database every object that the backup holds too, and loads the backup in its place;
  other objects stay. It needs `--confirm-destructive`. Ask a person first, each time, naming the target.
- `--dry-run` says what would be created or overwritten, and touches nothing. Show that to the person. Then run the command that `next`
  holds: its `--plan` refuses when target, manifest or mode are no longer what the person saw.
- The target's connection string stays on this machine; `--target-file` or `WALWARDEN_TARGET_DSN` keeps it out of arguments.
- After any failure a new session is needed: a token works once. If `pg_restore` had begun, the target may hold part of the data.

## Tools over HTTP

`GET {base}/mcp/tools` with the API key as bearer token is the live catalog: the tools that this key may call, with operation, scopes, risk,
human gate, input and output schema, and error codes. Read it before you call an operation directly; what is not in it, do not call. It is
plain JSON; there is no MCP transport. A POST needs an `Idempotency-Key`: a new one for a new request, the same one to repeat it.

## Gated tools

These need a person's consent when the key is an agent's: {gated}.

1. The request fails with 428 `human_confirmation_required`. Nothing has happened.
2. Show `confirmation.summary` to a person, and ask. Stop when they do not agree or do not answer before `confirmation.expiresAt`.
3. If they agree, send the very same request again, its `Idempotency-Key` included, with `confirmation.challenge` in the
   header `{header}`.

The commands show the challenge in `error.confirmation` and cannot send it: call the tool's operation over HTTP, or let the person run the
command with a key of their own.

Never answer a challenge in a person's place, and never look for another key because of one.
"#;

pub(super) fn page() -> String {
    let commands = COMMANDS.iter().map(|command| {
        let scopes = codes(command.scopes.iter().map(|scope| scope.as_str()));
        [format!("`{}`", command.words()), command.summary.to_owned(), scopes]
    });
    let exits = ExitStatus::ALL
        .iter()
        .map(|exit| [format!("`{}`", exit.code()), exit.name().to_owned(), exit.meaning().to_owned()]);
    let pattern = PATTERN
        .replace("{base}", BASE_PATH)
        .replace("{header}", CONFIRMATION_HEADER)
        .replace("{gated}", &codes(gated().map(|capability| capability.id)));
    let absent = CAPABILITIES.iter().filter(|capability| capability.status != Status::Available);
    format!(
        "{FRONT_MATTER}\n{pattern}\n## Commands\n\n{}\n## Exit codes\n\n{}\n## Forbidden claims\n\n{}\n\
         None of these exists. Do not claim them, and do not promise them. Where one can be called at all, the \
         call is refused with `capability_not_available`:\n\n{}",
        table(["command", "what it does", "scopes"], commands),
        table(["code", "name", "meaning"], exits),
        list(CLAIM_RULES),
        list(absent.map(|capability| capability.claim)),
    )
}

fn gated() -> impl Iterator<Item = &'static Capability> {
    CAPABILITIES.iter().filter(|capability| capability.tool && capability.gate == HumanGate::ConfirmationRequired)
}
