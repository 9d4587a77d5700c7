"""Values of records, checked as Route 53 checks them."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

LABEL: Final = re.compile(r"^(\*|[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)$")
NUMBER: Final = re.compile(r"^[0-9]{1,5}$")
CAA: Final = re.compile(r'^([0-9]{1,3}) ([a-z0-9]{1,15}) "([^"\\]|\\.)*"$')
PARTS_OF_MX, PARTS_OF_SRV = 2, 4
MOST_16 = 65535
MOST_NAME = 255
MOST_TXT = 4000  # characters of all strings of one value (Route 53 Developer Guide, TXT)


def is_name(text: str) -> bool:
    """Is this a domain name, with or without its last dot."""
    labels = text.rstrip(".").split(".")
    return len(text) <= MOST_NAME and all(LABEL.match(x) for x in labels)


def fault(kind: str, value: str) -> tuple[str, str] | None:
    """Return why a value is none of its record type, and what to write; None where it is one."""
    checks = {
        "A": _a,
        "AAAA": _aaaa,
        "CNAME": _name,
        "NS": _name,
        "PTR": _name,
        "MX": _mx,
        "SRV": _srv,
        "CAA": _caa,
        "TXT": _txt,
    }
    return checks[kind](value)


def _a(value: str) -> tuple[str, str] | None:
    try:
        IPv4Address(value)
    except AddressValueError:
        return "an A record holds IPv4 addresses", "write for example 192.0.2.1"
    return None


def _aaaa(value: str) -> tuple[str, str] | None:
    try:
        IPv6Address(value)
    except AddressValueError:
        return "an AAAA record holds IPv6 addresses", "write for example 2001:db8::1"
    return None


def _name(value: str) -> tuple[str, str] | None:
    if is_name(value):
        return None
    return "a domain name is needed", "write for example www.example.com."


def _sixteen(text: str) -> bool:
    return bool(NUMBER.match(text)) and int(text) <= MOST_16


def _mx(value: str) -> tuple[str, str] | None:
    parts = value.split()
    if len(parts) == PARTS_OF_MX and _sixteen(parts[0]) and is_name(parts[1]):
        return None
    return "an MX record holds a priority and a name", 'write for example "10 mail.example.com."'


def _srv(value: str) -> tuple[str, str] | None:
    parts = value.split()
    if (
        len(parts) == PARTS_OF_SRV
        and all(map(_sixteen, parts[:3]))
        and (parts[3] == "." or is_name(parts[3]))
    ):
        return None
    return (
        "an SRV record holds priority, weight, port and name",
        'write for example "1 10 5269 xmpp.example.com."',
    )


def _caa(value: str) -> tuple[str, str] | None:
    if CAA.match(value) and int(value.split(maxsplit=1)[0]) <= 255:
        return None
    return (
        "a CAA record holds flags, a tag and a quoted value",
        """write for example '0 issue "ca.example.net"'""",
    )


def _txt(value: str) -> tuple[str, str] | None:
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        return (
            "TXT values are given unquoted: quoting and splitting is done for you",
            "take the inner quotes out",
        )
    if not value or len(value.encode()) > MOST_TXT:
        return f"a TXT value has 1 to {MOST_TXT} bytes", "shorten it"
    return None
