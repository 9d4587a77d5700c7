"""How the story looks at weights while they move."""

from demo.rollouts import WAY, changes
from demo.telling import LASTED, told
from demo.truth import Watch


def test_a_watch_sees_what_was_there_first_and_last_each_once() -> None:
    said = [{"old": 100}, {"old": 90, "new": 10}]
    now = said[0]
    with Watch(lambda: now) as watch:
        now = said[1]
    assert watch.seen == said
    assert watch.never_dark


def test_a_moment_without_any_weight_is_seen() -> None:
    with Watch(lambda: {"old": 0, "new": 0}) as watch:
        pass
    assert not watch.never_dark


def test_only_changes_count() -> None:
    assert changes([0, 0, 10, 10, 0]) == [0, 10, 0]
    assert changes([]) == []


def test_the_way_of_a_canary_and_a_time_are_read_from_a_row() -> None:
    row = "| 🔁 | Fleet `api` | `prod` | replace | 10 → ⏸ → 50 → 100 % | ~44m |"
    assert told(row, "api", WAY)
    assert not told(row.replace("⏸", "30"), "api", WAY)
    assert [
        time for time in ("34m", "1h", "1h6m", "0s") if told(f"| Fleet `api` | {time} |", "api", LASTED)
    ] == [
        "34m",
        "1h",
        "1h6m",
    ]
