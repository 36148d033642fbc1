"""Whether events stand in the log that a checkpoint closes, and whether that log continues the one that is remembered."""

from . import merkle
from .chains import is_hash, is_stream
from .strict_json import canonical
from .verdict import require

SCHEMA = "walwarden.proof.v1"


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _path(value):
    return [bytes.fromhex(node) for node in value]


def _is_path(value):
    return isinstance(value, list) and all(is_hash(node) for node in value)


def leaf_bytes(stream, event):
    return canonical({"hash": event["hash"], "seq": event["seq"], "stream": stream})


def require_shape(proof):
    require(isinstance(proof, dict), "malformed_json", "proof.json is no object")
    require(proof.get("schema") == SCHEMA, "unknown_schema", f"a proof of schema {proof.get('schema')!r}")
    holds = set(proof) == {"consistency", "inclusion", "origin", "schema", "size"}
    holds = holds and isinstance(proof["origin"], str) and _is_count(proof["size"])
    holds = holds and isinstance(proof["inclusion"], list) and isinstance(proof["consistency"], list)
    require(holds, "malformed_json", "proof.json has other members")
    for entry in proof["inclusion"]:
        holds = isinstance(entry, dict) and set(entry) == {"leaf", "path", "seq", "stream"}
        holds = holds and _is_count(entry["leaf"]) and _is_count(entry["seq"]) and is_stream(entry["stream"])
        require(holds and _is_path(entry["path"]), "malformed_json", "proof.json holds something that is no inclusion proof")
    for entry in proof["consistency"]:
        holds = isinstance(entry, dict) and set(entry) == {"from", "path"} and _is_count(entry["from"])
        require(holds and _is_path(entry["path"]), "malformed_json", "proof.json holds something that is no consistency proof")


class Leaves:
    """The leaf of each event that a bundle holds."""

    def __init__(self, proof, checkpoint, events):
        """`events`: (stream, event) of everything that has to be in the log, in the order of the files."""
        require(proof["origin"] == checkpoint.origin, "checkpoint_of_another_organization", "the proof is of another log")
        require(proof["size"] == checkpoint.size, "inclusion_invalid", "the proof is not as of the checkpoint")
        claimed = [(entry["stream"], entry["seq"]) for entry in proof["inclusion"]]
        needed = [(stream, event["seq"]) for stream, event in events]
        require(claimed == needed, "proof_missing", "the proof is not of the events that are here")
        self._leaf, newest = {}, {}
        for entry, (stream, event) in zip(proof["inclusion"], events):
            place, leaf = entry["leaf"], (stream, event["seq"])
            hashed = merkle.leaf_hash(leaf_bytes(stream, event))
            holds = merkle.verify_inclusion(hashed, place, checkpoint.size, _path(entry["path"]), checkpoint.root)
            require(holds, "inclusion_invalid", f"event {event['seq']} of {stream} is not leaf {place} of the log")
            self._leaf[leaf] = place
        for (stream, seq), place in sorted(self._leaf.items()):
            require(place > newest.get(stream, -1), "inclusion_invalid", f"the leaves of {stream} stand in another order")
            newest[stream] = place

    def of(self, stream, event):
        return self._leaf[(stream, event["seq"])]


def claimed_leaves(proof):
    """What the proof says of each event, before any of it is verified."""
    return {(entry["stream"], entry["seq"]): entry["leaf"] for entry in proof["inclusion"]}


def require_continues(proof, checkpoint, remembered):
    """Holds the bundle's log against a checkpoint from elsewhere."""
    require(remembered.origin == checkpoint.origin, "checkpoint_of_another_organization", "the remembered checkpoint is of another log")
    require(remembered.size <= checkpoint.size, "rolled_back", "the bundle is older than the remembered checkpoint")
    if remembered.size == checkpoint.size:
        require(remembered.root == checkpoint.root, "forked", "two logs of the same size")
        return
    if remembered.size == 0:
        return
    paths = [entry["path"] for entry in proof["consistency"] if entry["from"] == remembered.size]
    require(paths, "consistency_missing", f"the bundle does not prove that it continues the log of {remembered.size} leaves")
    reached = merkle.consistency_roots(remembered.size, checkpoint.size, _path(paths[0]), remembered.root)
    # A proof that leads to the new root, but from another old one, is of a log that parted from the remembered one.
    require(reached is not None and reached[1] == checkpoint.root, "consistency_invalid", "the consistency proof does not hold")
    require(reached[0] == remembered.root, "forked", "the log is not the one that is remembered")
