"""Durations are read as people write them, and written back as they are read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.duration import format_duration, parse_duration

WRITTEN = [("90s", 90), ("5m", 300), ("1h30m", 5400), ("0s", 0), ("168h", 604800), ("1h0m1s", 3601)]


@pytest.mark.parametrize(("text", "seconds"), WRITTEN, ids=[t for t, _ in WRITTEN])
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5m1h", "1d", "5M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(0, 10**8))
def test_what_is_written_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
