import re
import unicodedata

from hypothesis import given, settings

from reconciler.plan.model import ActionKind, Plan
from reconciler.report.escape import HIDDEN
from reconciler.report.text import GOES_ON, LONGEST, SAYS, closing, drift_text, plan_text
from tests.effort import tries
from tests.report.plans import plans

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@settings(max_examples=tries(50))
@given(plans)
def test_no_character_from_outside_steers_the_terminal(plan: Plan) -> None:
    for text in (plan_text(plan), drift_text(plan)):
        assert not {c for c in text if unicodedata.category(c) in HIDDEN} - {"\n"}
        assert max(map(len, text.split("\n"))) <= LONGEST + 40  # the cut line says how much is missing


@settings(max_examples=tries(50))
@given(plans)
def test_colour_changes_no_word(plan: Plan) -> None:
    assert ANSI.sub("", plan_text(plan, colour=True)) == plan_text(plan)


@settings(max_examples=tries(50))
@given(plans)
def test_every_document_with_a_change_is_told_and_the_last_line_counts(plan: Plan) -> None:
    lines = plan_text(plan).splitlines()
    assert lines[-1].startswith(closing(plan)[:LONGEST])
    told = [f" {says}" for action, says in (*SAYS.items(), *GOES_ON.items()) if action is not ActionKind.NONE]
    shown = sum(any(t in x for t in told) for x in lines)
    assert shown >= sum(i.action is not ActionKind.NONE for t in plan.targets for i in t.items)
