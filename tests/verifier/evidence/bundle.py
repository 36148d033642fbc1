"""The evidence of one backup."""

from hashlib import sha256

from . import archive, chains, proofs, recoverability, strict_json
from .keys import KeyRing
from .manifest import Manifest
from .note import Checkpoint
from .verdict import require

FILES = ["manifest.json", "audit_events.json", "restore_events.json", "key_events.json", "checkpoint.txt", "proof.json", "bundle.json"]
ARTIFACT = "artifact.dump"
KEY_KINDS = ("signing_key.rotated", "signing_key.revoked")


def key_ring(given, events, org_id, leaves):
    """The keys to trust by the organization's statements, whose leaves are those that the proof claims."""
    statements, before = [], 0
    for event in events:
        require(event["jobId"] == org_id, "event_of_another_chain", f"a statement about keys of {event['jobId']}")
        require(event["kind"] in KEY_KINDS, "chain_impossible", f"{event['kind']} is no statement about keys")
        require(event["seq"] > before, "chain_gap", "the statements about keys stand in another order")
        before = event["seq"]
        chains.require_hash(event)
        place = leaves.get((org_id, event["seq"]))
        require(place is not None, "proof_missing", f"no proof that event {event['seq']} of {org_id} is in the log")
        statements.append((event["kind"], event["payload"], place))
    return KeyRing(given, statements)


def require_known_stream(events, prefix, name):
    require(events and chains.is_stream(events[0]["jobId"]), "malformed_json", f"{name} holds an empty chain, or one of no job")
    stream = events[0]["jobId"]
    require(stream.startswith(prefix), "event_of_another_chain", f"{name} holds the chain of {stream}")
    return stream


def verify(files, index, given, remembered, artifact):
    """`artifact`: (size, SHA-256) of the file to hold against the manifest, or None."""
    archive.require_names(files, FILES, [ARTIFACT])
    content = dict(files)
    events = strict_json.parse(content["audit_events.json"], "audit_events.json")
    restores = strict_json.parse(content["restore_events.json"], "restore_events.json")
    statements = strict_json.parse(content["key_events.json"], "key_events.json")
    proof = strict_json.parse(content["proof.json"], "proof.json")
    manifest = Manifest(content["manifest.json"], "manifest.json")
    checkpoint = Checkpoint(content["checkpoint.txt"])
    chains.require_shape(events, "audit_events.json")
    require(isinstance(restores, list), "malformed_json", "restore_events.json is no array")
    for restore in restores:
        chains.require_shape(restore, "restore_events.json")
    chains.require_shape(statements, "key_events.json")
    proofs.require_shape(proof)

    index.require_files(files)
    org_id, backup = index["orgId"], index["backupJobId"]
    ring = key_ring(given, statements, org_id, proofs.claimed_leaves(proof))
    index.require_signed(ring)
    manifest.require_signed(ring)
    require(manifest.hash == index["manifestHash"], "manifest_hash_mismatch", "the index is of another manifest")
    manifest.require_of(org_id, index["databaseId"], backup)

    chains.verify(events, backup)
    shown = [(backup, events)]
    for restore in restores:
        stream = require_known_stream(restore, "rst_", "restore_events.json")
        chains.verify(restore, stream)
        holds = recoverability.belongs(restore, backup, manifest.hash)
        require(holds, "event_of_another_chain", f"{stream} is not a restore of this backup")
        shown.append((stream, restore))
    index.require_streams(shown)
    completed = recoverability.completion(events, manifest.hash)

    checkpoint.require_signed(ring, "the checkpoint")
    index.require_checkpoint(checkpoint)
    in_log = [(stream, event) for stream, chain in shown for event in chain] + [(org_id, event) for event in statements]
    leaves = proofs.Leaves(proof, checkpoint, in_log)
    ring.require_not_revoked(manifest.document["keyId"], leaves.of(backup, completed), "the manifest")
    state = recoverability.require_claim(index["recoverability"], completed, restores, backup, manifest.hash)
    if ARTIFACT in content:
        manifest.require_artifact(len(content[ARTIFACT]), sha256(content[ARTIFACT]).hexdigest())
    if artifact is not None:
        manifest.require_artifact(*artifact)
    if remembered is not None:
        remembered.require_signed(ring, "the remembered checkpoint")
        proofs.require_continues(proof, checkpoint, remembered)
    return {"manifests": 1, "events": sum(len(chain) for _, chain in shown), "state": state}
