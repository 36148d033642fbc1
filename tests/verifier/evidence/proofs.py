"""Whether events stand in the log that a checkpoint closes, and whether that log continues the one that is remembered."""

from . import merkle
from .chains import is_hash
from .strict_json import canonical
from .verdict import require

SCHEMA = "walwarden.proof.v1"


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _path(value):
    """The hashes of a path, or None when one of them is no hash in lowercase hex."""
    return [bytes.fromhex(node) for node in value] if all(is_hash(node) for node in value) else None


def leaf_bytes(stream, event):
    return canonical({"hash": event["hash"], "seq": event["seq"], "stream": stream})


def _is_form(value, members):
    """Whether all members are there; whether there are more is another question."""
    return isinstance(value, dict) and members <= set(value)


def _is_texts(value):
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def require_shape(proof):
    schema = proof.get("schema") if isinstance(proof, dict) else None
    require(schema == SCHEMA, "unknown_schema", f"a proof of schema {schema!r}")
    whole, included, continued = {"consistency", "inclusion", "origin", "schema", "size"}, {"leaf", "path", "seq", "stream"}, {"from", "path"}
    holds = _is_form(proof, whole) and isinstance(proof["origin"], str) and _is_count(proof["size"])
    holds = holds and isinstance(proof["inclusion"], list) and isinstance(proof["consistency"], list)
    holds = holds and all(
        _is_form(entry, included) and _is_count(entry["leaf"]) and _is_count(entry["seq"])
        and isinstance(entry["stream"], str) and _is_texts(entry["path"])
        for entry in proof["inclusion"]
    )  # fmt: skip
    holds = holds and all(
        _is_form(entry, continued) and _is_count(entry["from"]) and _is_texts(entry["path"]) for entry in proof["consistency"]
    )
    require(holds, "unknown_schema", "proof.json has another form")
    exact = set(proof) == whole and all(set(entry) == included for entry in proof["inclusion"])
    exact = exact and all(set(entry) == continued for entry in proof["consistency"])
    require(exact, "json_not_canonical", "proof.json says more than a proof does")


class Leaves:
    """The leaf of each event that a bundle holds."""

    def __init__(self, proof, checkpoint, events):
        """`events`: (stream, event) of everything that has to be in the log, in the order of the files."""
        holds = proof["origin"] == checkpoint.origin and proof["size"] == checkpoint.size
        require(holds, "inclusion_invalid", "the proofs are about another log than the checkpoint")
        self._leaf, newest, entries = {}, {}, iter(proof["inclusion"])
        for stream, event in events:
            seq, entry = event["seq"], next(entries, None)
            holds = entry is not None and (entry["stream"], entry["seq"]) == (stream, seq)
            require(holds, "proof_missing", f"there is no proof that event {seq} of {stream} is in the log")
            place, path = entry["leaf"], _path(entry["path"])
            hashed = merkle.leaf_hash(leaf_bytes(stream, event))
            holds = path is not None and merkle.verify_inclusion(hashed, place, checkpoint.size, path, checkpoint.root)
            holds = holds and place > newest.get(stream, -1)
            require(holds, "inclusion_invalid", f"event {seq} of {stream} is not leaf {place} of the log")
            self._leaf[(stream, seq)] = newest[stream] = place
        require(next(entries, None) is None, "proof_missing", "there are proofs of events that are not here")

    def all_before(self, size):
        """Whether a log of this size held every event that is here."""
        return all(place < size for place in self._leaf.values())

    def of(self, stream, event):
        return self._leaf[(stream, event["seq"])]


def claimed_leaves(proof):
    """What the proof says of each event, before any of it is verified. Where it says two things, the first."""
    return {(entry["stream"], entry["seq"]): entry["leaf"] for entry in reversed(proof["inclusion"])}


def continues(proof, checkpoint, remembered, leaves):
    """Holds the bundle's log against a checkpoint from elsewhere; false where that one does not vouch for all that is here: what
    was logged after it, anybody may have appended who holds the key now."""
    require(remembered.size <= checkpoint.size, "rolled_back", "the bundle is older than the remembered checkpoint")
    if remembered.size == checkpoint.size:
        require(remembered.root == checkpoint.root, "forked", "two logs of the same size")
    if remembered.size == 0:
        return False
    if remembered.size < checkpoint.size:
        paths = [entry["path"] for entry in proof["consistency"] if entry["from"] == remembered.size]
        require(paths, "consistency_missing", f"the bundle proves nothing about the log of {remembered.size} leaves")
        path = _path(paths[0])
        holds = path is not None
        holds = holds and merkle.verify_consistency(remembered.size, checkpoint.size, path, remembered.root, checkpoint.root)
        require(holds, "consistency_invalid", "the log does not begin with the one that is remembered")
    return leaves.all_before(remembered.size)
