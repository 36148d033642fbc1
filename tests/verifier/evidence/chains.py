"""Chains of events: their shape, their hashes, and the orders in which things can have happened."""

import re
from hashlib import sha256

from .strict_json import canonical
from .verdict import require

MEMBERS = {"at", "hash", "jobId", "kind", "payload", "prevHash", "seq"}
FIRST_PREV_HASH = "0" * 64
_HASH = re.compile(r"[0-9a-f]{64}")
_STREAM = re.compile(r"(org|bkp|rst)_[0-9a-f]{32}")

# Which kinds of events can follow one another in a job's chain; None is the beginning.
_BACKUP = {
    None: "queued",
    "backup.queued": "claimed failed cancelled",
    "backup.claimed": "running finalizing failed queued cancelled",
    "backup.running": "finalizing failed queued cancelled",
    "backup.finalizing": "completed failed queued",
    "backup.failed": "queued failed dismissed",
}
_EXPIRY = {
    "backup.completed": "expiring",
    "retention.expiring": "refused deleted",
    "retention.refused": "expiring",
}
_RESTORE_STEPS = "token_issued triggered claimed downloading verifying manifest_verified restoring finalizing completed".split()


def _followers():
    table = {kind: {f"backup.{name}" for name in names.split()} for kind, names in _BACKUP.items()}
    table |= {kind: {f"retention.{name}" for name in names.split()} for kind, names in _EXPIRY.items()}
    restores = {None: {"restore.token_issued"}}
    for step, following in zip(_RESTORE_STEPS, _RESTORE_STEPS[1:]):
        ends = ("timed_out",) if step == "token_issued" else ("timed_out", "failed", "cancelled")
        restores[f"restore.{step}"] = {f"restore.{name}" for name in (following, *ends)}
    return {"bkp": table, "rst": restores}


_FOLLOWERS = _followers()


def is_hash(value):
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_stream(value):
    return isinstance(value, str) and _STREAM.fullmatch(value) is not None


def require_shape(events, name):
    """An array of events, each with the members of an event and no others."""
    require(isinstance(events, list), "malformed_json", f"{name} is no array")
    for event in events:
        holds = isinstance(event, dict) and set(event) == MEMBERS
        holds = holds and isinstance(event["seq"], int) and not isinstance(event["seq"], bool) and event["seq"] >= 1
        holds = holds and all(isinstance(event[member], str) for member in ("at", "jobId", "kind"))
        holds = holds and isinstance(event["payload"], dict) and is_hash(event["prevHash"]) and is_hash(event["hash"])
        require(holds, "malformed_json", f"{name} holds something that is no event")


def require_hash(event):
    content = {member: event[member] for member in ("at", "jobId", "kind", "payload")}
    hashed = sha256(event["prevHash"].encode() + canonical(content)).hexdigest()
    require(hashed == event["hash"], "event_altered", f"event {event['seq']} of {event['jobId']} is not what its hash says")


def verify(events, stream):
    """A whole chain of one stream, from its first event."""
    previous = FIRST_PREV_HASH
    for expected, event in enumerate(events, start=1):
        require(event["seq"] == expected, "chain_gap", f"{stream}: event {expected} is missing or out of order")
        require(event["jobId"] == stream, "event_of_another_chain", f"{stream}: event {expected} belongs to {event['jobId']}")
        require(event["prevHash"] == previous, "chain_link_broken", f"{stream}: event {expected} does not follow from the one before")
        require_hash(event)
        previous = event["hash"]
    _require_possible(events, stream)


def _require_possible(events, stream):
    followers = _FOLLOWERS.get(stream[:3])
    if followers is None:
        return
    before = None
    for event in events:
        kind = event["kind"]
        if kind == "restore.token_rejected" and stream.startswith("rst_") and before is not None:
            continue
        possible = kind in followers.get(before, ())
        require(possible, "chain_impossible", f"{stream}: {kind} cannot follow {before or 'nothing'}")
        before = kind
    require(before is not None, "chain_truncated", f"{stream}: the chain has no events")


def of_kind(events, kind):
    return [event for event in events if event["kind"] == kind]
