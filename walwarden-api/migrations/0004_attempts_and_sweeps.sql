-- What became of every attempt, which run a scheduled job stands for, and when a bucket is next swept of unfinished uploads.

ALTER TABLE backup_jobs ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE backup_jobs ADD COLUMN scheduled_for BIGINT;
ALTER TABLE destinations ADD COLUMN next_sweep_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX destinations_to_sweep ON destinations (next_sweep_at);
