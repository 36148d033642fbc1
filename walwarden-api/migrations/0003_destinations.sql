-- What preflight has found out about a destination, when it looks again, roles in place of access keys, and encryption.

ALTER TABLE destinations ADD COLUMN state TEXT NOT NULL DEFAULT 'unverified';
ALTER TABLE destinations ADD COLUMN verified_at BIGINT;
ALTER TABLE destinations ADD COLUMN preflight TEXT;
ALTER TABLE destinations ADD COLUMN preflight_failures BIGINT NOT NULL DEFAULT 0;
-- Destinations that were there before are due at once.
ALTER TABLE destinations ADD COLUMN next_preflight_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE destinations ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE destinations ADD COLUMN left_probes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE destinations ADD COLUMN role_arn TEXT;
ALTER TABLE destinations ADD COLUMN external_id TEXT;
ALTER TABLE destinations ADD COLUMN encryption TEXT NOT NULL DEFAULT 'none';
ALTER TABLE destinations ADD COLUMN kms_key_id TEXT;

CREATE INDEX destinations_due ON destinations (next_preflight_at);
