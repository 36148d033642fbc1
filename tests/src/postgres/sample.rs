//! What the tests back up: a small shop with one of everything a dump has to carry, and tables of any size.

use anyhow::{Result, ensure};

use super::{Database, PostgresServer};

/// The tables of the sample schema.
pub const SAMPLE_TABLES: [&str; 5] =
    ["shop.customers", "shop.orders", "shop.order_items", "shop.documents", "shop.settings"];

const SCHEMA: &str = r#"
CREATE SCHEMA shop;
CREATE TYPE shop.order_state AS ENUM ('new', 'paid', 'shipped');
CREATE SEQUENCE shop.invoice_number START 1000 INCREMENT 7;
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    profile jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES shop.customers,
    state shop.order_state NOT NULL,
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    ordered_on date NOT NULL,
    invoice bigint NOT NULL DEFAULT nextval('shop.invoice_number')
);
CREATE TABLE shop.order_items (
    order_id bigint NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
    line smallint NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    weight double precision,
    PRIMARY KEY (order_id, line)
);
CREATE TABLE shop.documents (id integer PRIMARY KEY, title text, body bytea, attachment oid);
CREATE TABLE shop.settings ("Key With Space" text PRIMARY KEY, value text);
CREATE INDEX orders_by_day ON shop.orders (ordered_on, customer_id);
CREATE INDEX customers_by_tag ON shop.customers USING gin (tags);
CREATE INDEX customers_by_lower_email ON shop.customers (lower(email)) WHERE email <> '';
CREATE VIEW shop.revenue AS
    SELECT c.name, sum(o.total) AS total FROM shop.customers c JOIN shop.orders o ON o.customer_id = c.id GROUP BY c.name;
COMMENT ON TABLE shop.customers IS 'Kundinnen und Kunden: Größe ≠ 0';
"#;

/// `:rows` customers, as many orders, twice as many order lines.
const ROWS: &str = r#"
INSERT INTO shop.customers (name, email, tags, profile, created_at)
    SELECT (ARRAY['Zoë Müller', '李小龍', 'Ærøskøbing', 'Ольга Иванова', E'tab\there\nline'])[1 + n % 5] || ' ' || n,
        'user' || n || '@example.test', ARRAY['t' || n % 13, 'ñ'], jsonb_build_object('n', n, 'nested', jsonb_build_array(n % 7, null, 'é')),
        timestamptz '2024-01-01 00:00:00Z' + n * interval '1 minute'
    FROM generate_series(1, :rows) n;
INSERT INTO shop.orders (id, customer_id, state, total, ordered_on)
    SELECT n, n, (ARRAY['new', 'paid', 'shipped'])[1 + n % 3]::shop.order_state, (n * 37 % 100000) / 100.0, date '2024-01-01' + n % 365
    FROM generate_series(1, :rows) n;
INSERT INTO shop.order_items
    SELECT n, line, md5(n::text || line), 1 + n % 9, nullif(n % 4, 0) / 3.0
    FROM generate_series(1, :rows) n, generate_series(1, 2) line;
INSERT INTO shop.documents
    SELECT n, 'Dokument № ' || n, sha256(n::text::bytea), lo_from_bytea(0, decode(repeat(md5(n::text), 3000), 'hex')) FROM generate_series(1, 3) n;
INSERT INTO shop.settings VALUES ('theme', 'dark'), ('empty', ''), ('missing', NULL), ('quote', 'it''s "quoted" \ backslash');
"#;

impl PostgresServer {
    /// Creates the sample schema, owned by the database's owner, with about `5 * rows` rows in all.
    pub fn load_sample(&self, database: &Database, rows: u32) -> Result<()> {
        self.psql_as_owner(database, &format!("\\set rows {rows}\nBEGIN;{SCHEMA}{ROWS}COMMIT; ANALYZE;"))?;
        Ok(())
    }

    /// Creates `shop_bulk`, a table of `megabytes` MiB that no codec can shrink, so that a dump is about as large whatever the codec.
    pub fn load_bulk(&self, database: &Database, megabytes: u32) -> Result<()> {
        ensure!(megabytes > 0, "an empty table is not bulk");
        let sql = format!(
            "BEGIN; CREATE EXTENSION IF NOT EXISTS pgcrypto;
             CREATE TABLE shop_bulk (id bigint NOT NULL, payload bytea NOT NULL);
             ALTER TABLE shop_bulk ALTER payload SET STORAGE EXTERNAL, OWNER TO {owner};
             INSERT INTO shop_bulk SELECT n, gen_random_bytes(1024) FROM generate_series(1, {rows}) n;
             DROP EXTENSION pgcrypto; COMMIT;",
            owner = database.user,
            rows = u64::from(megabytes) * 1024,
        );
        self.psql(&database.name, &sql)?;
        Ok(())
    }
}
