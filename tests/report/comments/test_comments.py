"""Every form of the comment reads as it did when a person looked at it last.

`make golden` writes the files anew; the run still fails, so that a person reads the difference.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from reconciler.report.levels import LEVELS
from reconciler.report.pull import Told
from tests.report.comments.forms import FORMS, changes, told

HERE = Path(__file__).parent
SMALLER = ("without-steps", "without-drift", "rows-alone", "risky-alone", "counts")
"""The levels below the whole comment, each of which is told where the one before it does not fit."""


@cache
def made(form: str) -> Told:
    return told(FORMS[form]())


@cache
def levels() -> tuple[str, ...]:
    """One plan at each level: told in a byte less than the level before it needs."""
    found = [told(changes()).body]
    while (text := told(changes(), len(found[-1].encode()) - 1).body) != found[-1]:
        found.append(text)
    return tuple(found)


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


@pytest.mark.parametrize("size", SMALLER)
def test_a_smaller_comment_is_the_golden_one(size: str, request: pytest.FixtureRequest) -> None:
    golden(f"changes-{size}", levels()[SMALLER.index(size) + 1], request)


def test_the_statuses_are_the_golden_ones(request: pytest.FixtureRequest) -> None:
    rows = [f"| {form} | {made(form).verdict} | {made(form).risk} | {made(form).title} |\n" for form in FORMS]
    golden(
        "statuses", "".join(["| form | status | risk | description |\n|---|---|---|---|\n", *rows]), request
    )


def test_every_golden_comment_has_its_form() -> None:
    named = {*FORMS, *(f"changes-{size}" for size in SMALLER), "statuses"}
    assert {file.stem for file in HERE.glob("*.md")} == named


def test_each_level_tells_less_and_the_least_keeps_verdict_and_digest() -> None:
    assert len(set(levels())) == len(LEVELS) == len(SMALLER) + 1
    titles = {body.splitlines()[0] for body in levels()}
    assert len(titles) == 1
    assert all(changes().found[0].merged.digest in body for body in levels())


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
