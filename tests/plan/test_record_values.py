"""Values in one spelling: what Route 53 gives back is equal to what was meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.record.values import one_spelling, txt

SPELLINGS = [
    ("CNAME", "Docs.Example.net", "docs.example.net."),
    ("NS", "ns.example.net.", "ns.example.net."),
    ("MX", "10  mail.example.com", "10 mail.example.com."),
    ("SRV", "1 10 5269 xmpp.example.com", "1 10 5269 xmpp.example.com."),
    ("AAAA", "2001:0DB8:0:0::1", "2001:db8::1"),
    ("A", "192.0.2.1", "192.0.2.1"),
    ("CAA", '0 issue "ca.example.net"', '0 issue "ca.example.net"'),
    ("TXT", '"v=spf1 -all"', '"v=spf1 -all"'),
    ("TXT", '"a" "b"', '"ab"'),
    ("TXT", '"\\303\\251"', '"\\303\\251"'),
    ("TXT", '"é"', '"\\303\\251"'),
    ("TXT", "not quoted", "not quoted"),
]


@pytest.mark.parametrize(("kind", "given_value", "same"), SPELLINGS)
def test_values_that_mean_the_same_are_spelled_the_same(kind: str, given_value: str, same: str) -> None:
    assert one_spelling(kind, given_value) == same


def test_quotes_and_backslashes_are_escaped_and_what_is_not_ascii_is_octal() -> None:
    assert txt('say "é\\"') == '"say \\"\\303\\251\\\\\\""'


@given(text=st.text(min_size=1, max_size=900))
def test_txt_is_split_at_255_bytes_never_inside_a_character_and_reads_back_as_it_was(text: str) -> None:
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate is no text
    value = txt(text)
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
    decoded = [
        b"".join(
            bytes([int(octal, 8)]) if octal else (other or plain).encode()
            for octal, other, plain in re.findall(r"\\([0-7]{3})|\\(.)|([^\\])", s)
        )
        for s in strings
    ]
    assert b"".join(decoded) == raw
    assert all(len(d) <= 255 and d.decode() for d in decoded)
    assert value.isascii()
    assert one_spelling("TXT", value) == value
