"""One escaper for all text from outside: names, tags, records, reasons, YAML excerpts, AWS's messages.

Such text is shown, never obeyed: it may not move a terminal's cursor, turn the reading direction,
end a table cell, open a link or a mention, or look like a verdict of ours.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are shown by their number: controls, bidi marks, surrogates, line separators."""

BLANK: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(c) for c in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
"""Letters and marks that draw nothing, variation selectors among them, so that two names look alike."""

ZERO_WIDTH: Final = "\u200b"
_RUN: Final = re.compile(r"`{8}(?=`)")
MOST: Final = 200  # characters of one value: enough to know it by, short enough for a table


def visible(text: str) -> str:
    r"""Return one line in which control, bidi and blank characters are seen as `\n`, `\x1b`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text  # nearly all text is
    return "".join(_shown(c) for c in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) not in HIDDEN and char not in BLANK:
        return char
    code = ord(char)
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    return short or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def capped(text: str, most: int = MOST) -> str:
    """Return at most `most` characters, and how many more there were."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


def excerpt(text: str, most: int = MOST) -> str:
    """Return at most `most` visible characters, and how many of the text are left out.

    No more of the text than that is looked at: it may be as long as somebody liked.
    """
    if len(text) <= most and text.isascii() and text.isprintable():
        return text
    seen: list[str] = []
    room = most
    for place, char in enumerate(text):
        room -= len(shown := _shown(char))
        if room < 0:
            return f"{''.join(seen)}… ({len(text) - place} more characters)"
        seen.append(shown)
    return "".join(seen)


def code(text: str, most: int = MOST) -> str:
    """Return markdown's code span of one value, longer fenced than anything in it."""
    inner = _quiet(excerpt(text, most))
    if not inner.strip():
        return "(nothing)"
    fence = "`" * (_longest_run(inner) + 1)
    pad = " " if inner[0] in "` " or inner[-1] in "` " else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def cell(text: str, most: int = MOST) -> str:
    """Return a code span for a table, where even in code a bare `|` ends the cell.

    A backslash before it is kept from escaping our own backslash.
    """
    return re.sub(r"\\(?=\|)", f"\\\\{ZERO_WIDTH}", code(text, most)).replace("|", "\\|")


def block(lines: Iterable[str], language: str = "", most: int = MOST) -> str:
    """Return markdown's fenced block, each value on one line, fenced longer than anything in it."""
    shown = [_no_order(_quiet(excerpt(line, most))) for line in lines]
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in shown), default=0))
    return "\n".join([f"{fence}{language}", *shown, fence])


def _quiet(text: str) -> str:
    """Break mentions, which answers by e-mail take even from code, and runs of backticks that are no fence.

    GitHub's parser (cmark) knows no code span between more than 80 backticks: it would be none at all.
    """
    return _RUN.sub(rf"\g<0>{ZERO_WIDTH}", text.replace("@", f"@{ZERO_WIDTH}"))


def _no_order(line: str) -> str:
    """Keep a line from beginning with `/`: GitLab takes `/close` there for an order of the author's.

    It passes over fences of three backticks alone (lib/gitlab/quick_actions/extractor.rb), and ours is longer
    where the content has three. Bots on other hosts read lines alike, fenced or not.
    """
    return f"{ZERO_WIDTH}{line}" if line.startswith("/") else line


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
