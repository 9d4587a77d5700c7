"""What every run tells at its end: how many generated worlds and moves were tried, in all processes."""

import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.effort import SEARCH, tries

TOLD = Counter[str]()

# How long an example takes is the machine's affair: a busy one fails no test. Nor do the dice: the same
# code tries the same examples, so that what is red here was red where it was written. `make test-worlds` throws.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=tries(100),
    derandomize=not SEARCH,
)
settings.load_profile("any machine")


SLOW = (
    "tests/daemon/test_endings.py",
    "tests/gateway/test_session.py",
    "tests/plan/test_traps_of_traffic.py",
    "tests/report/comments/test_comments.py",
    "tests/strategies/test_going_back.py",
)
"""Files of tests that drive many rollouts, sockets or pull requests each: seconds, not milliseconds."""


WAITING = ("tests/daemon/test_wire.py", "tests/wire/test_at_once.py", "tests/wire/test_pull_story.py")
"""Stories of processes that look once in a second: they wait more than they work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
    # One worker waits through these while the others work; last, they would have all wait for them.
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING))


def tried() -> Counter[str]:
    """Return what the property tests of this process counted."""
    module = sys.modules.get("tests.strategies.life")
    return Counter(getattr(module, "TRIED", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tried"] = dict(tried())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    TOLD.update(getattr(node, "workeroutput", {}).get("tried", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = TOLD + tried()
    if found:
        counts = ", ".join(f"{n} {what}" for what, n in sorted(found.items()))
        terminalreporter.write_line(f"property tests of rollouts: {counts} tried")
