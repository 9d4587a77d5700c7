import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.problem import Position, Problem
from reconciler.plan.model import Plan
from reconciler.report.escape import HIDDEN, ZERO_WIDTH, block, capped, cell, code, visible
from reconciler.report.markdown import drift_markdown, plan_markdown, problems_markdown
from tests.effort import tries
from tests.report.plans import plans, texts

OURS = frozenset("\n\ufe0f" + ZERO_WIDTH)
anything = texts | st.text()


def outside_code(line: str) -> str:
    """What GitHub reads as markdown in one line: all but code spans (GFM spec 0.29, section 6.3)."""
    left, rest = "", line
    while found := re.search(r"`+", rest):
        left += rest[: found.start()]
        after = rest[found.end() :]
        end = re.search(rf"(?<!`){found.group()}(?!`)", after)
        assert end, f"a code span is not closed: {line!r}"
        rest = after[end.end() :]
    return left + rest


def outside_blocks(text: str) -> list[str]:
    """The lines that stand in no fenced block (GFM spec 0.29, section 4.5)."""
    kept, fence = [], ""
    for line in text.split("\n"):
        opened = re.match(r"^(`{3,})[a-z]*$", line)
        if fence:
            fence = "" if opened and len(opened.group(1)) >= len(fence) and line == opened.group(1) else fence
        elif opened:
            fence = opened.group(1)
        else:
            kept.append(line)
    assert not fence, "a fenced block is not closed"
    return kept


def cells(row: str) -> list[str]:
    """The cells of a table's row: cut at each bare `|`, before code spans are looked for."""
    return re.split(r"(?<!\\)\|", row)[1:-1]


def read(text: str) -> str:
    """All that GitHub takes for markdown, tables checked on the way."""
    out, width = "", 0
    for line in outside_blocks(text):
        if line.startswith("|"):
            found = cells(line)
            width = width or len(found)
            assert len(found) == width, line
            out += "\n".join(outside_code(c) for c in found)
        else:
            width = 0
            out += outside_code(line)
        out += "\n"
    return out


MARKDOWN = re.compile(r"javascript|script>|octocat|reconciler:v1|all good|approved\n|gnp|xxxx|#12")


def safe(text: str) -> None:
    assert not {c for c in text if unicodedata.category(c) in HIDDEN} - OURS
    assert f"@{ZERO_WIDTH}" * text.count("@") == "".join(re.findall(rf"@{ZERO_WIDTH}?", text))
    assert not MARKDOWN.search(read(text))


@settings(max_examples=tries(100))
@given(plans)
def test_nothing_from_outside_is_read_as_markdown(plan: Plan) -> None:
    safe(plan_markdown(plan))
    safe(drift_markdown(plan))


@settings(max_examples=tries(100))
@given(st.lists(st.builds(Problem, at=st.builds(Position, texts), what=texts, why=texts, fix=texts)))
def test_no_problem_is_read_as_markdown(problems: list[Problem]) -> None:
    safe(problems_markdown(problems))


@given(plans, st.integers(300, 20_000))
def test_what_is_too_long_loses_sections_and_never_a_digest(plan: Plan, fits: int) -> None:
    text = plan_markdown(plan, fits=fits)
    assert len(text) <= len(plan_markdown(plan)) + 200  # the sentence that says what is left out
    for target in plan.targets:
        assert target.digest in text


@given(anything)
def test_a_code_span_holds_its_text_and_nothing_else(text: str) -> None:
    assert outside_code(code(text)) in ("", "(nothing)")
    assert "\n" not in code(text)


@given(st.lists(anything, min_size=1, max_size=3))
def test_a_row_has_as_many_cells_as_values(values: list[str]) -> None:
    row = f"| {' | '.join(cell(v) for v in values)} |"
    found = cells(row)
    assert len(found) == len(values)
    assert all(outside_code(c).strip() in ("", "(nothing)") for c in found)
    assert not re.search(r"\\\\+\|", row)  # no backslash of the value escapes ours


@given(st.lists(anything))
def test_a_block_keeps_each_value_on_its_line(lines: list[str]) -> None:
    made = block(lines).split("\n")
    assert len(made) == len(lines) + 2
    assert outside_blocks("\n".join(made)) == []


@given(anything)
def test_visible_text_is_one_line_and_printable_text_stays(text: str) -> None:
    shown = visible(text)
    assert not {c for c in shown if unicodedata.category(c) in HIDDEN}
    assert visible(shown) == shown
    if text.isascii() and text.isprintable():
        assert shown == text


def test_a_long_value_says_how_much_is_missing() -> None:
    assert capped("x" * 300, 10) == f"{'x' * 10}… (290 more characters)"


def test_an_invalid_commit_has_its_own_form() -> None:
    problem = Problem(
        Position("fleets/web.yaml", 17, 5),
        "`capacity.min` (8) is above `capacity.max` (6)",
        "AWS refuses such a group",
        "raise max | lower min",
    )
    assert problems_markdown([problem]) == (
        "### ❌ Fleet plan: 1 error in 1 file; nothing was planned\n"
        "**If merged like this, nothing of the commit is adopted: the last good commit stays in force.**\n"
        "\n"
        "| Where | What is wrong | Why | What to write instead |\n"
        "|---|---|---|---|\n"
        "| `fleets/web.yaml:17:5` | `` `capacity.min` (8) is above `capacity.max` (6) `` "
        "| `AWS refuses such a group` | `raise max \\| lower min` |\n"
    )
