"""The signed manifest of one backup."""

from hashlib import sha256

from . import keys, strict_json
from .verdict import Refused, require

SCHEMA = "walwarden.manifest.v1"


class Manifest:
    def __init__(self, data, name):
        self.document = strict_json.parse(data, name)
        require(isinstance(self.document, dict), "malformed_json", f"{name} is no object")
        self._signed = keys.without(self.document, "signature")
        self.hash = sha256(self._signed).hexdigest()

    def require_signed(self, ring):
        signature, identity = self.document.get("signature"), self.document.get("keyId")
        require(isinstance(signature, str), "manifest_unsigned", "the manifest has no signature")
        holds = keys.verifies_text(ring.raw(identity), self._signed, signature)
        require(holds, "manifest_signature_invalid", f"{identity} did not sign the manifest")
        require(self.document.get("schema") == SCHEMA, "unknown_schema", f"a manifest of schema {self.document.get('schema')!r}")

    def require_of(self, org_id, database_id, backup_job_id):
        claimed = [self.document.get(member) for member in ("orgId", "databaseId", "backupJobId")]
        require(claimed == [org_id, database_id, backup_job_id], "manifest_of_another_backup", f"the manifest is of {claimed[2]}")

    def require_artifact(self, size, checksum):
        artifact = self.document.get("artifact")
        holds = isinstance(artifact, dict) and artifact.get("sizeBytes") == size and artifact.get("checksumSha256") == checksum
        if not holds:
            raise Refused("artifact_altered", "the artifact is not the one that the manifest describes")
