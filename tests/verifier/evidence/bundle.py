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


def key_ring(given, events, org_id, proof):
    """The keys to trust by the organization's statements, whose leaves are those that the proof claims."""
    statements, leaves = [], proofs.claimed_leaves(proof)
    for event in events:
        require(event["kind"] in KEY_KINDS, "unexpected_file", f"{event['kind']} is no statement about keys")
        require(event["jobId"] == org_id, "event_of_another_chain", f"a statement about keys of {event['jobId']}")
        chains.require_hash(event)
        place = leaves.get((org_id, event["seq"]))
        require(place is not None, "proof_missing", f"no proof that event {event['seq']} of {org_id} is in the log")
        statements.append((event["kind"], event["payload"], place))
    return KeyRing(given, statements)


def verify_backup(claimed, events, restores):
    """The chains of one backup: its own, with its completion, and those of its restores."""
    backup, manifest_hash = claimed["backupJobId"], claimed["manifestHash"]
    chains.verify(events, backup)
    completed = recoverability.completion(events, manifest_hash)
    shown = [(backup, events)]
    for restore in restores:
        stream = restore[0]["jobId"] if restore else None
        holds = recoverability.belongs(restore, backup, manifest_hash) and stream.startswith("rst_")
        require(holds, "event_of_another_chain", f"{stream} is no restore of {backup}")
        chains.verify(restore, stream)
        require(stream not in dict(shown), "chain_impossible", f"{stream} is shown twice")
        shown.append((stream, restore))
    return completed, shown


def verify(files, index, given, remembered, artifact):
    """`artifact`: (size, SHA-256) of the file to hold against the manifest, or None.

    The checks stand in the order in which the first that fails is named.
    """
    archive.require_names(files, FILES, [ARTIFACT])
    content = dict(files)
    documents = {name: strict_json.parse(content[name], name) for name in FILES if name not in ("checkpoint.txt", "bundle.json")}
    events, restores, statements = (documents[name] for name in FILES[1:4])
    chains.require_shape(events, FILES[1])
    require(isinstance(restores, list), "unknown_schema", f"{FILES[2]} is no array")
    for restore in restores:
        chains.require_shape(restore, FILES[2])
    chains.require_shape(statements, FILES[3])
    proof = documents["proof.json"]
    proofs.require_shape(proof)
    checkpoint = Checkpoint(content["checkpoint.txt"])
    manifest = Manifest(content["manifest.json"], "manifest.json")

    org_id, backup = index["orgId"], index["backupJobId"]
    ring = key_ring(given, statements, org_id, proof)
    index.require_named_key(ring)
    manifest.require_signed(ring)
    manifest.require_of(org_id, index["databaseId"], backup)
    require(manifest.hash == index["manifestHash"], "manifest_hash_mismatch", "the index is of another manifest")
    completed, shown = verify_backup(index, events, restores)

    index.require_organization(checkpoint)
    checkpoint.require_signed_now(ring)
    index.require_checkpoint(checkpoint)
    in_log = [(stream, event) for stream, chain in shown for event in chain] + [(org_id, event) for event in statements]
    leaves = proofs.Leaves(proof, checkpoint, in_log)
    ring.require_not_revoked(manifest.document["keyId"], leaves.of(backup, completed), "the manifest")

    index.require_signed(ring)
    index.require_files(files, ARTIFACT if ARTIFACT in content else None)
    index.require_streams(shown)
    state = recoverability.require_claim(index["recoverability"], completed, restores, backup, manifest.hash)
    if ARTIFACT in content:
        listed = index.described(ARTIFACT)
        manifest.require_artifact(listed["sizeBytes"], listed["sha256"])
        manifest.require_artifact(len(content[ARTIFACT]), sha256(content[ARTIFACT]).hexdigest())
    anchored = anchor(proof, checkpoint, remembered, ring, leaves)
    if artifact is not None:
        manifest.require_artifact(*artifact)
    return {"manifests": 1, "events": len(in_log), "state": state, "anchored": anchored}


def anchor(proof, checkpoint, remembered, ring, leaves):
    if remembered is None:
        return False
    holds = remembered.origin == checkpoint.origin
    require(holds, "checkpoint_of_another_organization", "the remembered checkpoint is of another log")
    remembered.require_signed_once(ring)
    return proofs.continues(proof, checkpoint, remembered, leaves)
