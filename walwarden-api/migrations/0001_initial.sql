-- One text for SQLite and Postgres: TEXT and BIGINT only, times in milliseconds since the epoch, ids as text.

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE destinations (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    endpoint TEXT,
    region TEXT NOT NULL,
    bucket TEXT NOT NULL,
    addressing TEXT NOT NULL,
    checksum_mode TEXT NOT NULL,
    lock_mode TEXT NOT NULL,
    retention_days BIGINT NOT NULL,
    trial BIGINT NOT NULL,
    sealed_credentials TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE databases (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    destination_id TEXT NOT NULL REFERENCES destinations (id),
    name TEXT NOT NULL,
    database_name TEXT NOT NULL,
    redacted_dsn TEXT NOT NULL,
    sealed_dsn TEXT NOT NULL,
    codec TEXT NOT NULL,
    schedule TEXT,
    next_run_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);
CREATE INDEX databases_due ON databases (next_run_at) WHERE next_run_at IS NOT NULL;

CREATE TABLE backup_jobs (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    -- No reference: the record of a backup outlives its database and destination.
    database_id TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    lease_owner TEXT,
    lease_expires_at BIGINT,
    fence BIGINT NOT NULL,
    object_key TEXT,
    upload_id TEXT,
    pending TEXT,
    artifact TEXT,
    manifest TEXT,
    manifest_hash TEXT,
    error_code TEXT,
    error_message TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
-- One backup of a database at a time is the index's promise, not a check's.
CREATE UNIQUE INDEX backup_jobs_one_active ON backup_jobs (database_id)
    WHERE state NOT IN ('completed', 'failed_terminal', 'cancelled');
CREATE INDEX backup_jobs_queue ON backup_jobs (not_before, id) WHERE state = 'queued';
CREATE INDEX backup_jobs_leases ON backup_jobs (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX backup_jobs_by_database ON backup_jobs (database_id, id);

CREATE TABLE restore_jobs (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    database_id TEXT NOT NULL,
    backup_job_id TEXT NOT NULL REFERENCES backup_jobs (id),
    mode TEXT NOT NULL,
    target_redacted_dsn TEXT NOT NULL,
    created_database TEXT,
    state TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    token_expires_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    error_code TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX restore_jobs_watch ON restore_jobs (last_seen_at) WHERE finished_at IS NULL;

CREATE TABLE audit_streams (
    stream_id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    head TEXT NOT NULL
);

CREATE TABLE audit_events (
    stream_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    org_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (stream_id, seq)
);

CREATE TABLE idempotency_keys (
    principal TEXT NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    response_status BIGINT NOT NULL,
    response_body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (principal, operation, idempotency_key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
