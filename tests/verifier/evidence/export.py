"""The evidence of a period, of one database or of a whole organization."""

from hashlib import sha256

from . import archive, chains, merkle, proofs, recoverability, strict_json
from .bundle import KEY_KINDS, anchor, key_ring, verify_backup
from .manifest import Manifest
from .note import Checkpoint
from .verdict import Refused, require

LEAVES = "leaves.jsonl"
ORGANIZATION = "organization_events.json"
_CLAIM = {"backupJobId", "databaseId", "manifestHash", "recoverability"}


def _events(content, name):
    events = strict_json.parse(content[name], name)
    chains.require_shape(events, name)
    return events


def _require_form(index):
    scope, backups = index["scope"], index["backups"]
    holds = isinstance(scope, dict) and {"databaseId", "from", "to"} <= set(scope) and isinstance(backups, list)
    holds = holds and all(isinstance(backup, dict) and _CLAIM <= set(backup) for backup in backups)
    holds = holds and all(isinstance(backup["backupJobId"], str) for backup in backups)
    require(holds, "unknown_schema", "the index has another form")


def _layout(names, index):
    """The restores of each backup, by the place of their files: they follow the backup's own."""
    rest, restores = list(names), []
    for backup in index["backups"]:
        for name in ("manifest.json", "audit_events.json"):
            expected = f"backups/{backup['backupJobId']}/{name}"
            require(rest[:1] == [expected], "missing_file", f"{expected} does not stand where the index names it")
            rest.pop(0)
        of_it = []
        while rest and rest[0].startswith("restores/"):
            of_it.append(rest.pop(0))
        restores.append(of_it)
    tail = [ORGANIZATION, "checkpoint.txt", "proof.json", "bundle.json"]
    for name in tail:
        require(name in names, "missing_file", f"{name} is missing")
    require(rest in (tail, [*tail, LEAVES]), "unexpected_file", "files that the index's backups do not explain")
    return restores


def _require_leaves(data, checkpoint, shown):
    """All leaves of the log: they make its root, and of each stream that is shown they name every event."""
    hashes, found = [], {stream: [] for stream, _ in shown}
    lines = data.split(b"\n")
    whole = lines.pop() == b""
    for line in lines:
        try:
            leaf = strict_json.parse(line, LEAVES)
        except Refused as refused:
            raise Refused("leaves_incomplete", str(refused)) from refused
        holds = isinstance(leaf, dict) and set(leaf) == {"hash", "seq", "stream"} and isinstance(leaf["stream"], str)
        require(holds, "leaves_incomplete", f"{LEAVES} holds something that is no leaf")
        hashes.append(merkle.leaf_hash(line))
        if leaf["stream"] in found:
            found[leaf["stream"]].append((leaf["seq"], leaf["hash"]))
    holds = whole and len(hashes) == checkpoint.size and merkle.root(hashes) == checkpoint.root
    require(holds, "leaves_incomplete", f"{LEAVES} does not make the root of the checkpoint")
    for stream, events in shown:
        there = [(event["seq"], event["hash"]) for event in events]
        require(found[stream] == there, "leaves_incomplete", f"events of {stream} are left out")


def verify(files, index, given, remembered, artifact):
    """The checks stand in the order in which the first that fails is named."""
    content = dict(files)
    names = [name for name, _ in files]
    archive.require_names(files, names)
    _require_form(index)
    restore_names = _layout(names, index)
    scope, org_id = index["scope"], index["orgId"]
    manifests, parts = [], []
    for backup, of_it in zip(index["backups"], restore_names):
        folder = f"backups/{backup['backupJobId']}"
        manifests.append(Manifest(content[f"{folder}/manifest.json"], f"{folder}/manifest.json"))
        restores = [_events(content, name) for name in of_it]
        for name, restore in zip(of_it, restores):
            own = bool(restore) and name == f"restores/{restore[0]['jobId']}.json"
            require(own, "event_of_another_chain", f"{name} holds the chain of something else")
        parts.append((_events(content, f"{folder}/audit_events.json"), restores))
    organization = _events(content, ORGANIZATION)
    proof = strict_json.parse(content["proof.json"], "proof.json")
    proofs.require_shape(proof)
    checkpoint = Checkpoint(content["checkpoint.txt"])

    statements = [event for event in organization if event["kind"] in KEY_KINDS]
    ring = key_ring(given, statements, org_id, proof)
    index.require_named_key(ring)
    for backup, manifest in zip(index["backups"], manifests):
        manifest.require_signed(ring)
        manifest.require_of(org_id, backup["databaseId"], backup["backupJobId"])
        of_scope = scope["databaseId"] in (None, backup["databaseId"])
        require(of_scope, "manifest_of_another_backup", f"{backup['backupJobId']} is of another database")
        require(manifest.hash == backup["manifestHash"], "manifest_hash_mismatch", "the index is of another manifest")
    shown, completions = [], []
    for backup, (events, restores) in zip(index["backups"], parts):
        completed, of_it = verify_backup(backup, events, restores)
        within = scope["from"] <= completed["at"] < scope["to"]
        require(within, "manifest_of_another_backup", f"{backup['backupJobId']} was not completed in the period")
        for stream, chain in of_it:
            require(stream not in dict(shown), "chain_impossible", f"{stream} is shown twice")
            shown.append((stream, chain))
        completions.append(completed)
    chains.verify(organization, org_id)
    shown.append((org_id, organization))

    index.require_organization(checkpoint)
    checkpoint.require_signed_now(ring)
    index.require_checkpoint(checkpoint)
    leaves = proofs.Leaves(proof, checkpoint, [(stream, event) for stream, events in shown for event in events])
    for backup, manifest, completed in zip(index["backups"], manifests, completions):
        ring.require_not_revoked(manifest.document["keyId"], leaves.of(backup["backupJobId"], completed), "the manifest")
    index.require_signed(ring)
    index.require_files(files, LEAVES if LEAVES in content else None)
    index.require_streams(shown)
    for backup, manifest, completed, (_, restores) in zip(index["backups"], manifests, completions, parts):
        recoverability.require_claim(backup["recoverability"], completed, restores, backup["backupJobId"], manifest.hash)
    if LEAVES in content:
        listed = index.described(LEAVES)
        holds = listed["sizeBytes"] == len(content[LEAVES]) and listed["sha256"] == sha256(content[LEAVES]).hexdigest()
        require(holds, "file_altered", f"{LEAVES} is not the file that the index describes")
        _require_leaves(content[LEAVES], checkpoint, shown)
    else:
        require(scope["databaseId"] is not None, "missing_file", f"the export of an organization has {LEAVES}")
    anchored = anchor(proof, checkpoint, remembered, ring, leaves)
    if artifact is not None:
        of_any = any(
            (manifest.document["artifact"]["sizeBytes"], manifest.document["artifact"]["checksumSha256"]) == artifact
            for manifest in manifests
        )
        require(of_any, "artifact_altered", "the artifact is none of those that the manifests describe")
    counted = sum(len(events) for _, events in shown)
    return {"manifests": len(manifests), "events": counted, "state": None, "anchored": anchored}
