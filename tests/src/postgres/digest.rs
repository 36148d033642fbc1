//! What a database holds, as numbers that can be compared before and after a restore.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::PostgresServer;

/// One table's content, or that of the sequences, the large objects or the definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigest {
    /// Rows, or entries.
    pub rows: u64,
    /// The sums of two independent 64-bit hashes over the rows, whatever their order.
    pub digest: String,
}

/// By `schema.table`, and by the kinds in parentheses that are no table.
pub type TableDigests = BTreeMap<String, TableDigest>;

/// One row per relation that has rows: `name, count, digest`. The alias is a name no column has.
const QUERY: &str = r"
SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 3; SET bytea_output = 'hex';
CREATE FUNCTION pg_temp.walwarden_digest(kind text, source text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(r.v, 1)::numeric), 0)::text || ''/'' ||
    coalesce(sum(hashtextextended(r.v, 2)::numeric), 0)::text FROM (%s) r', kind, source) $$;
SELECT pg_temp.walwarden_digest(n.nspname || '.' || c.relname,
    format('SELECT walwarden_row::text AS v FROM ONLY %I.%I walwarden_row', n.nspname, c.relname))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
\gexec
SELECT pg_temp.walwarden_digest('(large objects)',
    'SELECT oid::text || '' '' || encode(lo_get(oid), ''hex'') AS v FROM pg_largeobject_metadata')
\gexec
SELECT pg_temp.walwarden_digest('(sequences)',
    'SELECT concat_ws('' '', schemaname, sequencename, last_value, increment_by) AS v FROM pg_sequences')
\gexec
SELECT pg_temp.walwarden_digest('(definitions)', $q$
    SELECT concat_ws(' ', schemaname, viewname, definition) AS v FROM pg_views WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
    UNION ALL SELECT concat_ws(' ', schemaname, indexname, indexdef) FROM pg_indexes WHERE schemaname !~ '^pg_'
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^pg_' AND connamespace::regnamespace::text <> 'information_schema'
    $q$)
\gexec
";

impl PostgresServer {
    /// Row count and content digest of every table, and of sequences, large objects and the definitions of views, indexes and
    /// constraints. Equal maps mean equal content.
    pub fn table_digests(&self, database: &str) -> Result<TableDigests> {
        let rows = self.psql(database, QUERY)?;
        let mut digests = TableDigests::new();
        for line in rows.lines() {
            let mut columns = line.split('\t');
            let mut next = || columns.next().with_context(|| format!("three columns expected: {line}"));
            let (name, rows, digest) = (next()?.to_owned(), next()?.parse()?, next()?.to_owned());
            digests.insert(name, TableDigest { rows, digest });
        }
        Ok(digests)
    }
}
