-- Every audit event becomes a leaf of its organization's log, whose signed size and root, a checkpoint, goes into the organization's
-- own buckets.

-- How many events of a chain are in the log; and when they have to be in a checkpoint at the latest, NULL while nothing waits.
ALTER TABLE audit_streams ADD COLUMN logged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_streams ADD COLUMN due_at BIGINT;
-- Chains that were there before are due at once.
UPDATE audit_streams SET due_at = 0;
CREATE INDEX audit_streams_due ON audit_streams (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX audit_streams_waiting ON audit_streams (org_id, due_at, stream_id) WHERE due_at IS NOT NULL;

CREATE TABLE audit_logs (
    org_id TEXT PRIMARY KEY REFERENCES organizations (id),
    size BIGINT NOT NULL,
    -- The hashes of the complete subtrees that the log is made of, largest first, in hex without anything between them.
    frontier TEXT NOT NULL,
    -- When a checkpoint is to be signed at the latest, although nothing waits.
    checkpoint_due_at BIGINT NOT NULL,
    -- When one was last signed: not every event of a busy organization gets one of its own.
    signed_at BIGINT
);
CREATE INDEX audit_logs_due ON audit_logs (checkpoint_due_at);
INSERT INTO audit_logs (org_id, size, frontier, checkpoint_due_at) SELECT id, 0, '', 0 FROM organizations;

-- The leaves, in order; the hash is the event's.
CREATE TABLE audit_leaves (
    org_id TEXT NOT NULL,
    leaf BIGINT NOT NULL,
    stream_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (org_id, leaf)
);
CREATE UNIQUE INDEX audit_leaves_by_event ON audit_leaves (stream_id, seq);

-- Complete subtrees of 2^level leaves, from level 1 on, so that a proof reads few rows.
CREATE TABLE audit_nodes (
    org_id TEXT NOT NULL,
    level BIGINT NOT NULL,
    idx BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (org_id, level, idx)
);

-- A size has one root. That two checkpoints of one size never disagree is the key's promise, not a check's.
CREATE TABLE checkpoint_roots (
    org_id TEXT NOT NULL,
    size BIGINT NOT NULL,
    root TEXT NOT NULL,
    PRIMARY KEY (org_id, size),
    UNIQUE (org_id, size, root)
);

-- Signed checkpoints. A log that does not grow is signed again on another day (in UTC, written 2026/01/31).
CREATE TABLE checkpoints (
    org_id TEXT NOT NULL,
    size BIGINT NOT NULL,
    day TEXT NOT NULL,
    root TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    key_ids TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (org_id, size, day),
    FOREIGN KEY (org_id, size, root) REFERENCES checkpoint_roots (org_id, size, root)
);

-- Which bucket is to hold which checkpoint, and whether it does.
CREATE TABLE checkpoint_copies (
    org_id TEXT NOT NULL,
    size BIGINT NOT NULL,
    day TEXT NOT NULL,
    -- No reference: what was written stays, whatever becomes of the destination.
    destination_id TEXT NOT NULL,
    object_key TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    -- When it is next tried; NULL once it is written, or another object stands in its place.
    not_before BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    written_at BIGINT,
    failure TEXT,
    PRIMARY KEY (org_id, size, day, destination_id),
    FOREIGN KEY (org_id, size, day) REFERENCES checkpoints (org_id, size, day)
);
CREATE INDEX checkpoint_copies_due ON checkpoint_copies (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX checkpoint_copies_waiting ON checkpoint_copies (queued_at) WHERE not_before IS NOT NULL;
CREATE INDEX checkpoint_copies_by_destination ON checkpoint_copies (destination_id, size, day);
