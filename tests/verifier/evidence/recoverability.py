"""How far it is proven that a backup can be restored: computed from the events, never taken from what the index says."""

from .chains import of_kind
from .verdict import require


def completion(events, manifest_hash):
    """The event that says that this very manifest was completed."""
    found = [event for event in of_kind(events, "backup.completed") if event["payload"].get("manifestHash") == manifest_hash]
    require(found, "completion_missing", "no event says that a backup with this manifest was completed")
    return found[0]


def belongs(restore, backup_job_id, manifest_hash):
    """Whether a restore's chain says that it is of this artifact."""
    issued = of_kind(restore, "restore.token_issued")
    payload = issued[0]["payload"] if issued else {}
    return payload.get("backupJobId") == backup_job_id and payload.get("manifestHash") == manifest_hash


def _drill(restore):
    verified = of_kind(restore, "restore.manifest_verified")
    completed = of_kind(restore, "restore.completed")
    if not verified or not completed or verified[0]["seq"] > completed[0]["seq"]:
        return None
    return {
        "completedAt": completed[0]["at"],
        "manifestVerifiedAt": verified[0]["at"],
        "restoreJobId": restore[0]["jobId"],
    }


def computed(completed, restores, backup_job_id, manifest_hash):
    """What the events prove: the state as the index has to state it, and every drill that it may name."""
    payload = completed["payload"]
    checks = payload.get("checks")
    checks = checks if isinstance(checks, list) else []
    version = payload.get("verifiedBy")
    verified = bool(checks) and isinstance(version, str)
    drills = [_drill(restore) for restore in restores if belongs(restore, backup_job_id, manifest_hash)]
    drills = [drill for drill in drills if drill is not None] if verified else []
    return {
        "checks": checks if verified else [],
        "readBackAt": payload.get("readBackAt", completed["at"]) if verified else None,
        "state": "drilled" if drills else "verified" if verified else "completed",
        "verifiedBy": version if verified else None,
    }, drills


def require_claim(claim, completed, restores, backup_job_id, manifest_hash):
    """Refuses any claim but the one that the events prove, and returns its state."""
    proven, drills = computed(completed, restores, backup_job_id, manifest_hash)
    holds = isinstance(claim, dict) and {key: value for key, value in claim.items() if key != "drill"} == proven
    holds = holds and (claim.get("drill") in drills if drills else "drill" in claim and claim["drill"] is None)
    require(holds, "state_not_proven", f"the index claims {claim!r}, the events prove {proven['state']}")
    return proven["state"]
