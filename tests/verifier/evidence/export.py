"""The evidence of a period, of one database or of a whole organization."""

import re

from . import archive, chains, merkle, proofs, recoverability, strict_json
from .bundle import KEY_KINDS, key_ring, require_known_stream
from .manifest import Manifest
from .note import Checkpoint
from .verdict import require

LEAVES = "leaves.jsonl"
_BACKUP = re.compile(r"backups/(bkp_[0-9a-f]{32})/manifest\.json")
_RESTORE = re.compile(r"restores/(rst_[0-9a-f]{32})\.json")


def _layout(files, index):
    """The files that there have to be, in order, and the restores among them."""
    expected = []
    for backup in index["backups"]:
        holds = isinstance(backup, dict) and set(backup) == {"backupJobId", "databaseId", "manifestHash", "recoverability"}
        require(holds and isinstance(backup["backupJobId"], str), "malformed_json", "a backup of the index")
        expected += [f"backups/{backup['backupJobId']}/manifest.json", f"backups/{backup['backupJobId']}/audit_events.json"]
    restores = [name for name, _ in files if _RESTORE.fullmatch(name)]
    expected += restores + ["organization_events.json", "checkpoint.txt", "proof.json", "bundle.json"]
    scope = index["scope"]
    require(isinstance(scope, dict) and set(scope) == {"databaseId", "from", "to"}, "malformed_json", "the scope of the index")
    if scope["databaseId"] is None:
        expected.append(LEAVES)
    return expected, restores


def _read_chain(data, name, prefix):
    events = strict_json.parse(data, name)
    chains.require_shape(events, name)
    return require_known_stream(events, prefix, name), events


def _require_leaves(data, checkpoint, shown):
    """All leaves of the log: they make its root, and of each stream that is shown they name every event."""
    lines = data.split(b"\n")
    require(lines.pop() == b"", "json_not_canonical", f"{LEAVES} does not end in a line feed")
    hashes, found = [], {stream: [] for stream, _ in shown}
    for line in lines:
        leaf = strict_json.parse(line, LEAVES)
        holds = isinstance(leaf, dict) and set(leaf) == {"hash", "seq", "stream"} and chains.is_hash(leaf["hash"])
        require(holds and chains.is_stream(leaf["stream"]), "malformed_json", f"{LEAVES} holds something that is no leaf")
        hashes.append(merkle.leaf_hash(line))
        if leaf["stream"] in found:
            found[leaf["stream"]].append((leaf["seq"], leaf["hash"]))
    holds = len(hashes) == checkpoint.size and merkle.root(hashes) == checkpoint.root
    require(holds, "leaves_incomplete", f"{LEAVES} does not make the root of the checkpoint")
    for stream, events in shown:
        there = [(event["seq"], event["hash"]) for event in events]
        require(found[stream] == there, "leaves_incomplete", f"events of {stream} are left out")


def verify(files, index, given, remembered):
    expected, restore_names = _layout(files, index)
    archive.require_names(files, expected)
    content = dict(files)
    manifests, shown, restores = [], [], []
    for backup in index["backups"]:
        folder = f"backups/{backup['backupJobId']}"
        manifests.append(Manifest(content[f"{folder}/manifest.json"], f"{folder}/manifest.json"))
        name = f"{folder}/audit_events.json"
        events = strict_json.parse(content[name], name)
        chains.require_shape(events, name)
        shown.append((backup["backupJobId"], events))
    for name in restore_names:
        stream, events = _read_chain(content[name], name, "rst_")
        require(name == f"restores/{stream}.json", "event_of_another_chain", f"{name} holds the chain of {stream}")
        restores.append(events)
        shown.append((stream, events))
    org_id = index["orgId"]
    organization = strict_json.parse(content["organization_events.json"], "organization_events.json")
    chains.require_shape(organization, "organization_events.json")
    shown.append((org_id, organization))
    proof = strict_json.parse(content["proof.json"], "proof.json")
    proofs.require_shape(proof)
    checkpoint = Checkpoint(content["checkpoint.txt"])

    index.require_files([file for file in files])
    statements = [event for event in organization if event["kind"] in KEY_KINDS]
    ring = key_ring(given, statements, org_id, proofs.claimed_leaves(proof))
    index.require_signed(ring)
    for backup, manifest in zip(index["backups"], manifests):
        manifest.require_signed(ring)
        require(manifest.hash == backup["manifestHash"], "manifest_hash_mismatch", "the index is of another manifest")
        manifest.require_of(org_id, backup["databaseId"], backup["backupJobId"])
    for stream, events in shown:
        chains.verify(events, stream)
    index.require_streams(shown)
    checkpoint.require_signed(ring, "the checkpoint")
    index.require_checkpoint(checkpoint)
    leaves = proofs.Leaves(proof, checkpoint, [(stream, event) for stream, events in shown for event in events])
    for backup, manifest, (stream, events) in zip(index["backups"], manifests, shown):
        completed = recoverability.completion(events, manifest.hash)
        ring.require_not_revoked(manifest.document["keyId"], leaves.of(stream, completed), "the manifest")
        of_it = [restore for restore in restores if recoverability.belongs(restore, stream, manifest.hash)]
        recoverability.require_claim(backup["recoverability"], completed, of_it, stream, manifest.hash)
    if LEAVES in content:
        _require_leaves(content[LEAVES], checkpoint, shown)
    if remembered is not None:
        remembered.require_signed(ring, "the remembered checkpoint")
        proofs.require_continues(proof, checkpoint, remembered)
    return {"manifests": len(manifests), "events": sum(len(events) for _, events in shown), "state": None}
