"""The signed manifest of one backup."""

from hashlib import sha256

from . import keys, strict_json
from .verdict import Refused, require

SCHEMA = "walwarden.manifest.v1"


_TEXTS = ("backupJobId", "databaseId", "destinationId", "finishedAt", "keyId", "orgId", "startedAt")


def _has_form(document):
    """What has to be there to judge by; a later version may say more."""
    artifact = document.get("artifact")
    return (
        all(isinstance(document.get(member), str) for member in _TEXTS)
        and isinstance(artifact, dict)
        and isinstance(artifact.get("sizeBytes"), int)
        and isinstance(artifact.get("checksumSha256"), str)
        and isinstance(document.get("source"), dict)
        and isinstance(document.get("retention"), dict)
    )


class Manifest:
    def __init__(self, data, name):
        self.document = strict_json.parse(data, name)
        schema = self.document.get("schema") if isinstance(self.document, dict) else None
        require(schema == SCHEMA, "unknown_schema", f"a manifest of schema {schema!r}")
        require(_has_form(self.document), "unknown_schema", f"{name} has another form")
        self._signed = keys.without(self.document, "signature")
        self.hash = sha256(self._signed).hexdigest()

    def require_signed(self, ring):
        signature, identity = self.document.get("signature"), self.document.get("keyId")
        require(isinstance(signature, str), "manifest_unsigned", "the manifest has no signature")
        holds = keys.verifies_text(ring.raw(identity), self._signed, signature)
        require(holds, "manifest_signature_invalid", f"{identity} did not sign the manifest")

    def require_of(self, org_id, database_id, backup_job_id):
        claimed = [self.document.get(member) for member in ("orgId", "databaseId", "backupJobId")]
        require(claimed == [org_id, database_id, backup_job_id], "manifest_of_another_backup", f"the manifest is of {claimed[2]}")

    def require_artifact(self, size, checksum):
        artifact = self.document.get("artifact")
        holds = isinstance(artifact, dict) and artifact.get("sizeBytes") == size and artifact.get("checksumSha256") == checksum
        if not holds:
            raise Refused("artifact_altered", "the artifact is not the one that the manifest describes")
