"""Values of records in one spelling, so that what means the same is equal, wanted and live alike."""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

CHUNK: Final = 255  # bytes of one string of a TXT value (Route 53 Developer Guide)
CONTINUED: Final = 0b10  # the two high bits of a byte inside a UTF-8 character
STRING: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*', re.DOTALL)
ESCAPED: Final = re.compile(r"\\([0-7]{3})|\\(.)|([^\\]+)", re.DOTALL)
NAMED: Final = frozenset({"CNAME", "NS", "PTR"})  # the whole value is a name
ENDS_IN_NAME: Final = frozenset({"MX", "SRV"})


def one_spelling(kind: str, value: str) -> str:
    """Return a value as Route 53 takes it, in the one spelling that is compared.

    Names get their last dot, IPv6 addresses their short form, TXT strings one way of splitting.
    """
    if kind in NAMED:
        return _name(value)
    if kind in ENDS_IN_NAME:
        *numbers, name = value.split()
        return " ".join([*numbers, _name(name)])
    if kind == "AAAA":
        try:
            return str(IPv6Address(value))
        except AddressValueError:
            return value
    if kind == "TXT":
        found = _unquoted(value)
        return value if found is None else _quoted(found)
    return value


def _name(text: str) -> str:
    return text.lower().rstrip(".") + "."


def txt(text: str) -> str:
    """Return an unquoted TXT value quoted, escaped and split as Route 53 reads it."""
    return _quoted(text.encode())


def _quoted(raw: bytes) -> str:
    strings: list[str] = []
    while raw or not strings:
        cut = CHUNK
        while len(raw) > cut > CHUNK - 4 and raw[cut] >> 6 == CONTINUED:
            cut -= 1
        strings.append(f'"{"".join(map(_escaped, raw[:cut]))}"')
        raw = raw[cut:]
    return " ".join(strings)


def _escaped(byte: int) -> str:
    """Other than printable ASCII is written in octal (Route 53 Developer Guide, TXT)."""
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _unquoted(value: str) -> bytes | None:
    """Return the bytes that quoted strings hold together, or None where they are no quoted strings."""
    raw, at = b"", 0
    while at < len(value):
        found = STRING.match(value, at)
        if found is None:
            return None
        for octal, other, plain in ESCAPED.findall(found[1]):
            raw += bytes([int(octal, 8) % 256]) if octal else (other or plain).encode()
        at = found.end()
    return raw if value else None
