-- The key that signs and those that did, with the statements that tie them together. What counts are the statements' signatures:
-- a row that no statement ties to the key of the running server proves nothing.
CREATE TABLE signing_keys (
    key_id TEXT PRIMARY KEY,
    -- SPKI PEM.
    public_key TEXT NOT NULL,
    -- current, retired or revoked.
    state TEXT NOT NULL,
    -- Where the private half is: a file, or a token and a label in it.
    kept_in TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    revoked_at BIGINT,
    -- The statement with which it took over; the first key has none.
    rotation TEXT,
    revocation TEXT
);
-- One key signs at a time is the index's promise, not a check's.
CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (state) WHERE state = 'current';
