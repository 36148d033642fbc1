"""The signed index of an archive: what the files are, which chains there are, and as of which checkpoint."""

from hashlib import sha256

from . import keys, strict_json
from .chains import is_hash, is_stream
from .verdict import require

BUNDLE = "walwarden.bundle.v1"
EXPORT = "walwarden.export.v1"
NAME = "bundle.json"
_COMMON = {"checkpoint", "files", "keyId", "orgId", "schema", "signature", "streams"}
_MEMBERS = {
    BUNDLE: _COMMON | {"backupJobId", "databaseId", "manifestHash", "recoverability"},
    EXPORT: _COMMON | {"backups", "scope"},
}


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _has(value, members):
    return isinstance(value, dict) and set(value) == members


class Index:
    def __init__(self, data):
        document = strict_json.parse(data, NAME)
        require(isinstance(document, dict), "malformed_json", f"{NAME} is no object")
        self.schema = document.get("schema")
        require(self.schema in (BUNDLE, EXPORT), "unknown_schema", f"an index of schema {self.schema!r}")
        holds = set(document) == _MEMBERS[self.schema] and all(
            isinstance(document[member], str) for member in ("keyId", "orgId", "signature")
        )
        checkpoint = document.get("checkpoint")
        holds = holds and _has(checkpoint, {"rootHash", "size"}) and is_hash(checkpoint["rootHash"]) and _is_count(checkpoint["size"])
        holds = holds and isinstance(document["files"], list) and isinstance(document["streams"], list)
        require(holds, "malformed_json", f"{NAME} has other members")
        for file in document["files"]:
            holds = _has(file, {"name", "sha256", "sizeBytes"}) and isinstance(file["name"], str)
            require(holds and is_hash(file["sha256"]) and _is_count(file["sizeBytes"]), "malformed_json", "a file of the index")
        for stream in document["streams"]:
            holds = _has(stream, {"events", "head", "streamId"}) and _is_count(stream["events"])
            require(holds and is_hash(stream["head"]) and is_stream(stream["streamId"]), "malformed_json", "a stream of the index")
        self.document = document

    def __getitem__(self, member):
        return self.document[member]

    def require_files(self, files):
        """Every other file has to be the one that was signed, in the order in which they stand."""
        listed = [file["name"] for file in self["files"]]
        present = [name for name, _ in files if name != NAME]
        for name in listed:
            require(name in present, "missing_file", f"{name} is listed and not there")
        for name in present:
            require(name in listed, "unexpected_file", f"{name} is there and not listed")
        require(listed == present, "archive_not_canonical", "the index lists the files in another order")
        contents = dict(files)
        for file in self["files"]:
            content = contents[file["name"]]
            holds = len(content) == file["sizeBytes"] and sha256(content).hexdigest() == file["sha256"]
            require(holds, "file_altered", f"{file['name']} is not the file that the index describes")

    def require_signed(self, ring):
        raw = ring.raw(self["keyId"])
        holds = keys.verifies_text(raw, keys.without(self.document, "signature"), self["signature"])
        require(holds, "index_signature_invalid", f"{self['keyId']} did not sign this index")
        ring.require_not_revoked(self["keyId"], self["checkpoint"]["size"], "the index")

    def require_checkpoint(self, checkpoint):
        require(checkpoint.origin == f"walwarden.audit/{self['orgId']}", "checkpoint_of_another_organization", checkpoint.origin)
        holds = checkpoint.size == self["checkpoint"]["size"] and checkpoint.root.hex() == self["checkpoint"]["rootHash"]
        require(holds, "checkpoint_root_mismatch", "the index is as of another checkpoint")

    def require_streams(self, chains):
        """`chains`: (stream, events) as they are there. Whoever cuts a tail does not reach the signed head."""
        listed = [(stream["streamId"], stream["events"], stream["head"]) for stream in self["streams"]]
        present = [(stream, len(events), events[-1]["hash"]) for stream, events in chains]
        require(listed == present, "chain_truncated", "the chains are not the ones that the index describes")
