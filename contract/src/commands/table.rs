//! Every command, in the order of the reference.

use super::{BACKUP, BACKUP_ID, Command, Flag, PAGE, Positional, RUN, TARGET};
use crate::scope::Scope;

/// Every command of `walwarden`.
pub const COMMANDS: &[Command] = &[
    Command {
        kind: "profile.validate",
        summary: "Read what the API key is and may do",
        note: "The first command to run: it proves that the address and the key are right.",
        scopes: &[],
        operations: &["getProfile"],
        positionals: &[],
        flags: &[],
        example: "walwarden --json profile validate",
    },
    Command {
        kind: "database.list",
        summary: "List the protected databases that the API key can see",
        note: "",
        scopes: &[Scope::DatabasesRead],
        operations: &["listDatabases"],
        positionals: &[],
        flags: &[PAGE],
        example: "walwarden --json database list --limit 20",
    },
    Command {
        kind: "database.get",
        summary: "Read one protected database",
        note: "`rpoMinutes` is the age of the data in the newest completed backup.",
        scopes: &[Scope::DatabasesRead],
        operations: &["getDatabase"],
        positionals: &[Positional { name: "DATABASE_ID", help: "The database" }],
        flags: &[],
        example: "walwarden --json database get db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "backup.list",
        summary: "List the backup jobs of a database, newest first",
        note: "",
        scopes: &[Scope::DatabasesRead],
        operations: &["listDatabaseBackups"],
        positionals: &[],
        flags: &[&[Flag::required("--database", "DATABASE_ID", "The database")], PAGE],
        example: "walwarden --json backup list --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "backup.trigger",
        summary: "Start a backup now",
        note: "Without `--wait` it exits 0 as soon as the job is queued, which says nothing about the backup. \
               `databases:read` is needed for `--wait` alone. When the outcome is unknown (a network error, a \
               signal), run the command again with the `--idempotency-key` that `next` shows.",
        scopes: &[Scope::BackupsTrigger, Scope::DatabasesRead],
        operations: &["triggerBackup", "getBackup"],
        positionals: &[],
        flags: &[&[
            Flag::required("--database", "DATABASE_ID", "The database to back up"),
            Flag::switch("--wait", "Follow the job to its end; exit 0 only when it is completed"),
            Flag::option(
                "--wait-timeout-ms",
                "MS",
                "Stop following after this time; the job goes on. Without it, there is no limit",
            ),
            Flag::option(
                "--idempotency-key",
                "KEY",
                "Makes repeating this command harmless: the same key starts one backup",
            ),
        ]],
        example: "walwarden --json backup trigger --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --wait",
    },
    Command {
        kind: "backup.status",
        summary: "Read a backup job",
        note: "Exits 0 when the job could be read, whatever its state: look at `data.backup.state`.",
        scopes: &[Scope::DatabasesRead],
        operations: &["getBackup"],
        positionals: BACKUP_ID,
        flags: &[],
        example: "walwarden --json backup status bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "evidence.get",
        summary: "Read the signed manifest, the verification and the audit chain of a completed backup",
        note: "",
        scopes: &[Scope::EvidenceRead],
        operations: &["getEvidence"],
        positionals: BACKUP_ID,
        flags: &[],
        example: "walwarden --json evidence get bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "restore.create",
        summary: "Open a restore session and receive its single-use token; nothing is restored yet",
        note: "The token works once, within one hour, and is a secret. The API receives the target without its \
               credentials. `next` holds the command that uses the token.",
        scopes: &[Scope::RestoresWrite],
        operations: &["createRestore"],
        positionals: &[],
        flags: &[BACKUP, TARGET],
        example: "walwarden --json restore create --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \
                  --target postgresql://user@host/postgres --mode new_database",
    },
    Command {
        kind: "restore.execute",
        summary: "Open a restore session and restore on this machine, to the end",
        note: "Downloads from the bucket, verifies the artifact's hash and the manifest's signature, and only then \
               touches the target. Exits 0 only when the restore is completed.",
        scopes: &[Scope::RestoresWrite, Scope::RestoresRead],
        operations: &[
            "createRestore",
            "triggerRestore",
            "claimRestore",
            "refreshArtifactUrl",
            "reportRestore",
            "getRestore",
        ],
        positionals: &[],
        flags: &[BACKUP, TARGET, RUN],
        example: "walwarden --json restore execute --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \
                  --target postgresql://user@host/postgres --mode new_database --created-database recovery",
    },
    Command {
        kind: "restore.status",
        summary: "Read a restore job",
        note: "Exits 0 when the job could be read, whatever its state: look at `data.restore.state`.",
        scopes: &[Scope::RestoresRead],
        operations: &["getRestore"],
        positionals: &[Positional { name: "RESTORE_ID", help: "The restore job" }],
        flags: &[],
        example: "walwarden --json restore status rst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "restore",
        summary: "Restore a backup into a database; with --manifest, run the restore of a token",
        note: "Restores on this machine, to the end. Needs no API key: the token is read from `WALWARDEN_TOKEN` or `WALWARDEN_TOKEN_FILE`. With `--json` it \
               writes JSON Lines, `{\"state\",\"at\",\"payload\"}`, in place of the one document; exactly one line is \
               the end: `completed`, `failed_retryable`, `failed_terminal`, `cancelled`, or `rejected` when the token \
               was not used.",
        scopes: &[],
        operations: &["triggerRestore", "claimRestore", "refreshArtifactUrl", "reportRestore"],
        positionals: &[],
        flags: &[
            &[Flag::required("--manifest", "HASH", "The manifest hash that the token was issued for")],
            TARGET,
            RUN,
        ],
        example: "walwarden --json restore \
                  --manifest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
                  --target postgresql://user@host/postgres --mode new_database --created-database recovery",
    },
];
