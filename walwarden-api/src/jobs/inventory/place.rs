//! What a key says: which database's which backup's which object, if it is one that this program writes.

use walwarden_contract::{BackupJobId, DatabaseId, OrgId};

/// Which of a backup's two objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Artifact,
    Manifest,
}

/// A place for an object, in the order of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) database_id: DatabaseId,
    pub(super) job_id: BackupJobId,
    pub(super) half: Half,
}

/// Everything of an organization stands below this.
pub(super) fn prefix(org_id: OrgId, database: Option<DatabaseId>) -> String {
    match database {
        Some(id) => format!("org/{org_id}/db/{id}/"),
        None => format!("org/{org_id}/"),
    }
}

/// Whether a key is a probe's, which preflight writes and a lock may hold for a while.
pub(super) fn is_probe(org_id: OrgId, key: &str) -> bool {
    key.strip_prefix(&prefix(org_id, None)).is_some_and(|rest| rest.starts_with("preflight/"))
}

/// Reads a key; `None` when no backup is written there.
pub(super) fn read(org_id: OrgId, key: &str) -> Option<Place> {
    let rest = key.strip_prefix(&prefix(org_id, None))?.strip_prefix("db/")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let [database, "backup", year, month, day, name] = parts.as_slice() else { return None };
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
        return None;
    }
    let (job, half) = match (name.strip_suffix(".dump"), name.strip_suffix(".manifest.json")) {
        (Some(job), _) => (job, Half::Artifact),
        (None, Some(job)) => (job, Half::Manifest),
        (None, None) => return None,
    };
    Some(Place { database_id: database.parse().ok()?, job_id: job.parse().ok()?, half })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_keys_that_backups_have_are_theirs() {
        let (org, db, job) = (
            OrgId::from_uuid(Uuid::from_u128(1)),
            DatabaseId::from_uuid(Uuid::from_u128(2)),
            BackupJobId::from_uuid(Uuid::from_u128(3)),
        );
        let key = |end: &str| format!("org/{org}/db/{db}/backup/2026/01/31/{job}{end}");
        let place = read(org, &key(".dump")).expect("an artifact's");
        assert_eq!((place.database_id, place.job_id, place.half), (db, job, Half::Artifact));
        assert_eq!(read(org, &key(".manifest.json")).map(|place| place.half), Some(Half::Manifest));
        for stranger in [
            key(".dump.bak"),
            key(""),
            format!("org/{org}/db/{db}/backup/2026/1/31/{job}.dump"),
            format!("org/{org}/db/{db}/{job}.dump"),
            format!("org/{org}/db/x/backup/2026/01/31/{job}.dump"),
            format!("org/{org}/notes.txt"),
            format!("{job}.dump"),
        ] {
            assert_eq!(read(org, &stranger), None, "{stranger}");
        }
        assert!(is_probe(org, &format!("org/{org}/preflight/x.locked")) && !is_probe(org, &key(".dump")));
    }
}
