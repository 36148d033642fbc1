//! What the server's answers mean for a backup, and what mends it.

use walwarden_contract::ErrorCode;
use walwarden_contract::model::{SourceCheckId as Check, SourceProvider};
use walwarden_sdk::postgres::{Dsn, Listed, SourceFacts, ToolVersion, quote_identifier};

use super::notes::Notes;
use super::providers;
use crate::engine::backup::{PartRules, part_plan};

const GIB: f64 = 1_073_741_824.0;
const MIB: u64 = 1 << 20;

/// What the host names say, before anything is asked.
pub(super) fn hosts(dsn: &Dsn, notes: &mut Notes) {
    let pooled = providers::direct_hosts(dsn);
    if let Some((host, _)) = pooled.first() {
        let direct: Vec<&str> = pooled.iter().map(|(_, direct)| direct.as_str()).collect();
        notes.failed(
            Check::Pooler,
            ErrorCode::SourcePooled,
            format!("{host} is a transaction pooler"),
            format!("Put {} into the connection string in its place.", direct.join(", ")),
        );
    }
    if notes.provider() != SourceProvider::Postgres {
        notes.passed(Check::Provider, format!("{}, by the host's name", providers::name_of(notes.provider())));
    }
}

/// The first names, and how many more there are.
fn named(listed: &Listed, total: u64) -> String {
    let more = total.saturating_sub(listed.names.len() as u64);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", listed.names.join(", "))
}

/// Server, provider, versions, and what the server does to sessions.
pub(super) fn server(facts: &SourceFacts, pg_dump: Option<&ToolVersion>, notes: &mut Notes) {
    notes.provided_by(providers::of_traits(&facts.traits));
    let provider = notes.provider();
    let told = if provider == SourceProvider::Postgres { "" } else { ", by what the server has" };
    notes.passed(Check::Provider, format!("{}{told}", providers::name_of(provider)));

    let (major, version) = (facts.version_num / 10_000, &facts.version_text);
    match pg_dump {
        Some(pg_dump) if pg_dump.major < major => notes.failed(
            Check::ServerVersion,
            ErrorCode::SourceVersionUnsupported,
            format!("the server is {version} and pg_dump is {pg_dump}, which is older"),
            format!("Install pg_dump {major} on the worker (Debian: `apt-get install postgresql-client-{major}`)."),
        ),
        _ if facts.in_recovery => notes.warning(
            Check::ServerVersion,
            format!("the server is {version}, and a standby: what it replays can end a dump"),
            "Name the primary, or set `max_standby_streaming_delay` on the standby to longer than a dump takes."
                .to_owned(),
        ),
        Some(pg_dump) => {
            notes.passed(Check::ServerVersion, format!("the server is {version} and pg_dump is {pg_dump}"));
        }
        None => notes.skipped(Check::ServerVersion, format!("the server is {version}; there is no pg_dump to compare")),
    }

    let idle = &facts.idle_session_timeout;
    if idle == "0" {
        notes.passed(Check::IdleSessionTimeout, "idle sessions are not ended");
    } else {
        let role = quote_identifier(&facts.role);
        notes.warning(
            Check::IdleSessionTimeout,
            format!("the server ends sessions that are idle for {idle}"),
            format!("`ALTER ROLE {role} SET idle_session_timeout = 0;`"),
        );
    }
}

/// What the role may read.
pub(super) fn privileges(facts: &SourceFacts, notes: &mut Notes) {
    let role = quote_identifier(&facts.role);
    let everything = if facts.version_num >= 140_000 {
        format!(" Or, for all there is and will be: `GRANT pg_read_all_data TO {role};`")
    } else {
        String::new()
    };
    let mut may = |id: Check, verb: &str, listed: &Listed, grant: &str| {
        if listed.refused == 0 {
            let evidence = if listed.total == 0 {
                "there are none".to_owned()
            } else {
                format!("the role may {verb} all of {}", listed.total)
            };
            return notes.passed(id, evidence);
        }
        let evidence = format!(
            "the role may not {verb} {} of {}: {}",
            listed.refused,
            listed.total,
            named(listed, listed.refused)
        );
        let remedy = format!("Run as the owner: `GRANT {grant} {} TO {role};`{everything}", listed.names.join(", "));
        notes.failed(id, ErrorCode::SourcePermissionDenied, evidence, remedy);
    };
    may(Check::Schemas, "use", &facts.schemas, "USAGE ON SCHEMA");
    may(Check::Tables, "read", &facts.tables, "SELECT ON TABLE");
    may(Check::Sequences, "read", &facts.sequences, "SELECT ON SEQUENCE");

    let hidden = &facts.hidden_rows;
    if hidden.refused > 0 {
        notes.failed(
            Check::RowLevelSecurity,
            ErrorCode::SourcePermissionDenied,
            format!(
                "row-level security would hide rows from the role in {}: pg_dump refuses to go on",
                named(hidden, hidden.refused)
            ),
            format!("`ALTER ROLE {role} BYPASSRLS;` as a superuser, or use a role that has it."),
        );
    } else if hidden.total > 0 {
        let evidence = format!("{} tables have row-level security, which the role passes", hidden.total);
        notes.passed(Check::RowLevelSecurity, evidence);
    } else {
        notes.passed(Check::RowLevelSecurity, "no table has row-level security");
    }

    let objects = &facts.large_objects;
    if objects.refused > 0 {
        let first = objects.names.join(", ");
        notes.failed(
            Check::LargeObjects,
            ErrorCode::SourcePermissionDenied,
            format!("the role may not read {} large objects: {}", objects.refused, named(objects, objects.refused)),
            format!(
                "Run as a superuser: `GRANT SELECT ON LARGE OBJECT {first} TO {role};`. The role pg_read_all_data does not cover large objects."
            ),
        );
    } else if objects.total == 0 {
        notes.passed(Check::LargeObjects, "there are none");
    } else {
        let total = if objects.total > 10_000 { "more than 10000".to_owned() } else { objects.total.to_string() };
        notes.passed(Check::LargeObjects, format!("the role may read {total}"));
    }
}

/// What is in the database that a backup or a restore treats differently.
pub(super) fn contents(facts: &SourceFacts, notes: &mut Notes) {
    let unlogged = &facts.unlogged;
    if unlogged.total == 0 {
        notes.passed(Check::UnloggedTables, "there are none");
    } else if facts.in_recovery {
        notes.failed(
            Check::UnloggedTables,
            ErrorCode::SourcePermissionDenied,
            format!("a standby cannot read {}", named(unlogged, unlogged.total)),
            "Name the primary in the connection string.".to_owned(),
        );
    } else {
        notes.warning(
            Check::UnloggedTables,
            format!(
                "a crash of the source empties {}, and the next backup has them empty",
                named(unlogged, unlogged.total)
            ),
            format!("`ALTER TABLE {} SET LOGGED;`", unlogged.names.first().map_or("<table>", String::as_str)),
        );
    }

    let extensions = &facts.extensions;
    let remedy = "The target of a restore has to have them installed.".to_owned();
    if extensions.names.iter().any(|name| name.starts_with("timescaledb ")) {
        let remedy = "Restore with `SELECT timescaledb_pre_restore();` before and `SELECT timescaledb_post_restore();` after, on the same version.";
        notes.warning(Check::Extensions, named(extensions, extensions.total), remedy.to_owned());
    } else if extensions.total == 0 {
        notes.passed(Check::Extensions, "there are none");
    } else {
        notes.told(Check::Extensions, named(extensions, extensions.total), remedy);
    }

    notes.told(
        Check::Roles,
        format!("{} roles of the server are not in the dump", facts.roles.total),
        "Keep them with `pg_dumpall --roles-only`, or create on the target what owns and may use the restored objects."
            .to_owned(),
    );
    if facts.tablespaces.total == 0 {
        notes.passed(Check::Tablespaces, "everything is in pg_default");
    } else {
        notes.warning(
            Check::Tablespaces,
            format!("{} are not in the dump", named(&facts.tablespaces, facts.tablespaces.total)),
            "Create them on the target of a restore, or its objects go to the default one.".to_owned(),
        );
    }
}

/// Whether the dump fits, and what it takes.
pub(super) fn size(facts: &SourceFacts, part_memory_bytes: u64, notes: &mut Notes) {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let size = facts.size_bytes as f64 / GIB;
    // The destination is not looked at here; no provider's rules make another part of a database of a usual size.
    match part_plan(facts.size_bytes, part_memory_bytes, PartRules::USUAL) {
        Ok((part, in_flight)) => {
            let (part, in_memory) = (part / MIB, in_flight + 1);
            let evidence = format!("{size:.1} GiB on disk: parts of {part} MiB, {in_memory} of them in memory");
            notes.passed(Check::Size, evidence);
        }
        Err(error) => {
            notes.failed(Check::Size, error.code, error.message, error.code.next_action().to_owned());
        }
    }
}
