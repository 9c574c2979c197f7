"""JSON values: merge patches, checksums, and what may be said of them. Nothing is changed in place."""

from __future__ import annotations

import json
import math
import zlib
from decimal import Decimal
from typing import Any

MAX_INT = 2**53 - 1  # beyond it floats stand for several whole numbers


def patch(target: Any, change: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396).

    The result shares with target whatever stayed, and is target itself when nothing changed.
    """
    if not isinstance(change, dict):
        return share(target, change)
    old = target if isinstance(target, dict) else None
    out: dict[str, Any] | None = None
    for name, value in change.items():
        had = old is not None and name in old
        if value is None:
            if had:
                out = dict(old or {}) if out is None else out
                del out[name]
            continue
        before = old[name] if old is not None and had else None
        after = patch(before, value)
        if not had or after is not before:
            out = dict(old or {}) if out is None else out
            out[name] = after
    if out is not None:
        return out
    return old if old is not None else {}


def share(old: Any, new: Any) -> Any:
    """Return new, made of parts of old wherever they are equal."""
    if isinstance(new, list) and isinstance(old, list):
        items = [share(old[i], x) if i < len(old) else x for i, x in enumerate(new)]
        same = len(items) == len(old) and all(x is y for x, y in zip(items, old))
        return old if same else items
    if isinstance(new, dict) and isinstance(old, dict):
        members = {name: share(old[name], x) if name in old else x for name, x in new.items()}
        same = len(members) == len(old) and all(name in old and x is old[name] for name, x in members.items())
        return old if same else members
    return old if type(old) is type(new) and old == new else new  # True == 1 and 1 == 1.0 in Python, not in JSON


def checksum(value: Any) -> int:
    """Return the CRC-32 of the canonical JSON (RFC 8785)."""
    return zlib.crc32(canonical(value).encode("utf-8", "surrogatepass"))


def canonical(value: Any) -> str:
    """Return the canonical JSON (RFC 8785) of a JSON value."""
    if isinstance(value, dict):
        # By UTF-16 code units, as the RFC asks, where Python compares code points.
        names = sorted(value, key=_utf16)
        return "{" + ",".join(f"{_text(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int) and -MAX_INT <= value <= MAX_INT:
        return str(value)
    return _number(float(value))


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """Write a double as ECMAScript does: the shortest digits that read back as it, with an exponent from 1e21 and below 1e-6."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(digits) + int(exponent)  # where the decimal point is, counted from the first digit
    minus = "-" if sign else ""
    if 0 < point <= 21:
        if point >= len(text):
            return minus + text.ljust(point, "0")
        return f"{minus}{text[:point]}.{text[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{minus}{text[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def decode(text: str) -> Any:
    """Read JSON, and raise ValueError at NaN and Infinity, which Python would take."""
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def flaw(value: Any, depth: int) -> str | None:
    """Say why no server takes a value, nested at most so deep, as an action."""
    if isinstance(value, (dict, list)):
        if not depth:
            return "Arrays and objects of the action are too deep in one another: 31 is the most."
        members = value.values() if isinstance(value, dict) else value
        return next((found for found in (flaw(x, depth - 1) for x in members) if found), None)
    if isinstance(value, float) and not math.isfinite(value):
        return "A number in the action is no number of JSON."
    whole = isinstance(value, int) or isinstance(value, float) and value.is_integer()
    if whole and abs(value) > MAX_INT:
        return "A whole number in the action is beyond ±(2⁵³−1): send it as text."
    return None
