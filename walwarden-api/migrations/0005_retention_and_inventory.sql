-- How long backups are kept; when each organization's chains and inventory are looked at; what was found broken.

ALTER TABLE databases ADD COLUMN retention_days BIGINT;

-- A completed backup that is to be deleted is looked at from then on; nothing is, while this is null.
ALTER TABLE backup_jobs ADD COLUMN expiry_look_at BIGINT;
ALTER TABLE backup_jobs ADD COLUMN expiry_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE backup_jobs ADD COLUMN expiry_error_code TEXT;
ALTER TABLE backup_jobs ADD COLUMN expiry_error_message TEXT;
ALTER TABLE backup_jobs ADD COLUMN expiring_at BIGINT;
ALTER TABLE backup_jobs ADD COLUMN expired_at BIGINT;
CREATE INDEX backup_jobs_expiry ON backup_jobs (expiry_look_at) WHERE expiry_look_at IS NOT NULL;
CREATE INDEX backup_jobs_by_destination ON backup_jobs (destination_id, database_id, id);

-- What is looked at again and again, organization by organization: when next, how far this look is, what the last one found.
CREATE TABLE periodic_looks (
    kind TEXT NOT NULL,
    org_id TEXT NOT NULL REFERENCES organizations (id),
    due_at BIGINT NOT NULL,
    progress TEXT,
    result TEXT,
    PRIMARY KEY (kind, org_id)
);
CREATE INDEX periodic_looks_due ON periodic_looks (due_at);
INSERT INTO periodic_looks (kind, org_id, due_at) SELECT 'audit', id, created_at FROM organizations;
INSERT INTO periodic_looks (kind, org_id, due_at) SELECT 'inventory', id, created_at + 86400000 FROM organizations;

-- One row for each audit chain that does not hold.
CREATE TABLE audit_anomalies (
    stream_id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    detected_at BIGINT NOT NULL,
    failure TEXT NOT NULL
);
CREATE INDEX audit_anomalies_by_organization ON audit_anomalies (org_id, stream_id);
