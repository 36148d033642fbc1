"""What others published, and what this verifier says to it. Run by `tests/tests/evidence`; by hand: python -m unittest."""

import base64
import json
import struct
import unittest
from pathlib import Path

from evidence import keys, merkle, note, strict_json
from evidence.verdict import Refused

VECTORS = Path(__file__).resolve().parents[2] / "contract/tests/vectors"


def load(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def path_of(vector):
    return [bytes.fromhex(node) for node in vector["path"]]


class Json(unittest.TestCase):
    def test_numbers_of_rfc_8785(self):
        for vector in load("json_numbers.json"):
            (value,) = struct.unpack(">d", bytes.fromhex(vector["bits"]))
            if vector["text"] is None:
                self.assertRaises(ValueError, strict_json.number_text, value)
            else:
                self.assertEqual(strict_json.number_text(value), vector["text"])

    def test_documents_of_rfc_8785(self):
        for vector in load("json_documents.json"):
            for text in (vector["input"], vector["canonical"]):
                written = strict_json.canonical(json.loads(text))
                self.assertEqual(written.decode(), vector["canonical"], vector["source"])
            with self.assertRaises(Refused):
                strict_json.parse(vector["input"].encode(), vector["source"])

    def test_what_two_readers_may_read_in_two_ways_is_refused(self):
        for text, code in [
            ('{"a":1,"a":1}', "duplicate_json_key"),
            ('{"a":1,"\\u0061":1}', "duplicate_json_key"),
            ("[" * 33 + "]" * 33, "json_too_deep"),
            ("[" * 1_000_000, "json_too_deep"),
            ("9007199254740992", "number_out_of_range"),
            ("-9007199254740992", "number_out_of_range"),
            ("1" * 5000, "number_out_of_range"),
            ("1e400", "number_out_of_range"),
            ("0.5", "number_out_of_range"),
            ("1.0", "number_out_of_range"),
            ("1e2", "number_out_of_range"),
            ("-0", "number_out_of_range"),
            ('{"b":1,"a":1}', "json_not_canonical"),
            ("[1, 2]", "json_not_canonical"),
            ("[1]\n", "json_not_canonical"),
            ('"\\/"', "json_not_canonical"),
            ('"\\u001F"', "json_not_canonical"),
            ('"\\ud800"', "malformed_json"),
            ("NaN", "malformed_json"),
            ("[1]x", "malformed_json"),
            ("", "malformed_json"),
            ("\ufeff[]", "malformed_json"),
        ]:
            with self.subTest(text[:40]), self.assertRaises(Refused) as refused:
                strict_json.parse(text.encode(), "it")
            self.assertEqual(refused.exception.code, code)


class Merkle(unittest.TestCase):
    def setUp(self):
        self.vectors = load("merkle.json")
        self.leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in self.vectors["leaves"]]
        self.roots = [merkle.root(self.leaves[: size + 1]) for size in range(8)]

    def test_roots(self):
        self.assertEqual(merkle.root([]).hex(), self.vectors["empty"])
        self.assertEqual([root.hex() for root in self.roots], self.vectors["roots"])

    def test_inclusion(self):
        for vector in self.vectors["inclusion"]:
            leaf, size, path = vector["leaf"], vector["size"], path_of(vector)
            root = self.roots[size - 1]
            probe = lambda hashed=self.leaves[leaf], at=leaf, of=size, by=path, to=root: merkle.verify_inclusion(hashed, at, of, by, to)
            self.assertTrue(probe())
            wrong = [probe(at=leaf - 1), probe(at=leaf + 1), probe(at=leaf ^ 2), probe(of=size * 2), probe(of=size // 2)]
            wrong += [probe(to=merkle.root([])), probe(by=[*path, root]), probe(by=[root, *path]), probe(hashed=bytes(32))]
            wrong += [probe(by=path[:-1]) for _ in path[:1]]
            self.assertFalse(any(wrong), vector)

    def test_consistency(self):
        for vector in self.vectors["consistency"]:
            older, newer, path = vector["from"], vector["to"], path_of(vector)
            first, second = self.roots[older - 1], self.roots[newer - 1]
            probe = lambda a=older, b=newer, by=path, x=first, y=second: merkle.verify_consistency(a, b, by, x, y)
            self.assertTrue(probe())
            wrong = [probe(a=older + 1), probe(b=newer // 2), probe(x=bytes(32)), probe(y=bytes(32))]
            wrong += [probe(by=[*path, first]), probe(by=[second, *path])]
            if path:
                wrong += [probe(a=older - 1), probe(b=newer * 2), probe(x=second, y=first), probe(by=[]), probe(by=path[:-1])]
            self.assertFalse(any(wrong), vector)


class Notes(unittest.TestCase):
    def setUp(self):
        self.vectors = load("signed_notes.json")

    def raw(self, name):
        key = base64.b64decode(self.vectors["keys"][name]["key"])
        self.assertEqual(key[0], 1)
        return key[1:]

    def test_key_hashes(self):
        for name, key in self.vectors["keys"].items():
            self.assertEqual(note.key_hash(name, self.raw(name)).hex(), key["hash"])

    def test_signed_notes(self):
        for vector in self.vectors["signed"]:
            signed, signatures = note.open_note(vector["note"].encode())
            self.assertEqual([name for name, _, _ in signatures], vector["by"])
            for name, hashed, signature in signatures:
                self.assertEqual(hashed, note.key_hash(name, self.raw(name)))
                self.assertTrue(keys.verifies(self.raw(name), signed, signature))
                self.assertFalse(keys.verifies(self.raw(name), signed + b"\n", signature))

    def test_malformed_notes(self):
        for text in self.vectors["malformed"]:
            self.assertRaises(note.Malformed, note.open_note, text.encode())


class Keys(unittest.TestCase):
    def test_points_of_small_order_are_no_keys(self):
        for y in keys._SMALL_ORDER:
            for sign in (0, 1 << 255):
                self.assertFalse(keys._is_usable((y | sign).to_bytes(32, "little")))

    def test_one_value_has_one_base64(self):
        self.assertEqual(keys.base64_bytes("AA=="), b"\0")
        for text in ("AA", "AB==", "AA==\n", " AA==", "AA===", "A-==", None):
            self.assertIsNone(keys.base64_bytes(text))


if __name__ == "__main__":
    unittest.main()
