"""The names of events are an API: what CONTRACT.md lists is there, spelled alike, and told in full."""

import json
import logging
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import structlog

from reconciler.report import log
from reconciler.report.document_events import DriftFound
from reconciler.report.event import Event, OfThing, emit
from reconciler.report.events import PassDone, all_events

CONTRACT = [
    "commit.adopted",
    "commit.rejected",
    "pass.done",
    "drift.found",
    "drift.changed",
    "drift.gone",
    "drift.healed",
    "drift.contested",
    "step.applied",
    "step.failed",
    "rollout.started",
    "rollout.shifted",
    "rollout.paused",
    "rollout.promoted",
    "rollout.rolled_back",
    "rollout.finished",
    "fleet.retired",
    "limit.refused",
    "read.failed",
]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The log is one for the process: leave it as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.mark.parametrize("name", CONTRACT)
def test_every_event_of_the_contract_is_there(name: str) -> None:
    assert name in {e.event for e in all_events()}


@pytest.mark.parametrize("kind", all_events(), ids=lambda k: k.event)
def test_every_event_is_a_frozen_value_that_says_what_it_means(kind: type[Event]) -> None:
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert (kind.__doc__ or "").strip()
    names = {f.name for f in fields(kind)}
    if issubclass(kind, OfThing):
        assert {"commit", "target", "kind", "name", "revision"} <= names
    assert not names & {"event", "level", "timestamp", "logger"}  # the line's own keys


def test_an_event_is_one_json_line_with_its_values() -> None:
    out = StringIO()
    log.configure(form="json", stream=out)
    emit(
        DriftFound(
            commit="c" * 40,
            target="prod",
            kind="Fleet",
            name="web",
            resource="group/web-1",
            field="max",
            want="10",
            live="12",
            heals=False,
        )
    )
    line = json.loads(out.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "drift.found",
        "level": "warning",
        "logger": "reconciler",
        "commit": "c" * 40,
        "target": "prod",
        "kind": "Fleet",
        "name": "web",
        "revision": "",
        "resource": "group/web-1",
        "field": "max",
        "want": "10",
        "live": "12",
        "heals": False,
    }


def test_spans_are_seconds_and_times_are_iso() -> None:
    out = StringIO()
    log.configure(form="json", stream=out)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    span = timedelta(seconds=5)
    emit(
        PassDone(
            commit="c",
            target="prod",
            result="done",
            as_of=noon,
            digest="d",
            seconds=1.23456,
            calls=7,
            next_in=span,
        )
    )
    line = json.loads(out.getvalue())
    assert (line["as_of"], line["seconds"], line["next_in"]) == ("2026-11-23T12:00:00+00:00", 1.235, 5.0)
