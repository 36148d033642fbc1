//! Every command, in the order of the reference.

use super::{BACKUP, BACKUP_ID, Command, EVENTS, Flag, PAGE, PLAN, Positional, RUN, TARGET, of};
use crate::model as m;
use crate::model::cli;
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
        output: of::<m::Profile>,
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
        output: of::<m::DatabaseList>,
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
        output: of::<m::Database>,
        example: "walwarden --json database get db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "destination.list",
        summary: "List the backup destinations that the API key can see, without their credentials",
        note: "",
        scopes: &[Scope::DestinationsRead],
        operations: &["listDestinations"],
        positionals: &[],
        flags: &[PAGE],
        output: of::<m::DestinationList>,
        example: "walwarden --json destination list --limit 20",
    },
    Command {
        kind: "destination.get",
        summary: "Read one backup destination, without its credentials",
        note: "",
        scopes: &[Scope::DestinationsRead],
        operations: &["getDestination"],
        positionals: &[Positional { name: "DESTINATION_ID", help: "The destination" }],
        flags: &[],
        output: of::<m::Destination>,
        example: "walwarden --json destination get dst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "backup.list",
        summary: "List the backup jobs of a database, newest first",
        note: "",
        scopes: &[Scope::DatabasesRead],
        operations: &["listDatabaseBackups"],
        positionals: &[],
        flags: &[&[Flag::required("--database", "DATABASE_ID", "The database")], PAGE],
        output: of::<m::BackupList>,
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
            EVENTS,
        ]],
        output: of::<cli::BackupTriggerData>,
        example: "walwarden --json backup trigger --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 --wait",
    },
    Command {
        kind: "backup.status",
        summary: "Read a backup job",
        note: "Exits 0 when the job could be read, whatever its state: look at `data.state`.",
        scopes: &[Scope::DatabasesRead],
        operations: &["getBackup"],
        positionals: BACKUP_ID,
        flags: &[],
        output: of::<m::Backup>,
        example: "walwarden --json backup status bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "evidence.list",
        summary: "List the evidence of completed backups, newest first",
        note: "`evidence get` has the signed manifest and the audit chain of one backup.",
        scopes: &[Scope::EvidenceRead],
        operations: &["listEvidence"],
        positionals: &[],
        flags: &[&[Flag::option("--database", "DATABASE_ID", "Only evidence of the backups of this database")], PAGE],
        output: of::<m::EvidenceList>,
        example: "walwarden --json evidence list --database db_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "evidence.get",
        summary: "Read the signed manifest, the verification and the audit chain of a completed backup",
        note: "",
        scopes: &[Scope::EvidenceRead],
        operations: &["getEvidence"],
        positionals: BACKUP_ID,
        flags: &[],
        output: of::<m::Evidence>,
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
        output: of::<m::RestoreSession>,
        example: "walwarden --json restore create --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \
                  --target postgresql://user@host/postgres --mode new_database",
    },
    Command {
        kind: "restore.execute",
        summary: "Open a restore session and restore on this machine, to the end",
        note: "Downloads from the bucket, verifies the artifact's hash and the manifest's signature, and only then \
               touches the target. Exits 0 only when the restore is completed. With `--dry-run` it exits 0 when the \
               plan could be made: `data.plan` says what would be created or overwritten, `data.planDigest` pins target, \
               manifest and mode, and `next` holds the command that carries the plan out. With `--plan` it makes the plan \
               again, and is refused with `plan_changed` before a session is opened unless the digest is the same. \
               `databases:read` is needed for `--dry-run` and `--plan` alone.",
        scopes: &[Scope::RestoresWrite, Scope::RestoresRead, Scope::DatabasesRead],
        operations: &[
            "getBackup",
            "listDatabaseBackups",
            "createRestore",
            "triggerRestore",
            "claimRestore",
            "refreshArtifactUrl",
            "reportRestore",
            "getRestore",
        ],
        positionals: &[],
        flags: &[BACKUP, TARGET, RUN, PLAN, &[EVENTS]],
        output: of::<cli::RestoreExecuteOutput>,
        example: "walwarden --json restore execute --backup bkp_01928c3e5f7a7c3e8d2b4a6f90c1e2d3 \
                  --target postgresql://user@host/postgres --mode new_database --created-database recovery",
    },
    Command {
        kind: "restore.status",
        summary: "Read a restore job",
        note: "Exits 0 when the job could be read, whatever its state: look at `data.state`.",
        scopes: &[Scope::RestoresRead],
        operations: &["getRestore"],
        positionals: &[Positional { name: "RESTORE_ID", help: "The restore job" }],
        flags: &[],
        output: of::<m::Restore>,
        example: "walwarden --json restore status rst_01928c3e5f7a7c3e8d2b4a6f90c1e2d3",
    },
    Command {
        kind: "restore",
        summary: "Restore a backup into a database; with --manifest, run the restore of a token",
        note: "Restores on this machine, to the end. Needs no API key: the token is read from `WALWARDEN_TOKEN` or `WALWARDEN_TOKEN_FILE`. With `--json`, or when \
               stdout is no terminal, it writes JSON Lines, `{\"state\",\"at\",\"payload\"}`, in place of the one document; \
               exactly one line is the end: `completed`, `failed_retryable`, `failed_terminal`, `cancelled`, or `rejected` when the token \
               was not used.",
        scopes: &[],
        operations: &["triggerRestore", "claimRestore", "refreshArtifactUrl", "reportRestore"],
        positionals: &[],
        flags: &[
            &[Flag::required("--manifest", "HASH", "The manifest hash that the token was issued for")],
            TARGET,
            RUN,
        ],
        output: of::<cli::RestoreLine>,
        example: "walwarden --json restore \
                  --manifest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \
                  --target postgresql://user@host/postgres --mode new_database --created-database recovery",
    },
    Command {
        kind: "capabilities.list",
        summary: "List what Walwarden can do, and what it cannot do yet",
        note: "Read from this program alone: what the API key may call is in `profile validate`.",
        scopes: &[],
        operations: &[],
        positionals: &[],
        flags: &[&[Flag::switch("--compact", "Leave out scopes, commands and tools")]],
        output: of::<cli::CapabilitiesListData>,
        example: "walwarden --json capabilities list --compact",
    },
    Command {
        kind: "capabilities.describe",
        summary: "Describe one capability: risk, scopes, commands, input and output, errors",
        note: "",
        scopes: &[],
        operations: &[],
        positionals: &[Positional { name: "CAPABILITY_ID", help: "The capability" }],
        flags: &[],
        output: of::<cli::CapabilitiesDescribeData>,
        example: "walwarden --json capabilities describe backup.trigger",
    },
    Command {
        kind: "verify-environment",
        summary: "Check this machine, its settings and the API key before they are needed",
        note: "Each finding has a code, what was observed, and what mends it: see `data.findings`. It never shows the value of a \
               secret, and touches no database. Exits 0 when nothing failed; otherwise `error` is that of the first finding that \
               failed, and `data` stands beside it. Without `--loop`, it fails over scopes only when the key is good for \
               neither loop, and warns about tools and disk; with it, over everything that loop needs. Evidence is read \
               where the key may, for the versions and sizes of the newest 200 backups.",
        scopes: &[Scope::EvidenceRead],
        operations: &["getProfile", "listEvidence"],
        positionals: &[],
        flags: &[&[
            Flag {
                choices: &["backup", "restore"],
                ..Flag::option(
                    "--loop",
                    "LOOP",
                    "What this machine and this key are to be ready for; may be given twice",
                )
            },
            Flag::option(
                "--work-dir",
                "DIR",
                "Where artifacts are to be kept during restores; the system's temporary directory when absent",
            ),
        ]],
        output: of::<cli::EnvironmentReport>,
        example: "walwarden --json verify-environment --loop backup",
    },
    Command {
        kind: "explain-error",
        summary: "Say what an error means, who can mend it and what to do next",
        note: "Takes an envelope of this program, an answer of the API, a failed job, the lines of a restore or of `--events`, or what \
               `pg_restore` wrote to stderr; at most 64 KiB. Besides the meaning of the code, `data` holds safe next actions, whether and how \
               to try again, and what not to claim.",
        scopes: &[],
        operations: &[],
        positionals: &[],
        flags: &[&[Flag::required("--from-json", "FILE", "A file that holds the error, or - for stdin")]],
        output: of::<cli::ExplainErrorData>,
        example: "walwarden --json explain-error --from-json error.json",
    },
    Command {
        kind: "completions",
        summary: "Print the script that lets a shell complete commands and flags",
        note: "",
        scopes: &[],
        operations: &[],
        positionals: &[Positional { name: "SHELL", help: "The shell: bash, zsh, fish, elvish or powershell" }],
        flags: &[],
        output: of::<cli::CompletionsData>,
        example: "walwarden --json completions bash",
    },
    Command {
        kind: "man",
        summary: "Print the manual page, or write one page for each command",
        note: "Without `--directory` it prints the page of `walwarden` itself.",
        scopes: &[],
        operations: &[],
        positionals: &[],
        flags: &[&[Flag::option(
            "--directory",
            "DIR",
            "Write every page into this folder, which is created when it is missing",
        )]],
        output: of::<cli::ManData>,
        example: "walwarden --json man --directory man-pages",
    },
];
