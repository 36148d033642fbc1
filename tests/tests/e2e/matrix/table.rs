//! Every command, and how it ends under every condition. A command without a row does not compile.

use walwarden_contract::ErrorCode as E;
use walwarden_contract::commands::COMMANDS;

/// How a command ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// Well, with exit code 0.
    Well,
    /// With this code, and the exit code that the catalog gives it.
    Fails(E),
    /// It cannot come to that, for this reason.
    Never(&'static str),
}

use Cell::{Fails, Never, Well};

/// A command line with what is particular to a condition in place of what succeeds. Names in braces are filled in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) arguments: &'static [&'static str],
    pub(super) ends: Cell,
}

/// One command under every condition. Every command meets a superfluous argument and an unknown flag alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The envelope's kind.
    pub(super) kind: &'static str,
    /// What succeeds.
    pub(super) arguments: &'static [&'static str],
    /// The API key, or the token, is not valid.
    pub(super) auth: Cell,
    /// The API key has none of the scopes.
    pub(super) scope: Cell,
    /// What is named does not exist.
    pub(super) missing: Case,
    /// What is named is not in the right state.
    pub(super) conflict: Case,
    /// Nobody listens at the API's address.
    pub(super) down: Cell,
    /// The API does not answer in time.
    pub(super) late: Cell,
    /// The API answers 500.
    pub(super) broken: Cell,
    /// Ctrl-C while the API is silent, or while stdin is.
    pub(super) signal: Case,
}

const NOTHING_NAMED: Case = Case { arguments: &[], ends: Never("it names nothing") };
const READS_ONLY: Case = Case { arguments: &[], ends: Never("reading conflicts with nothing") };
const TOO_QUICK: Case = Case { arguments: &[], ends: Never("it calls nothing and waits for nothing") };

/// A command that asks the API for something.
const fn asks(kind: &'static str, arguments: &'static [&'static str]) -> Row {
    Row {
        kind,
        arguments,
        auth: Fails(E::Unauthorized),
        scope: Fails(E::Forbidden),
        missing: NOTHING_NAMED,
        conflict: READS_ONLY,
        down: Fails(E::NetworkError),
        late: Fails(E::Timeout),
        broken: Fails(E::InternalError),
        signal: Case { arguments, ends: Fails(E::Cancelled) },
    }
}

/// A command that calls nothing: no key and no network concern it.
const fn local(kind: &'static str, arguments: &'static [&'static str]) -> Row {
    Row {
        kind,
        arguments,
        auth: Well,
        scope: Well,
        missing: NOTHING_NAMED,
        conflict: READS_ONLY,
        down: Well,
        late: Well,
        broken: Well,
        signal: TOO_QUICK,
    }
}

const fn not_found(arguments: &'static [&'static str]) -> Case {
    Case { arguments, ends: Fails(E::NotFound) }
}

const RESTORE: &[&str] = &["--target", "{target}", "--mode", "new_database", "--created-database", "{created}"];

/// Every command.
pub(super) const ROWS: &[Row] = &[
    Row { scope: Well, ..asks("profile.validate", &["profile", "validate"]) },
    asks("database.list", &["database", "list", "--limit", "2"]),
    Row {
        missing: not_found(&["database", "get", "{missing_database}"]),
        ..asks("database.get", &["database", "get", "{database}"])
    },
    asks("destination.list", &["destination", "list", "--limit", "2"]),
    Row {
        missing: not_found(&["destination", "get", "{missing_destination}"]),
        ..asks("destination.get", &["destination", "get", "{destination}"])
    },
    Row {
        missing: not_found(&["backup", "list", "--database", "{missing_database}"]),
        ..asks("backup.list", &["backup", "list", "--database", "{database}"])
    },
    Row {
        missing: not_found(&["backup", "trigger", "--database", "{missing_database}"]),
        conflict: Case {
            arguments: &["backup", "trigger", "--database", "{database}"],
            ends: Fails(E::BackupInProgress),
        },
        ..asks("backup.trigger", &["backup", "trigger", "--database", "{database}", "--wait"])
    },
    Row {
        missing: not_found(&["backup", "status", "{missing_backup}"]),
        ..asks("backup.status", &["backup", "status", "{backup}"])
    },
    Row {
        missing: Case { arguments: &["evidence", "list", "--database", "{missing_database}"], ends: Well },
        ..asks("evidence.list", &["evidence", "list", "--database", "{database}"])
    },
    Row {
        missing: not_found(&["evidence", "get", "{missing_backup}"]),
        ..asks("evidence.get", &["evidence", "get", "{backup}"])
    },
    Row {
        missing: not_found(&["restore", "create", "--backup", "{missing_backup}", "{restore_flags}"]),
        conflict: Case {
            arguments: &["restore", "create", "--backup", "{unfinished}", "{restore_flags}"],
            ends: Fails(E::BackupNotRestorable),
        },
        ..asks("restore.create", &["restore", "create", "--backup", "{backup}", "{restore_flags}"])
    },
    Row {
        missing: not_found(&["restore", "execute", "--backup", "{missing_backup}", "{restore_flags}"]),
        conflict: Case {
            arguments: &["restore", "execute", "--backup", "{unfinished}", "{restore_flags}"],
            ends: Fails(E::BackupNotRestorable),
        },
        ..asks("restore.execute", &["restore", "execute", "--backup", "{backup}", "{restore_flags}"])
    },
    Row {
        missing: not_found(&["restore", "status", "{missing_restore}"]),
        ..asks("restore.status", &["restore", "status", "{restore}"])
    },
    Row {
        auth: Fails(E::TokenInvalid),
        scope: Never("a token has no scopes"),
        missing: Case {
            arguments: &["restore", "--manifest", "{other_manifest}", "{restore_flags}"],
            ends: Fails(E::ManifestHashMismatch),
        },
        conflict: Case {
            arguments: &["restore", "--manifest", "{manifest}", "{restore_flags}"],
            ends: Fails(E::TokenUsed),
        },
        ..asks("restore", &["restore", "--manifest", "{manifest}", "{restore_flags}"])
    },
    local("capabilities.list", &["capabilities", "list"]),
    Row {
        missing: Case { arguments: &["capabilities", "describe", "no.such"], ends: Fails(E::UsageError) },
        ..local("capabilities.describe", &["capabilities", "describe", "backup.trigger"])
    },
    asks("verify-environment", &["verify-environment"]),
    Row {
        missing: Case { arguments: &["explain-error", "--from-json", "/nonexistent"], ends: Fails(E::UsageError) },
        signal: Case { arguments: &["explain-error", "--from-json", "-"], ends: Fails(E::Cancelled) },
        ..local("explain-error", &["explain-error", "--from-json", "{error_file}"])
    },
    local("completions", &["completions", "bash"]),
    local("man", &["man"]),
];

/// What stands for `{restore_flags}`.
pub(super) const RESTORE_FLAGS: &[&str] = RESTORE;

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn has_row(kind: &str) -> bool {
    let mut at = 0;
    while at < ROWS.len() && !same(ROWS[at].kind, kind) {
        at += 1;
    }
    at < ROWS.len()
}

const fn every_command_has_a_row() -> bool {
    let mut at = 0;
    while at < COMMANDS.len() && has_row(COMMANDS[at].kind) {
        at += 1;
    }
    at == COMMANDS.len()
}

const _: () = assert!(every_command_has_a_row(), "a command of the contract has no row in the matrix: add one to ROWS");
const _: () = assert!(ROWS.len() == COMMANDS.len(), "a row of the matrix is of no command, or one stands there twice");
