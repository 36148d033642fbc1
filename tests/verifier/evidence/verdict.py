"""What a verifier can say, and the codes that it says it with."""

BAD_INPUT = (
    "not_an_archive archive_too_large entry_refused duplicate_file missing_file unexpected_file archive_not_canonical "
    "malformed_json duplicate_json_key json_too_deep number_out_of_range json_not_canonical unknown_schema "
    "malformed_checkpoint malformed_public_key unreadable_file"
).split()
TAMPERED = (
    "file_altered index_signature_invalid manifest_unsigned manifest_signature_invalid manifest_hash_mismatch "
    "manifest_of_another_backup chain_gap chain_link_broken event_altered event_of_another_chain chain_truncated "
    "chain_impossible completion_missing checkpoint_signature_invalid checkpoint_of_another_organization "
    "checkpoint_root_mismatch proof_missing inclusion_invalid consistency_invalid forked key_statement_invalid key_revoked key_superseded "
    "artifact_altered state_not_proven leaves_incomplete"
).split()
UNDECIDABLE = "key_not_trusted checkpoint_unsigned_by_trusted_key rolled_back consistency_missing".split()

EXIT = {"verified": 0, "undecidable": 1, "bad_input": 2, "tampered": 3}
_VERDICT_OF = (
    {code: "bad_input" for code in BAD_INPUT}
    | {code: "tampered" for code in TAMPERED}
    | {code: "undecidable" for code in UNDECIDABLE}
)


class Refused(Exception):
    """The evidence does not hold, and the code says why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.verdict = _VERDICT_OF[code]


def require(holds, code, message):
    """Refuses with the code unless the condition holds."""
    if not holds:
        raise Refused(code, message)
