"""A comment as GitHub's own parser reads it: what stands in code, and all the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any, TypeVar

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

T = TypeVar("T")
INSIDE = ("code", "pre")
OUTSIDE = frozenset(
    [
        "name",
        "path",
        "old",
        "new",
        "at",
        "detail",
        "why",
        "was",
        "to",
        "resource",
        "field",
        "want",
        "live",
        "unread",
        "warnings",
        "notes",
        "file",
        "files",
        "what",
        "fix",
        "because",
        "overlaps",
        "released",
        "log",
        "what",
    ]
)
"""Fields of plans, problems and endings that hold words from outside."""
OURS = frozenset({"now", "order", "labels"})  # what no comment tells


@dataclass
class Parsed(HTMLParser):
    """Tags, and text outside code, in their order; the text of each piece of code beside them."""

    told: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    _depth: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.told.append(f"<{tag} {attrs}>")
        if tag in INSIDE:
            self._depth += 1
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self.told.append(f"</{tag}>")
        self._depth -= tag in INSIDE

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.code[-1] += data
        else:
            self.told.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self.told.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self.told.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.told.append(f"<![{data}]>")


def parsed(text: str) -> Parsed:
    """Read markdown by GitHub's parser, with all of its extensions, and the HTML by Python's."""
    html = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    made = Parsed()
    made.feed(html)
    made.close()
    assert made._depth == 0, "code that is not closed"
    return made


def with_words(thing: T, word: Callable[[str], str]) -> T:
    """The same plan, problems or ending, with other words in every field that comes from outside."""
    made: T = _of(thing, word, outside=False)
    return made


def _of(thing: Any, word: Callable[[str], str], *, outside: bool) -> Any:
    if isinstance(thing, str):
        return word(thing) if outside and thing and type(thing) is str else thing
    if isinstance(thing, tuple):
        return tuple(_of(one, word, outside=outside) for one in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        made = {
            f.name: _of(getattr(thing, f.name), word, outside=f.name in OUTSIDE)
            for f in fields(thing)
            if f.name not in OURS
        }
        return replace(thing, **made)
    return thing
