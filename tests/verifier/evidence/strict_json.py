"""JSON as evidence has to be written: RFC 8785, whole numbers up to 2^53 alone, no key twice, nothing deep."""

import json
import re

from .verdict import Refused, require

MAX_DEPTH = 32
MAX_SAFE_INTEGER = 2**53 - 1
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MUST_ESCAPE = re.compile(r'["\\\x00-\x1f]')


def _escape(match):
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def number_text(value):
    """A double as ECMAScript writes it (ECMA-262, Number::toString): the shortest digits that read back as the same value."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, exponent = f"{abs(value)!r}".lower(), 0
    if "e" in mantissa:
        mantissa, power = mantissa.split("e")
        exponent = int(power)
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The decimal point stands after this many digits.
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = point - 1
    text = digits[0] + ("." + digits[1:] if count > 1 else "")
    return f"{sign}{text}e{'+' if power > 0 else '-'}{abs(power)}"


def canonical(value):
    """The RFC 8785 form of a value, as bytes."""
    pieces = []
    _write(value, pieces)
    return "".join(pieces).encode("utf-8")


def _write(value, out):
    if value is None:
        out.append("null")
    elif value is True:
        out.append("true")
    elif value is False:
        out.append("false")
    elif isinstance(value, str):
        out.append(f'"{_MUST_ESCAPE.sub(_escape, value)}"')
    elif isinstance(value, int):
        # Beyond 2^53 an integer is the double that is nearest to it.
        out.append(str(value) if abs(value) <= MAX_SAFE_INTEGER else number_text(float(value)))
    elif isinstance(value, float):
        out.append(number_text(value))
    elif isinstance(value, list):
        out.append("[")
        for position, item in enumerate(value):
            if position:
                out.append(",")
            _write(item, out)
        out.append("]")
    else:
        out.append("{")
        # Keys stand in the order of their UTF-16 code units.
        for position, key in enumerate(sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))):
            if position:
                out.append(",")
            _write(key, out)
            out.append(":")
            _write(value[key], out)
        out.append("}")


def _integer(text):
    # Longer texts are not even made into numbers.
    holds = len(text) <= 17 and text != "-0" and abs(int(text)) <= MAX_SAFE_INTEGER
    require(holds, "number_out_of_range", f"the number {text[:40]}")
    return int(text)


def _fraction(text):
    raise Refused("number_out_of_range", f"the number {text[:40]} is not written as a whole one")


def _constant(text):
    raise Refused("malformed_json", f"{text} is no JSON")


def _object(pairs):
    found = {}
    for key, value in pairs:
        require(key not in found, "duplicate_json_key", f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _depth(text):
    """How deep arrays and objects nest. Counts brackets outside of strings, and parses nothing."""
    deepest = depth = 0
    for token in re.finditer(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', text, re.DOTALL):
        if token.group() in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token.group() in ("]", "}"):
            depth -= 1
    return deepest


def parse(data, name):
    """Reads a JSON document, and refuses whatever two readers might read in two ways."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("malformed_json", f"{name}: {error}") from error
    require(_depth(text) <= MAX_DEPTH, "json_too_deep", f"{name} nests deeper than {MAX_DEPTH}")
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_fraction, parse_constant=_constant, object_pairs_hook=_object
        )
        written = canonical(value)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed_json", f"{name}: {error}") from error
    require(written == data, "json_not_canonical", f"{name} is not in the form of RFC 8785")
    return value
