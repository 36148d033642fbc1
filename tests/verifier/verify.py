#!/usr/bin/env python3
"""verify.py --bundle <tgz> --pubkey <pem> [--checkpoint <file>] [--artifact <dump>] [--json]

Exit: 0 verified, 3 tampered, 1 undecidable, 2 bad input. With --cases <file> it judges many: one JSON object of arguments a
line, one verdict a line.
"""

import argparse
import json
import sys
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from evidence import archive, bundle, export, keys  # noqa: E402
from evidence.index import BUNDLE, NAME, Index  # noqa: E402
from evidence.note import Checkpoint  # noqa: E402
from evidence.verdict import EXIT, Refused, require  # noqa: E402


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Refused("unreadable_file", f"{path}: {error.strerror}") from error


def _described(path):
    """Size and hash of a file that may be larger than memory."""
    size, hasher = 0, sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                size += len(chunk)
                hasher.update(chunk)
    except OSError as error:
        raise Refused("unreadable_file", f"{path}: {error.strerror}") from error
    return size, hasher.hexdigest()


def judge(bundle_path, pubkey, checkpoint=None, artifact=None):
    """The verdict on one archive, as the document that --json prints, and what to say of it."""
    verdict = {"verdict": "verified", "code": None, "anchored": False, "manifests": 0, "events": 0, "state": None}
    try:
        given = keys.read_pem(_read(pubkey).decode("utf-8", "replace"))
        require(given is not None, "malformed_public_key", f"{pubkey} holds no Ed25519 public key in PEM form")
        remembered = Checkpoint(_read(checkpoint)) if checkpoint else None
        held = _described(artifact) if artifact else None
        files = archive.read(_read(bundle_path))
        content = dict(files)
        require(NAME in content, "missing_file", f"{NAME} is missing")
        index = Index(content[NAME])
        if index.schema == BUNDLE:
            found = bundle.verify(files, index, given, remembered, held)
        else:
            found = export.verify(files, index, given, remembered, held)
    except Refused as refused:
        return verdict | {"verdict": refused.verdict, "code": refused.code}, str(refused)
    return verdict | found, ""


def _say(verdict, message):
    if verdict["code"]:
        print(f"FAIL: {verdict['code']}: {message}")
        return
    if not verdict["anchored"]:
        print("UNANCHORED: no checkpoint was given that the log could be held against")
    print(f"OK: {verdict['manifests']} manifests verified, {verdict['events']} audit events chain-intact (exit 0)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("bundle", "pubkey", "checkpoint", "artifact", "cases"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.cases:
        for line in Path(given.cases).read_text().splitlines():
            case = json.loads(line)
            verdict, _ = judge(case["bundle"], case["pubkey"], case.get("checkpoint"), case.get("artifact"))
            print(json.dumps(verdict), flush=True)
        return 0
    if not given.bundle or not given.pubkey:
        parser.error("--bundle and --pubkey are required")
    verdict, message = judge(given.bundle, given.pubkey, given.checkpoint, given.artifact)
    if given.json:
        print(json.dumps(verdict))
    else:
        _say(verdict, message)
    return EXIT[verdict["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
