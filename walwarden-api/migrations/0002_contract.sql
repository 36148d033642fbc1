-- What the whole API needs: kinds of clients, noted failures, workers that were seen, and the ways lists are read.

ALTER TABLE api_keys ADD COLUMN client_kind TEXT NOT NULL DEFAULT 'service';
ALTER TABLE backup_jobs ADD COLUMN dismissed_at BIGINT;

CREATE TABLE workers (
    name TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE INDEX backup_jobs_evidence ON backup_jobs (org_id, id) WHERE state = 'completed';
CREATE INDEX restore_jobs_by_backup ON restore_jobs (backup_job_id, id);
CREATE INDEX destinations_by_organization ON destinations (org_id, id);
CREATE INDEX audit_streams_by_organization ON audit_streams (org_id, stream_id);

-- One word for one thing: choices are spelt with underscores everywhere.
UPDATE destinations SET provider = REPLACE(provider, '-', '_'), addressing = REPLACE(addressing, '-', '_');
