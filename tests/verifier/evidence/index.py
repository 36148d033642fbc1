"""The signed index of an archive: what the files are, which chains there are, and as of which checkpoint."""

from hashlib import sha256

from . import keys, strict_json
from .verdict import Refused, require

BUNDLE = "walwarden.bundle.v1"
EXPORT = "walwarden.export.v1"
NAME = "bundle.json"
_COMMON = {"checkpoint", "files", "keyId", "orgId", "schema", "streams"}
_MEMBERS = {
    BUNDLE: _COMMON | {"backupJobId", "databaseId", "manifestHash", "recoverability"},
    EXPORT: _COMMON | {"backups", "scope"},
}


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _has(value, members):
    """A document of a later version may say more."""
    return isinstance(value, dict) and members <= set(value)


class Index:
    def __init__(self, data):
        document = strict_json.parse(data, NAME)
        self.schema = document.get("schema") if isinstance(document, dict) else None
        require(self.schema in (BUNDLE, EXPORT), "unknown_schema", f"an index of schema {self.schema!r}")
        holds = _has(document, _MEMBERS[self.schema])
        holds = holds and all(isinstance(document[member], str) for member in ("keyId", "orgId"))
        checkpoint = document.get("checkpoint")
        holds = holds and _has(checkpoint, {"rootHash", "size"}) and isinstance(checkpoint["rootHash"], str) and _is_count(checkpoint["size"])
        holds = holds and isinstance(document["files"], list) and isinstance(document["streams"], list)
        holds = holds and all(
            _has(file, {"name", "sha256", "sizeBytes"}) and isinstance(file["name"], str) and _is_count(file["sizeBytes"])
            for file in document["files"]
        )
        holds = holds and all(_has(stream, {"events", "head", "streamId"}) for stream in document["streams"])
        require(holds, "unknown_schema", f"{NAME} has another form")
        self.document = document

    def __getitem__(self, member):
        return self.document[member]

    def require_files(self, files, streamed):
        """Every file before the index has to be the one that was signed, in the order in which they stand; `streamed`, the file
        behind it, has to be listed last."""
        listed = list(self["files"])
        before = [(name, content) for name, content in files if name not in (NAME, streamed)]
        for place, (name, content) in enumerate(before):
            described = {"name": name, "sha256": sha256(content).hexdigest(), "sizeBytes": len(content)}
            holds = place < len(listed) and {key: listed[place][key] for key in described} == described
            require(holds, "file_altered", f"{name} is not the file that the index describes")
        behind = [file["name"] for file in listed[len(before) :]]
        require(streamed is not None or not behind, "missing_file", f"{behind} is listed and not there")
        require(behind == [streamed] or streamed is None, "unexpected_file", f"{streamed} is there and not listed")

    def described(self, name):
        return next(file for file in self["files"] if file["name"] == name)

    def require_named_key(self, ring):
        """Only the newest key may sign what is signed now."""
        named = self["keyId"]
        if named == ring.newest:
            return
        require(named not in ring.revoked, "key_revoked", f"the index is signed by {named}, which was revoked")
        ring.raw(named)
        raise Refused("key_superseded", f"the index is signed by {named}, and {ring.newest} took over from it")

    def require_signed(self, ring):
        raw = ring.raw(self["keyId"])
        holds = keys.verifies_text(raw, keys.without(self.document, "signature"), self.document.get("signature"))
        require(holds, "index_signature_invalid", f"{self['keyId']} did not sign this index")

    def require_organization(self, checkpoint):
        holds = checkpoint.origin == f"walwarden.audit/{self['orgId']}"
        require(holds, "checkpoint_of_another_organization", checkpoint.origin)

    def require_checkpoint(self, checkpoint):
        holds = checkpoint.size == self["checkpoint"]["size"] and checkpoint.root.hex() == self["checkpoint"]["rootHash"]
        require(holds, "checkpoint_root_mismatch", "the index is as of another checkpoint")

    def require_streams(self, chains):
        """`chains`: (stream, events) as they are there. Whoever cuts a tail does not reach the signed head."""
        listed = [(stream["streamId"], stream["events"], stream["head"]) for stream in self["streams"]]
        present = [(stream, len(events), events[-1]["hash"]) for stream, events in chains]
        require(listed == present, "chain_truncated", "the chains are not the ones that the index describes")
