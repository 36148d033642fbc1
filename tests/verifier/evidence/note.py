"""Signed notes (C2SP signed-note) and the checkpoints that are written as such (C2SP tlog-checkpoint)."""

import re
from datetime import datetime
from hashlib import sha256

from .keys import base64_bytes, verifies
from .verdict import Refused, require

MAX_SIGNATURES = 16
MAX_NOTE = 16 * 1024
_SIGNATURE = re.compile(r"\u2014 (\S+) (\S+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_TIME = re.compile(r"time ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)")


class Malformed(Exception):
    """The bytes are no signed note."""


def key_hash(name, raw):
    return sha256(name.encode() + b"\n\x01" + raw).digest()[:4]


def open_note(data):
    """The signed text and the signatures as (name, key hash, signature)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from error
    if len(data) > MAX_NOTE or any(character < " " and character != "\n" for character in text):
        raise Malformed("too long, or holds control characters")
    signed, blank, lines = text.rpartition("\n\n")
    if not blank or not signed or not lines.endswith("\n"):
        raise Malformed("no signatures after a blank line")
    found = []
    for line in lines[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        name, blob = match.groups() if match else ("+", None)
        decoded = base64_bytes(blob)
        if "+" in name or decoded is None or len(decoded) < 5:
            raise Malformed(f"no signature line: {line[:80]!r}")
        found.append((name, decoded[:4], decoded[4:]))
    if len(found) > MAX_SIGNATURES:
        raise Malformed("too many signatures")
    return (signed + "\n").encode(), found


class Checkpoint:
    """What a log held at one time."""

    def __init__(self, data):
        try:
            self.signed, self.signatures = open_note(data)
        except Malformed as error:
            raise Refused("malformed_checkpoint", str(error)) from error
        lines = self.signed.decode().split("\n")[:-1]
        require(len(lines) == 4 and lines[0].startswith("walwarden.audit/org_"), "malformed_checkpoint", "a checkpoint has four lines")
        self.origin, size, root, time = lines
        self.root = base64_bytes(root)
        holds = _SIZE.fullmatch(size) and self.root is not None and len(self.root) == 32 and _is_time(time)
        require(holds, "malformed_checkpoint", "size, root hash or time are no such thing")
        self.size = int(size)
        require(self.size < 2**64, "malformed_checkpoint", "a size beyond 64 bits")

    def _signers(self, ring, what):
        """The trusted keys that signed. None of them may have signed something else."""
        by = []
        for identity, raw in ring.all_trusted():
            for name, hashed, signature in self.signatures:
                if name == self.origin and hashed == key_hash(name, raw):
                    holds = verifies(raw, self.signed, signature)
                    require(holds, "checkpoint_signature_invalid", f"{identity} did not sign {what}")
                    by.append(identity)
        return by

    def require_signed_now(self, ring):
        """What is signed now, the newest key has to sign."""
        by = self._signers(ring, "the checkpoint")
        require(ring.newest in by, "checkpoint_unsigned_by_trusted_key", f"{ring.newest} did not sign the checkpoint")

    def require_signed_once(self, ring):
        """What was kept, any key may have signed: it was the newest then."""
        by = self._signers(ring, "the remembered checkpoint")
        require(by, "checkpoint_unsigned_by_trusted_key", "no trusted key signed the remembered checkpoint")


def _is_time(line):
    match = _TIME.fullmatch(line)
    if not match:
        return False
    try:
        datetime.fromisoformat(match.group(1))
    except ValueError:
        return False
    return True
