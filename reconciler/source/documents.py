"""YAML by events: documents as nodes that know where they stand. Never recursive, so no file can crash it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from reconciler.core.problem import Position, Problem

DEPTH: Final = 50
NODES: Final = 100_000  # of one file

INTEGER: Final = re.compile(r"^[-+]?(0|[1-9][0-9]*)$")
FLOAT: Final = re.compile(
    r"^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)\.[0-9]*|(0|[1-9][0-9]*)(?=[eE]))([eE][-+]?[0-9]+)?$"
)
WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True)
class Node:
    """A value, where it stands, and where its key stands. Maps and lists hold nodes."""

    value: Any
    at: Position
    key: Position


def plain(node: Node) -> Any:
    """Return the bare value below a node."""
    if isinstance(node.value, dict):
        return {k: plain(v) for k, v in node.value.items()}
    if isinstance(node.value, list):
        return [plain(v) for v in node.value]
    return node.value


def find(node: Node, loc: tuple[str | int, ...]) -> tuple[Node, bool]:
    """Walk down; segments that are no key there are passed over. Say whether the whole way was there."""
    whole = True
    for segment in loc:
        inner = _child(node.value, segment)
        if inner is None:
            whole = False
        else:
            node = inner
    return node, whole


def _child(value: Any, segment: str | int) -> Node | None:
    if isinstance(value, dict):
        return value.get(segment)
    if isinstance(value, list) and isinstance(segment, int) and segment < len(value):
        inner: Node = value[segment]
        return inner
    return None


class _StopError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_documents(file: str, raw: bytes) -> tuple[list[Node], list[Problem]]:
    """Return the documents of one file, and what is wrong with it; a broken file gives no documents."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        why = "YAML here is UTF-8"
        return [], [Problem(Position(file, line), "a byte that is not UTF-8", why, "save the file as UTF-8")]
    reader = _Reader(file)
    try:
        for event in _events(text):
            reader.take(event)
    except _StopError as stop:
        return [], [*reader.problems, stop.problem]
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return [], [
            Problem(
                Position(file, line),
                f"the character U+{error.character:04X}",
                "YAML forbids it",
                "take it out",
            )
        ]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        what = f"not YAML: {error.problem or error.context}"
        why = "the rest of the file can't be read" if not error.context else str(error.context)
        return [], [Problem(at, what, why, "mend the syntax: indent with spaces, quote what holds : or #")]
    return ([] if reader.problems else reader.documents), reader.problems


def _events(text: str) -> Iterator[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from yaml.parse(text, Loader=loader)


class _Reader:
    """Builds nodes from events, with a stack of its own."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.documents: list[Node] = []
        self.problems: list[Problem] = []
        self.stack: list[Node] = []
        self.keys: list[tuple[str, Position] | None] = []
        self.count = 0

    def at(self, event: Any) -> Position:
        mark = event.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1)

    def stop(self, at: Position, what: str, why: str, fix: str) -> None:
        raise _StopError(Problem(at, what, why, fix))

    def take(self, event: Any) -> None:
        match event:
            case yaml.AliasEvent():
                self.stop(
                    self.at(event), "an alias", "aliases hide what a file says", "use a Profile, or repeat it"
                )
            case yaml.ScalarEvent():
                self._guard(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._guard(event)
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.stack.pop()
                self.keys.pop()
            case _:
                pass

    def _guard(self, event: Any) -> None:
        self.count += 1
        if event.anchor:
            self.stop(
                self.at(event),
                f"an anchor &{event.anchor}",
                "anchors hide what a file says",
                "use a Profile, or repeat it",
            )
        if event.tag and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            self.stop(
                self.at(event),
                f"a tag {event.tag}",
                "types are not chosen by tags here",
                "take it out; quote strings",
            )
        if len(self.stack) >= DEPTH:
            self.stop(self.at(event), f"nesting over {DEPTH} deep", "no document needs it", "flatten it")
        if self.count > NODES:
            self.stop(
                self.at(event), f"over {NODES} values in one file", "no file needs them", "split the file"
            )

    def _open(self, event: Any) -> None:
        is_map = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            self.stop(self.at(event), "a key that is a map or list", "keys are strings", "write a plain key")
        node = self._place(event, {} if is_map else [])
        self.stack.append(node)
        self.keys.append(None)

    def _scalar(self, event: Any) -> None:
        if not self._wants_key():
            self._place(event, resolve(event.value, plain=not event.style))
            return
        key, at = event.value, self.at(event)
        inner = self.stack[-1].value
        if key == "<<" and not event.style:
            self.stop(at, "a merge key <<", "merging hides what a file says", "use a Profile")
        if not event.style and not isinstance(resolve(key, plain=True), str):
            said = key or "nothing"
            self.problems.append(
                Problem(at, f"the key {said} is not a string", "keys are strings", f'write "{key}"')
            )
        if key in inner:
            first = inner[key].key
            why = f"it stands on line {first.line} already, and one of the two would be lost"
            self.problems.append(Problem(at, f"the key `{key}` stands twice", why, "take one out"))
        self.keys[-1] = (key, at)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.keys[-1] is None

    def _place(self, event: Any, value: Any) -> Node:
        at = self.at(event)
        if not self.stack:
            node = Node(value, at, at)
            if value is not None:
                self.documents.append(node)
            return node
        parent = self.stack[-1].value
        if isinstance(parent, list):
            node = Node(value, at, at)
            parent.append(node)
            return node
        key = self.keys[-1]
        node = Node(value, at, key[1] if key else at)
        if key:
            parent[key[0]] = node
        self.keys[-1] = None
        return node


def resolve(text: str, *, plain: bool) -> Any:
    """Return what a scalar means: YAML 1.2 core, but a number with a leading zero stays a string."""
    if not plain:
        return text
    if text in WORDS:
        return WORDS[text]
    if INTEGER.match(text) and len(text) < 20:
        return int(text)
    if FLOAT.match(text) and len(text) < 40:
        return float(text)
    return text
