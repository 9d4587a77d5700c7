"""YAML is read by events: positions for all, scalars as YAML 1.2 core says, and no file can crash the reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.source.documents import find, plain, read_documents
from reconciler.source.load import load
from reconciler.spec.desired import Desired

SCALARS = [
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("12:30", "12:30"),
    ("0777", "0777"),
    ("007", "007"),
    ("2026-12-01", "2026-12-01"),
    ("1_000", "1_000"),
    ("0x1f", "0x1f"),
    ("1", 1),
    ("-1", -1),
    ("0", 0),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    ("true", True),
    ("False", False),
    ("null", None),
    ("~", None),
    ('"1"', "1"),
    ("'true'", "true"),
    ("99999999999999999999999", "99999999999999999999999"),
]


@pytest.mark.parametrize(("written", "meant"), SCALARS, ids=[s for s, _ in SCALARS])
def test_a_scalar_is_what_was_written(written: str, meant: object) -> None:
    nodes, problems = read_documents("f.yaml", f"key: {written}\n".encode())
    assert problems == []
    value = plain(nodes[0])["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_every_key_and_value_knows_its_place() -> None:
    nodes, _ = read_documents("f.yaml", b"a:\n  b: [1, {c: 2}]\n---\nd: 3\n")
    node, whole = find(nodes[0], ("a", "b", 1, "c"))
    assert whole
    assert (node.at.line, node.at.column) == (2, 14)
    assert (node.key.line, node.key.column) == (2, 11)
    assert (nodes[1].value["d"].at.line, nodes[1].value["d"].at.column) == (4, 4)


def test_a_bomb_of_a_hundred_thousand_brackets_is_refused_and_crashes_nothing() -> None:
    _, problems = read_documents("f.yaml", b"a: " + b"[" * 100_000)
    assert "nesting over 50 deep" in problems[0].what


@pytest.mark.slow
def test_a_file_with_too_many_values_is_refused() -> None:
    _, problems = read_documents("f.yaml", b"a: [" + b"1," * 100_001 + b"]")
    assert "over 100000 values" in problems[0].what


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_told(raw: bytes) -> None:
    nodes, problems = read_documents("f.yaml", raw)
    assert not (nodes and problems)


@given(st.text(max_size=200))
def test_any_text_gives_a_desired_state_or_problems(text: str) -> None:
    found = load({"f.yaml": text.encode("utf-8", "surrogatepass")})
    assert isinstance(found, Desired) or found
