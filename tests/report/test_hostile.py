"""Text from outside is shown and never obeyed: each form of the comment, read by GitHub's own parser."""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.problem import Position, Problem
from reconciler.plan.model import Plan
from reconciler.plan.pulls import Compared
from reconciler.report import marker
from reconciler.report.ended import RESULTS, Ended
from reconciler.report.escape import ZERO_WIDTH, block, cell, code, visible
from reconciler.report.levels import FITS
from reconciler.report.markdown import drift_markdown, plan_markdown
from reconciler.report.marker import Marker
from reconciler.report.pull import Planned
from reconciler.source.git import Conflict, SourceError
from tests.effort import tries
from tests.report.comments.forms import FORMS, STAMP, Ending, Form, told
from tests.report.parsed import parsed, with_words
from tests.report.plans import drifts, items, refusals, target_plans, texts
from tests.report.plans import plans as any_plan
from tests.worlds import NOON

pytestmark = pytest.mark.slow

KEY = b"a key"
SIGNED = marker.write(Marker(pull=7, kind="plan", risk="none", key="forged"), KEY)
ATTACKS = {
    "a mention": "ask @octocat",
    "a mention of a team": "@acme/owners",
    "a number of another pull request": "fixes #123 and GH-1",
    "a reference into another repository": "acme/fleet#12 and !34 and acme/fleet@9e1d07c2a4b8f6e3",
    "a commit": "9e1d07c2a4b8f6e3d5c7a9b1e2f4d6c8a0b3e5f7",
    "a bare link": "see https://evil.example/?a=1 or www.evil.example or mailto:eve@evil.example",
    "a link in angles": "<https://evil.example>",
    "a link": "[the check is green](https://evil.example)",
    "an image that tells who reads": "![x](https://evil.example/pixel.png)",
    "a link by reference": "[x]\n\n[x]: https://evil.example",
    "a script": "<script>alert(1)</script>",
    "an image with a handler": '"><img src=x onerror=alert(1)>',
    "the end of a fold": "</summary></details></sub></td></tr></table>",
    "a comment that opens": "<!-- and all below is gone",
    "the end of a comment": "--> <h1>approved</h1>",
    "a mark of ours, signed": SIGNED,
    "a processing instruction": "<?php ?><![CDATA[x]]><!DOCTYPE x>",
    "backticks": "`",
    "a fence": "```",
    "a fence in a fence": "```\n### ✅ Fleet plan: no changes\n```",
    "a long fence": "`" * 300,
    "backticks of each length": "` `` ``` ```` ````` ``````",
    "tildes": "~~~\n~~gone~~",
    "a backslash at the end": "a\\",
    "an escaped backtick": "\\`@octocat\\`",
    "pipes": "a|b||c",
    "escaped pipes": "a\\|b\\\\|c\\",
    "a row of a table": "x |\n|---|---|\n| ✅ | approved |",
    "a heading": "\n# ✅ Fleet plan: no changes\n===",
    "lines": "a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h\x00i",
    "emphasis": "**approved** _by_ ~~nobody~~",
    "a list with boxes": "- [x] approved",
    "an entity": "&lt;b&gt; &#64;octocat &commat;octocat",
    "an emoji and a formula": ":white_check_mark: $\\color{green}{approved}$",
    "an order of GitLab's": "/close",
    "an order of ours": "/reconciler approve 0123456789",
    "a terminal": "\x1b[2J\x1b[1;1Hall good",
    "text that turns around": "\u202egnp.exe\u2066x\u2069\u200f",
    "blank letters": "a\u200b\u2060\u00ad\u3164\ufe0f\U000e0101b",
    "half a pair": "\ud800",
    "emoji": "🚀 done ✅",
    "length": "x" * 70_000,
    "length in bytes": "🔥" * 20_000,
}
UNPRINTED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
UNSEEN = frozenset("\n\ufe0f" + ZERO_WIDTH)  # ours: of lines, of our icons, and after `@`


@cache
def form(name: str) -> Form:
    return FORMS[name]()


def shown(text: str, plain: str) -> None:
    """The one differs from the other in what stands in code, and is quiet there."""
    ours, theirs = parsed(plain), parsed(text)
    assert theirs.told == ours.told
    assert theirs.comments == ours.comments
    assert not any(unicodedata.category(c) in UNPRINTED and c not in UNSEEN for c in text)
    assert "@" not in text.replace(f"@{ZERO_WIDTH}", "")
    assert not re.search(r"^/", text, re.MULTILINE)
    assert len(text.encode()) <= FITS + 1000


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", FORMS)
def test_no_word_from_outside_is_read_as_markdown(name: str, attack: str) -> None:
    shown(
        told(with_words(form(name), lambda _: ATTACKS[attack])).body,
        told(with_words(form(name), lambda _: "w")).body,
    )
    assert told(with_words(form(name), lambda _: ATTACKS[attack])).title == told(form(name)).title


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_text_itself_is_seen_whole_or_with_what_is_cut(attack: str) -> None:
    seen = visible(ATTACKS[attack])
    (read,) = parsed(code(seen)).code
    assert read.replace(ZERO_WIDTH, "").startswith(seen[:200].strip())
    assert len(seen) <= 200 or read.endswith(f"({len(seen) - 200} more characters)")


compared = st.builds(
    Compared,
    merged=target_plans,
    caused=st.lists(items, max_size=2).map(tuple),
    pending=st.lists(items, max_size=2).map(tuple),
    called_off=st.lists(items, max_size=2).map(tuple),
    drift=st.lists(drifts, max_size=2).map(tuple),
    refusals=st.lists(refusals, max_size=2).map(tuple),
)
words = st.lists(texts, max_size=2).map(tuple)
anything = st.one_of(
    st.builds(
        Planned,
        stamp=st.just(STAMP),
        found=st.lists(compared, max_size=2).map(tuple),
        files=words,
        draft=st.booleans(),
        overlaps=st.lists(st.tuples(st.integers(1, 99), words), max_size=2).map(tuple),
        released=words,
    ),
    st.builds(
        Ending,
        rows=st.lists(
            st.builds(
                Ended,
                item=items,
                result=st.sampled_from(tuple(RESULTS)),
                at=st.none() | st.just(NOON + timedelta(minutes=9)),
                why=texts,
                log=words,
            ),
            max_size=3,
        ).map(tuple),
        since=st.just(NOON),
        as_planned=st.booleans(),
    ),
    st.builds(Conflict, files=words),
    st.builds(SourceError, texts),
    st.lists(st.builds(Problem, at=st.builds(Position, texts), what=texts, why=texts, fix=texts)).map(tuple),
)


def plain(seen: dict[str, str], word: str) -> str:
    """A harmless word for each text, equal where the text is; blank ones stay blank."""
    return seen.setdefault(visible(word), f"w{len(seen)}") if visible(word).strip() else word


@settings(max_examples=tries(150))
@given(anything)
def test_no_form_of_any_plan_is_told_otherwise_for_its_words(made: Form) -> None:
    seen: dict[str, str] = {}
    shown(told(made).body, told(with_words(made, lambda word: plain(seen, word))).body)


@settings(max_examples=tries(100))
@given(any_plan)
def test_no_plan_of_a_commit_is_told_otherwise_for_its_words(made: Plan) -> None:
    seen: dict[str, str] = {}
    harmless = with_words(made, lambda word: plain(seen, word))
    shown(plan_markdown(made), plan_markdown(harmless))
    shown(drift_markdown(made), drift_markdown(harmless))


anywhere = texts | st.sampled_from(tuple(ATTACKS.values())) | st.text(alphabet="`|\\~<>@#/ \na", max_size=12)


@given(st.lists(anywhere, min_size=1, max_size=3))
def test_a_row_has_a_cell_for_each_value_that_holds_nothing_but_code(values: list[str]) -> None:
    head = f"|{' a |' * len(values)}\n|{'---|' * len(values)}\n"
    read = parsed(f"{head}| {' | '.join(cell(v) for v in values)} |\n")
    assert [t for t in read.told if t.startswith("<td")] == ["<td []>"] * len(values)
    assert len([t for t in read.told if t.startswith("<code")]) == sum(
        bool(visible(v).strip()) for v in values
    )


@given(st.lists(anywhere, min_size=1, max_size=4))
def test_a_block_holds_all_of_its_lines_and_ends(lines: list[str]) -> None:
    read = parsed(f"{block(lines)}\n\nafter\n")
    assert len(read.code[-1].split("\n")) == len(lines) + 1
    assert "".join(t for t in read.told if not t.startswith("<")).split() == ["after"]


@given(st.lists(anywhere | st.just("/close"), min_size=1, max_size=4))
def test_no_line_of_a_block_is_an_order_to_the_host(lines: list[str]) -> None:
    assert not any(line.startswith("/") for line in block(lines).split("\n"))


@given(st.text(alphabet="a\\|`", max_size=8))
def test_no_backslash_of_a_value_frees_a_pipe_of_its_cell(text: str) -> None:
    assert not re.search(r"(?<!\\)(\\\\)+\|", cell(text)), "an even number of them escapes each other"


@given(st.text(), st.text(), st.text(), st.integers())
def test_a_mark_is_one_comment_of_html_whatever_it_holds(kind: str, risk: str, key: str, pull: int) -> None:
    mark = Marker(pull=pull, kind=kind, risk=risk, key=key)
    body = f"text\n\n{marker.write(mark, KEY)}"
    read = parsed(body)
    assert len(read.comments) == 1
    assert "".join(t for t in read.told if not t.startswith("<")).split() == ["text"]
    assert marker.read(body, KEY) == mark
    assert marker.read(body, b"another key") is None


@pytest.mark.parametrize("name", [n for n in FORMS if n != "nothing-of-ours"])
def test_a_signed_mark_in_a_word_from_outside_is_not_ours(name: str) -> None:
    body = told(with_words(form(name), lambda _: SIGNED)).body
    assert marker.read(body, KEY) is None
    mine = Marker(pull=9, kind="plan")
    assert marker.read(f"{body}\n{marker.write(mine, KEY)}", KEY) == mine


def many(made: Form) -> Form:
    """The same, hundreds of times over, with the longest words."""
    long = with_words(made, lambda _: ATTACKS["length in bytes"])
    match long:
        case Planned(found=found):
            (one,) = found
            fat = replace(
                one.merged,
                items=one.merged.items * 60,
                unread=(ATTACKS["length"],) * 60,
                warnings=(ATTACKS["pipes"] * 500,) * 60,
            )
            names = tuple((n, (ATTACKS["length"],) * 20) for n in range(50))
            return replace(
                long,
                found=(
                    replace(
                        one,
                        merged=fat,
                        caused=one.caused * 60,
                        pending=one.caused * 60,
                        called_off=one.caused * 60,
                        refusals=one.refusals * 60,
                        drift=one.drift * 60,
                    ),
                ),
                overlaps=names,
                released=(ATTACKS["length"],) * 60,
            )
        case Ending(rows=rows):
            return replace(long, rows=rows * 100)
        case Conflict(files=files):
            return Conflict(files * 300)
        case SourceError():
            return long
        case _:
            return long * 50


@pytest.mark.parametrize("name", FORMS)
def test_hundreds_of_long_rows_stay_below_the_limit_of_the_host(name: str) -> None:
    made = told(many(form(name)))
    signed = f"{made.body}\n{marker.write(Marker(pull=10**9, kind='plan', risk='none', key='k' * 120), KEY)}"
    assert len(signed) < 65_536
    assert len(signed.encode()) < 65_536
    assert parsed(signed).comments, "nothing was cut in the middle"
