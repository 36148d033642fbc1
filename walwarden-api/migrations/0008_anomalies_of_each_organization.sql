-- A chain whose head was moved to another organization is broken for both; and an anomaly stands although its event could not be
-- appended yet, because the organization's own chain is what does not hold.

ALTER TABLE audit_anomalies RENAME TO audit_anomalies_before;
DROP INDEX audit_anomalies_by_organization;
CREATE TABLE audit_anomalies (
    org_id TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    detected_at BIGINT NOT NULL,
    failure TEXT NOT NULL,
    -- When the organization's chain took its event; NULL until it did.
    raised_at BIGINT,
    PRIMARY KEY (org_id, stream_id)
);
INSERT INTO audit_anomalies (org_id, stream_id, detected_at, failure, raised_at)
    SELECT org_id, stream_id, detected_at, failure, detected_at FROM audit_anomalies_before;
DROP TABLE audit_anomalies_before;
