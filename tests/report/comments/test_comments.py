"""Every form of the comment reads as it did when a person looked at it last.

`make golden` writes the files anew; the run still fails, so that a person reads the difference.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from reconciler.report.levels import FITS, LEVELS
from reconciler.report.pull import Told
from tests.report.comments.forms import FORMS, changes, told

HERE = Path(__file__).parent
SIZES = {
    "without-steps": 2500,
    "without-drift": 2300,
    "rows-alone": 1600,
    "risky-alone": 1300,
    "counts": 1000,
}
"""Bytes into which the same plan has to go, and what is left of it."""


@cache
def made(form: str) -> Told:
    return told(FORMS[form]())


def golden(name: str, text: str, request: pytest.FixtureRequest) -> None:
    file = HERE / f"{name}.md"
    anew = request.config.getoption("--golden", default=False)
    if anew:
        file.write_text(text)
    assert file.read_text() == text
    assert not anew, "written anew: read the difference, then run without --golden"


@pytest.mark.parametrize("form", FORMS)
def test_the_comment_is_the_golden_one(form: str, request: pytest.FixtureRequest) -> None:
    golden(form, made(form).body, request)


@pytest.mark.parametrize("size", SIZES)
def test_a_smaller_comment_is_the_golden_one(size: str, request: pytest.FixtureRequest) -> None:
    text = told(changes(), SIZES[size]).body
    assert len(text.encode()) <= SIZES[size]
    golden(f"changes-{size}", text, request)


def test_the_statuses_are_the_golden_ones(request: pytest.FixtureRequest) -> None:
    rows = [f"| {form} | {made(form).verdict} | {made(form).risk} | {made(form).title} |\n" for form in FORMS]
    golden(
        "statuses", "".join(["| form | status | risk | description |\n|---|---|---|---|\n", *rows]), request
    )


def test_every_golden_comment_has_its_form() -> None:
    named = {*FORMS, *(f"changes-{size}" for size in SIZES), "statuses"}
    assert {file.stem for file in HERE.glob("*.md")} == named


def test_each_level_tells_less_and_the_least_keeps_verdict_and_digest() -> None:
    found = changes()
    whole = len(told(found, FITS).body.encode())
    bodies = list(dict.fromkeys(told(found, fits).body for fits in range(whole, 0, -20)))
    assert len(bodies) == len(LEVELS)
    titles = {body.splitlines()[0] for body in bodies}
    assert len(titles) == 1
    assert all(found.found[0].merged.digest in body for body in bodies)


@pytest.mark.parametrize("form", FORMS)
def test_a_status_is_short_and_of_our_own_words(form: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9 ,;:']{1,140}", made(form).title)


@pytest.mark.parametrize("form", ["unread", "blind", "not-planned", "invalid", "merge-conflict"])
def test_a_plan_that_could_not_be_made_never_reads_as_no_changes(form: str) -> None:
    assert made(form).verdict in ("error", "failure")
    assert not re.search(r"no changes|nothing live would change|✅", made(form).body + made(form).title)


def test_what_could_not_be_read_is_named_and_counted_and_is_not_told_as_merged_before() -> None:
    body = made("unread").body
    assert "**4 of 6 documents planned in 1 target**" in body
    assert "`Zone example-com in prod`" in body
    assert "Merged before" not in body
