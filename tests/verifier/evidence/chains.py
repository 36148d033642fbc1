"""Chains of events: their shape, their hashes, and the orders in which things can have happened."""

import re
from datetime import datetime
from hashlib import sha256

from .strict_json import canonical
from .verdict import require

MEMBERS = {"at", "hash", "jobId", "kind", "payload", "prevHash", "seq"}
FIRST_PREV_HASH = "0" * 64
KINDS = frozenset(
    """
    backup.queued backup.claimed backup.running backup.finalizing backup.completed backup.failed backup.cancelled
    backup.dismissed retention.expiring retention.refused retention.deleted restore.token_issued restore.triggered
    restore.claimed restore.downloading restore.verifying restore.manifest_verified restore.restoring restore.finalizing
    restore.completed restore.failed restore.cancelled restore.timed_out restore.token_rejected organization.created
    api_key.issued api_key.revoked destination.created destination.updated destination.verified
    destination.preflight_failed destination.deleted database.created database.updated database.deleted
    schedule.run_skipped destination.uploads_aborted audit.anomaly_detected inventory.finding_detected secrets.resealed
    signing_key.rotated signing_key.revoked evidence.exported
    """.split()
)
_HASH = re.compile(r"[0-9a-f]{64}")
_STREAM = re.compile(r"(org|bkp|rst)_[0-9a-f]{32}")

_RESTORE = "triggered claimed downloading verifying manifest_verified restoring finalizing completed".split()
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def _backup_steps(kind, state):
    """The states of a backup after an event: none, when it cannot happen. A state says whether a closed dump is left."""
    at, closed = state
    move = {
        ("", "backup.queued"): "queued",
        ("queued", "backup.claimed"): "claimed",
        ("claimed", "backup.running"): "running",
        ("running", "backup.finalizing"): "finalizing",
        ("finalizing", "backup.completed"): "kept",
        ("failed", "backup.queued"): "queued",
        ("kept", "retention.expiring"): "expiring",
        ("kept", "retention.refused"): "kept",
        ("expiring", "retention.refused"): "refused",
        ("refused", "retention.refused"): "refused",
        ("refused", "retention.expiring"): "expiring",
        ("expiring", "retention.deleted"): "over",
        ("refused", "retention.deleted"): "over",
        ("failed", "backup.dismissed"): "over",
        ("lost", "backup.dismissed"): "over",
    }.get((at, kind))
    working = at in ("claimed", "running", "finalizing")
    if kind == "backup.finalizing" and at == "claimed" and closed:
        move = "finalizing"
    elif kind == "backup.queued" and working:
        move = "queued"
    elif kind == "backup.failed" and working:
        move = "failed"
    elif kind == "backup.failed" and at in ("queued", "failed"):
        move = "lost"
    elif kind == "backup.cancelled" and at in ("queued", "claimed", "running"):
        move = "over"
    closed = kind == "backup.finalizing" or (closed and kind != "backup.running")
    return None if move is None else (move, closed)


def _restore_steps(kind, state):
    if state == "":
        return 0 if kind == "restore.token_issued" else None
    if kind == "restore.token_rejected":
        return state
    if state == "over":
        return None
    if kind == f"restore.{_RESTORE[state]}":
        return "over" if kind == "restore.completed" else state + 1
    ends = {"restore.timed_out"} | ({"restore.failed", "restore.cancelled"} if state > 0 else set())
    return "over" if kind in ends else None


def _organization_steps(kind, state):
    foreign = kind.split(".")[0] in ("backup", "restore", "retention")
    return None if foreign or (state == "") != (kind == "organization.created") else "created"


_LIVES = {"bkp": (("", False), _backup_steps), "rst": ("", _restore_steps), "org": ("", _organization_steps)}


def is_hash(value):
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_stream(value):
    return isinstance(value, str) and _STREAM.fullmatch(value) is not None


def _is_time(text):
    """Whether it is a time, and written as times are written."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return _TIME.fullmatch(text) is not None


def require_shape(events, name):
    """An array of events, each with the members of an event and no others."""
    require(isinstance(events, list), "unknown_schema", f"{name} is no array")
    for event in events:
        holds = isinstance(event, dict) and MEMBERS <= set(event)
        holds = holds and isinstance(event["seq"], int) and not isinstance(event["seq"], bool) and event["seq"] >= 0
        holds = holds and all(isinstance(event[member], str) for member in ("at", "hash", "jobId", "kind", "prevHash"))
        holds = holds and event["kind"] in KINDS and _is_time(event["at"]) is not None
        require(holds, "unknown_schema", f"{name} holds something that is no event")
    for event in events:
        # No hash would cover what an event says beside that, and none tells one spelling of a time from another.
        require(set(event) == MEMBERS and _is_time(event["at"]), "json_not_canonical", f"{name} holds more than events")


def require_hash(event):
    content = {member: event[member] for member in ("at", "jobId", "kind", "payload")}
    hashed = sha256(event["prevHash"].encode() + canonical(content)).hexdigest()
    require(hashed == event["hash"], "event_altered", f"event {event['seq']} of {event['jobId']} is not what its hash says")


def verify(events, stream):
    """A whole chain of one stream, from its first event."""
    require(events, "chain_gap", f"{stream}: the chain has no events")
    for event in events:
        require(event["jobId"] == stream, "event_of_another_chain", f"{stream}: event {event['seq']} belongs to {event['jobId']}")
    previous = FIRST_PREV_HASH
    for expected, event in enumerate(events, start=1):
        require(event["seq"] == expected, "chain_gap", f"{stream}: event {expected} is missing or out of order")
        require(event["prevHash"] == previous, "chain_link_broken", f"{stream}: event {expected} does not follow from the one before")
        require_hash(event)
        previous = event["hash"]
    state, step = _LIVES[stream[:3]]
    for event in events:
        state = step(event["kind"], state)
        require(state is not None, "chain_impossible", f"{stream}: {event['kind']} cannot stand at {event['seq']}")


def of_kind(events, kind):
    return [event for event in events if event["kind"] == kind]
