//! A small shop to back up: tables, indexes, a view, a sequence, a large object, jsonb, arrays and non-ASCII text.

/// The statements that make it, with `rows` orders and a fifth as many of the rest.
pub(super) fn statements(rows: u32) -> Vec<String> {
    let customers = (rows / 5).max(1);
    vec![
        "CREATE SCHEMA shop".to_owned(),
        "CREATE SEQUENCE shop.invoice_numbers START 1000 INCREMENT 7".to_owned(),
        "CREATE TABLE shop.customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
            email text NOT NULL UNIQUE, tags text[] NOT NULL DEFAULT '{}', profile jsonb, joined date NOT NULL)"
            .to_owned(),
        "CREATE TABLE shop.products (id int PRIMARY KEY, title text NOT NULL, price numeric(10,2) CHECK (price > 0),
            photo bytea, attributes jsonb NOT NULL)"
            .to_owned(),
        "CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id bigint NOT NULL REFERENCES shop.customers, product_id int NOT NULL REFERENCES shop.products,
            quantity int NOT NULL, invoice bigint NOT NULL DEFAULT nextval('shop.invoice_numbers'),
            placed_at timestamptz NOT NULL, note text)"
            .to_owned(),
        "CREATE TABLE shop.attachments (order_id bigint REFERENCES shop.orders, document oid NOT NULL)".to_owned(),
        format!(
            "INSERT INTO shop.customers (name, email, tags, profile, joined)
             SELECT (ARRAY['Zoë','Jürgen','李雷','Ольга','علي','Siân','Νίκος'])[1 + n % 7] || ' ' || n, 'c' || n || '@example.org',
                    ARRAY['tier-' || n % 4, CASE n % 3 WHEN 0 THEN 'naïve' ELSE 'plain' END],
                    jsonb_build_object('n', n, 'likes', jsonb_build_array(n % 11, '☕')), date '2020-01-01' + n % 2000
             FROM generate_series(1, {customers}) n"
        ),
        format!(
            "INSERT INTO shop.products SELECT n, 'Produkt №' || n, 1 + (n * 37 % 10000) / 100.0,
                    decode(md5(n::text) || md5((n + 1)::text), 'hex'), jsonb_build_object('weight', n % 50, 'eco', n % 2 = 0)
             FROM generate_series(1, {customers}) n"
        ),
        format!(
            "INSERT INTO shop.orders (customer_id, product_id, quantity, placed_at, note)
             SELECT 1 + n % {customers}, 1 + (n * 13) % {customers}, 1 + n % 9,
                    timestamptz '2024-01-01 00:00:00+00' + n * interval '17 seconds',
                    CASE WHEN n % 10 = 0 THEN NULL ELSE md5(n::text) END
             FROM generate_series(1, {rows}) n"
        ),
        "CREATE INDEX orders_placed ON shop.orders (placed_at)".to_owned(),
        "CREATE INDEX customers_tags ON shop.customers USING gin (tags)".to_owned(),
        "CREATE VIEW shop.revenue AS SELECT p.title, sum(o.quantity * p.price) AS total
         FROM shop.orders o JOIN shop.products p ON p.id = o.product_id GROUP BY p.title"
            .to_owned(),
        "INSERT INTO shop.attachments
         SELECT id, lo_from_bytea(0, convert_to(repeat('Rechnung ' || id || ' — ', 2000), 'UTF8'))
         FROM shop.orders ORDER BY id LIMIT 3"
            .to_owned(),
    ]
}
