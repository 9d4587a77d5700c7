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

BLANK: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that draw nothing, so that two different names look alike."""

ZERO_WIDTH: Final = "\u200b"
MOST: Final = 200  # characters of one value: enough to know it by, short enough for a table


def visible(text: str) -> str:
    r"""Return one line in which control, bidi and blank characters are seen as `\n`, `\x1b`, `\u202e`."""
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


def code(text: str, most: int = MOST) -> str:
    """Return markdown's code span of one value, longer fenced than anything in it."""
    inner = _quiet(capped(visible(text), most))
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
    shown = [_quiet(capped(visible(line), most)) for line in lines]
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in shown), default=0))
    return "\n".join([f"{fence}{language}", *shown, fence])


def _quiet(text: str) -> str:
    """Break mentions: answers by e-mail take them even from code."""
    return text.replace("@", f"@{ZERO_WIDTH}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
