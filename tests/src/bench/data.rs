//! What is dumped: a table like pgbench's, one of events with numbers, JSON and hashes, one of prose, all indexed.

use anyhow::Result;

use crate::postgres::{Database, PostgresServer};

/// Rows that take about one megabyte in the database, indexes included.
const ROWS_PER_MEGABYTE: u32 = 1640;

const TABLES: &str = "
CREATE TABLE accounts (aid bigint PRIMARY KEY, bid integer NOT NULL, balance integer NOT NULL, filler char(84) NOT NULL);
CREATE TABLE events (
    id bigint PRIMARY KEY, at timestamptz NOT NULL, kind text NOT NULL, amount numeric(12, 2) NOT NULL,
    attributes jsonb NOT NULL, fingerprint uuid NOT NULL);
CREATE TABLE notes (id bigint PRIMARY KEY, account bigint NOT NULL, title text NOT NULL, body text NOT NULL);
";

/// Hashes stand for what no codec shrinks, words for what all do.
const STEPS: [&str; 5] = [
    "INSERT INTO accounts SELECT n, n % 100, (n * 7919) % 1000003, '' FROM generate_series(1::bigint, :rows) n;",
    "INSERT INTO events
        SELECT n, timestamptz '2024-01-01 00:00:00Z' + n * interval '7.3 seconds',
            (ARRAY['created', 'viewed', 'changed', 'paid', 'shipped', 'returned'])[1 + (n * 31) % 6],
            ((n * 104729) % 10000000) / 100.0,
            jsonb_build_object('session', md5(n::text), 'page', '/products/' || n % 5000, 'ms', (n * 48271) % 2000,
                'tags', jsonb_build_array('t' || n % 17, 'u' || n % 29)),
            md5('e' || n)::uuid
        FROM generate_series(1::bigint, :rows) n;",
    "INSERT INTO notes
        SELECT n, (n * 97) % :rows, 'Note ' || n,
            (SELECT string_agg(w.words[1 + (n * (i + 3) + i * i) % 24], ' ') FROM generate_series(1, 40) i)
        FROM generate_series(1::bigint, :rows / 2) n,
            (SELECT string_to_array('the customer asked whether delivery before noon would be possible and we answered that '
                || 'it depends on carrier stock weather', ' ') || ARRAY['straße', 'naïve', 'Ωmega', '東京'] AS words) w;",
    "CREATE INDEX events_by_time ON events (at, kind); CREATE INDEX notes_by_account ON notes (account);",
    "VACUUM ANALYZE;",
];

/// Fills the database with about so many megabytes, indexes included, and returns its size in bytes.
pub(super) fn load(server: &PostgresServer, database: &Database, megabytes: u32) -> Result<u64> {
    let rows = u64::from(megabytes) * u64::from(ROWS_PER_MEGABYTE);
    server.psql_as_owner(database, TABLES)?;
    for step in STEPS {
        server.psql_as_owner(database, &format!("\\set rows {rows}\n{step}"))?;
    }
    server.psql("postgres", "CHECKPOINT")?;
    let size = server.psql(&database.name, "SELECT pg_database_size(current_database())")?;
    Ok(size.parse()?)
}
