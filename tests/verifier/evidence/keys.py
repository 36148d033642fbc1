"""Ed25519 keys and signatures, the statements about keys, and which keys are to be trusted."""

import base64
import binascii
import re
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from .strict_json import canonical
from .verdict import Refused, require

ROTATION = "walwarden.key_rotation.v1"
REVOCATION = "walwarden.key_revocation.v1"
_SPKI = bytes.fromhex("302a300506032b6570032100")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----(?:\r?\n)?")
_PRIME = 2**255 - 19
_ORDER_EIGHT = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
# The y of every point whose order divides eight.
_SMALL_ORDER = {0, 1, _PRIME - 1, _ORDER_EIGHT, _PRIME - _ORDER_EIGHT}


def base64_bytes(text):
    """Standard base64 with padding and nothing else, or None: one value, one text."""
    if not isinstance(text, str):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _is_usable(raw):
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    return len(raw) == 32 and y < _PRIME and y not in _SMALL_ORDER


def read_pem(text):
    """The 32 bytes of a public key, or None."""
    found = _PEM.fullmatch(text) if isinstance(text, str) else None
    der = base64_bytes(re.sub(r"[\r\n]", "", found.group(1))) if found else None
    if der is None or len(der) != 44 or not der.startswith(_SPKI) or not _is_usable(der[12:]):
        return None
    return der[12:]


def key_id(raw):
    return "wk_" + sha256(raw).hexdigest()[:16]


def verifies(raw, message, signature):
    """Strict verification of one signature of 64 bytes."""
    if signature is None or len(signature) != 64 or not _is_usable(raw):
        return False
    try:
        VerifyKey(raw).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def verifies_text(raw, message, signature):
    """As `verifies`, for a signature in base64."""
    return verifies(raw, message, base64_bytes(signature))


def without(document, member):
    return canonical({key: value for key, value in document.items() if key != member})


def _rotation(payload):
    """The two keys of a rotation, by id, when the statement holds."""
    named = [(payload.get("keyId"), payload.get("publicKey")), (payload.get("previousKeyId"), payload.get("previousPublicKey"))]
    signatures = payload.get("signatures")
    signed = without(payload, "signatures")
    keys = []
    for identity, pem in named:
        raw = read_pem(pem)
        holds = raw is not None and key_id(raw) == identity and isinstance(signatures, dict)
        holds = holds and verifies_text(raw, signed, signatures.get(identity))
        require(holds, "key_statement_invalid", f"the rotation to {payload.get('keyId')} is not signed by {identity}")
        keys.append((identity, raw))
    require(keys[0][0] != keys[1][0], "key_statement_invalid", "a key was rotated to itself")
    require(set(signatures) == {keys[0][0], keys[1][0]}, "key_statement_invalid", "a rotation has exactly two signatures")
    return keys


class KeyRing:
    """The keys that follow from one that is given, and the leaves from which revoked ones count no more.

    A key hands over once and takes over once: who steals an old key cannot name another heir, or another forebear, beside the
    ones that it has.
    """

    def __init__(self, given, events):
        """`events`: (kind, payload, leaf) of every statement about keys."""
        self.given = self.newest = key_id(given)
        heirs, forebears, revocations = {}, {}, []
        for kind, payload, leaf in events:
            require(isinstance(payload, dict), "key_statement_invalid", "a statement about keys that says nothing")
            if kind == "signing_key.rotated":
                require(payload.get("schema") == ROTATION, "key_statement_invalid", "a rotation of another schema")
                (new, new_raw), (old, old_raw) = _rotation(payload)
                once = old not in heirs and new not in forebears
                require(once, "key_statement_invalid", f"two statements about what follows {old}, or comes before {new}")
                heirs[old], forebears[new] = (new, new_raw), (old, old_raw)
            else:
                require(payload.get("schema") == REVOCATION, "key_statement_invalid", "a revocation of another schema")
                require(payload.get("signedBy") != payload.get("keyId"), "key_statement_invalid", "a key was revoked by itself")
                revocations.append((leaf, payload))
        self._trusted = {self.given: given}
        for table in (heirs, forebears):
            current = self.given
            while current in table:
                current, raw = table[current]
                require(current not in self._trusted, "key_statement_invalid", "keys follow one another in a circle")
                self._trusted[current] = raw
                if table is heirs:
                    self.newest = current
        self.revoked = {}
        for leaf, payload in sorted(revocations, key=lambda revocation: revocation[0]):
            self._revoke(leaf, payload)

    def _revoke(self, leaf, payload):
        signer, of = payload.get("signedBy"), payload.get("keyId")
        # What an unknown key says changes nothing, and neither does what a key says after it was revoked itself.
        if signer not in self._trusted or leaf >= self.revoked.get(signer, leaf + 1):
            return
        holds = verifies_text(self._trusted[signer], without(payload, "signature"), payload.get("signature"))
        require(holds, "key_statement_invalid", f"the revocation of {of} is not signed by {signer}")
        require(of != self.newest, "key_statement_invalid", "a key that no other took over from was revoked")
        self.revoked.setdefault(of, leaf)

    def raw(self, identity):
        """A trusted key's bytes."""
        if not isinstance(identity, str) or identity not in self._trusted:
            raise Refused("key_not_trusted", f"no statement links {identity} to the given key {self.given}")
        return self._trusted[identity]

    def all_trusted(self):
        return sorted(self._trusted.items())

    def require_not_revoked(self, identity, leaf, what):
        """What stands at `leaf` counts when it came before the revocation."""
        revoked_at = self.revoked.get(identity)
        holds = revoked_at is None or leaf < revoked_at
        require(holds, "key_revoked", f"{what} was signed by {identity} after that key was revoked")
