"""How far it is proven that a backup can be restored: computed from the events, never taken from what the index says."""

from .chains import of_kind
from .verdict import require


def completion(events, manifest_hash):
    """The event that says that this very manifest was completed."""
    completed = [event for event in of_kind(events, "backup.completed") if isinstance(event["payload"], dict)]
    found = [event for event in completed if event["payload"].get("manifestHash") == manifest_hash]
    require(found, "completion_missing", "no event says that a backup with this manifest was completed")
    return found[0]


def belongs(restore, backup_job_id, manifest_hash):
    """Whether a restore's chain says that it is of this artifact."""
    issued = restore[0] if restore else {"kind": None}
    if issued["kind"] != "restore.token_issued" or not isinstance(issued["payload"], dict):
        return False
    payload = issued["payload"]
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
    """What the events prove, as the index has to state it."""
    payload = completed["payload"]
    checks = payload.get("checks")
    checks = [check for check in checks if isinstance(check, str)] if isinstance(checks, list) else []
    version = payload.get("verifiedBy")
    drills = [_drill(restore) for restore in restores if belongs(restore, backup_job_id, manifest_hash)]
    drills = [drill for drill in drills if drill is not None]
    newest = max(drills, key=lambda drill: drill["completedAt"], default=None)
    return {
        "checks": checks,
        "drill": newest,
        "readBackAt": completed["at"],
        "state": "completed" if not checks else "verified" if newest is None else "drilled",
        "verifiedBy": version if isinstance(version, str) else None,
    }


def require_claim(claim, completed, restores, backup_job_id, manifest_hash):
    """Refuses any claim but the one that the events prove, and returns its state."""
    proven = computed(completed, restores, backup_job_id, manifest_hash)
    require(claim == proven, "state_not_proven", f"the index claims {claim!r}, the events prove {proven['state']}")
    return proven["state"]
