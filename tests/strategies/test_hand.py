"""What a person says of a fleet is kept in one tag."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.strategies.hand import Hand, Verb, parse_hand

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HANDS = [
    Hand(verb=Verb.PAUSE, since=NOW, until=NOW + timedelta(hours=2), text="looking at it; slowly"),
    Hand(verb=Verb.PROMOTE, since=NOW, text="2"),
    Hand(verb=Verb.FULL, since=NOW, text="hotfix"),
    Hand(verb=Verb.ABORT, since=NOW),
]


@pytest.mark.parametrize("hand", HANDS, ids=lambda h: h.verb)
def test_what_was_said_is_read_back(hand: Hand) -> None:
    assert parse_hand(hand.value()) == hand


@pytest.mark.parametrize("value", ["", "pause", "pause;x;-;", "stop;1;-;", "pause;1;soon;"])
def test_what_nobody_of_us_wrote_says_nothing(value: str) -> None:
    assert parse_hand(value) is None


def test_a_long_reason_is_cut_to_what_a_tag_holds() -> None:
    assert len(Hand(verb=Verb.PAUSE, since=NOW, text="x" * 300).value()) == 256


def test_a_pause_ends_at_its_time() -> None:
    assert HANDS[0].holds(NOW)
    assert not HANDS[0].holds(NOW + timedelta(hours=2))
    assert HANDS[3].holds(NOW + timedelta(days=9))
