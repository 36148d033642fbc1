//! Row counts and content digests of every table, large object and sequence, compared between two databases.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use walwarden_sdk::postgres::{LibpqEnv, Tools, query, quote_identifier, quote_literal};

const DEADLINE: Duration = Duration::from_mins(10);

/// Row count and digest of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    rows: String,
    digest: String,
}

/// What was found on both sides, by name.
pub(super) struct Comparison {
    found: BTreeMap<String, (Option<Content>, Option<Content>)>,
}

/// Reads both databases whole.
pub(super) async fn compare(tools: &Tools, source: &LibpqEnv, restored: &LibpqEnv) -> anyhow::Result<Comparison> {
    let mut found: BTreeMap<String, (Option<Content>, Option<Content>)> = BTreeMap::new();
    for (name, content) in contents(tools, source).await? {
        found.entry(name).or_default().0 = Some(content);
    }
    for (name, content) in contents(tools, restored).await? {
        found.entry(name).or_default().1 = Some(content);
    }
    Ok(Comparison { found })
}

async fn contents(tools: &Tools, connection: &LibpqEnv) -> anyhow::Result<Vec<(String, Content)>> {
    let tables = "SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind IN ('r', 'S', 'v', 'm') AND n.nspname <> 'information_schema'
                  AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2";
    let mut contents = Vec::new();
    for row in query(tools, connection, tables, DEADLINE).await.context("cannot list the tables")? {
        let [schema, name, kind] = row.as_slice() else { continue };
        let qualified = format!("{}.{}", quote_identifier(schema), quote_identifier(name));
        let sql = match kind.as_str() {
            "S" => format!("SELECT 1, md5(last_value::text || is_called) FROM {qualified}"),
            "v" | "m" => format!("SELECT 1, md5(pg_get_viewdef({}::regclass))", quote_literal(&qualified)),
            _ => format!(
                "SELECT count(*), coalesce(md5(string_agg(h, '' ORDER BY h)), '-') FROM (SELECT md5(t::text) h FROM {qualified} t) x"
            ),
        };
        contents.push((format!("{schema}.{name}"), one(tools, connection, &sql).await?));
    }
    let objects = "SELECT count(*), coalesce(md5(string_agg(md5(lo_get(oid)), '' ORDER BY oid)), '-') FROM pg_largeobject_metadata";
    contents.push(("(large objects)".to_owned(), one(tools, connection, objects).await?));
    Ok(contents)
}

async fn one(tools: &Tools, connection: &LibpqEnv, sql: &str) -> anyhow::Result<Content> {
    let rows = query(tools, connection, sql, DEADLINE).await.context("cannot read a table's digest")?;
    match rows.first().map(Vec::as_slice) {
        Some([rows, digest]) => Ok(Content { rows: rows.clone(), digest: digest.clone() }),
        _ => anyhow::bail!("a table's digest could not be read"),
    }
}

impl Comparison {
    /// Whether both sides hold the same, and anything at all.
    pub(super) fn equal(&self) -> bool {
        self.found.len() > 1 && self.found.values().all(|(source, restored)| source == restored)
    }

    /// One line for each name.
    pub(super) fn table(&self) -> String {
        let show = |content: &Option<Content>| match content {
            Some(content) => content.digest.chars().take(12).collect(),
            None => "missing".to_owned(),
        };
        let row = |(name, (source, restored)): (&String, &(Option<Content>, Option<Content>))| {
            let rows = source.as_ref().or(restored.as_ref()).map(|content| &content.rows);
            let verdict = if source == restored { "equal" } else { "DIFFERENT" };
            json!({ "name": name, "rows": rows, "source": show(source), "restored": show(restored), "verdict": verdict })
        };
        let rows: Vec<Value> = self.found.iter().map(row).collect();
        let columns =
            [("TABLE", "name"), ("ROWS", "rows"), ("SOURCE", "source"), ("RESTORED", "restored"), ("", "verdict")];
        crate::commands::output::table(&rows, &columns, "nothing was compared")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_missing_or_differs_is_not_equal() {
        let content = |digest: &str| Some(Content { rows: "1".to_owned(), digest: digest.to_owned() });
        let comparison = |restored: Option<Content>| Comparison {
            found: BTreeMap::from([
                ("a".to_owned(), (content("x"), content("x"))),
                ("b".to_owned(), (content("x"), restored)),
            ]),
        };
        assert!(comparison(content("x")).equal());
        assert!(!comparison(content("y")).equal());
        assert!(!comparison(None).equal());
        assert!(!Comparison { found: BTreeMap::new() }.equal(), "nothing was compared");
        assert!(comparison(None).table().contains("DIFFERENT"));
    }
}
