"""Profiles and overrides: maps merge deep, lists and scalars replace, `null` takes away.

A map that chooses replaces as a whole: half of one choice and half of another is neither. A `traffic`
that names none of its forms chooses nothing: it says more of the form that is there.
"""

from dataclasses import replace
from typing import Final

from reconciler.source.documents import Node

FORMS: Final = frozenset({"balancer", "listener", "attach"})
"""Keys of `traffic` that choose how it reaches a fleet. `dns` alone is another name, in another target."""


def merge(base: Node, over: Node) -> Node:
    """Return `over` merged over `base`. Each value keeps the place that it was written at."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if node.value is None:
            merged.pop(key, None)
        elif key in merged and not _chooses(key, merged[key], node):
            merged[key] = merge(merged[key], node)
        else:
            merged[key] = node
    return replace(over, value=merged)


def _chooses(key: str, base: Node, over: Node) -> bool:
    if key == "userData":
        return True
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return False
    if key == "traffic":
        return bool(FORMS & set(over.value))
    if key != "rollout":
        return False
    named = over.value.get("strategy")
    had = base.value.get("strategy")
    return named is not None and named.value != (had.value if had else "blue-green")


def without_nulls(node: Node) -> Node:
    """Return a node without the keys that say null: in a document of its own they take nothing away."""
    if isinstance(node.value, dict):
        kept = {k: without_nulls(v) for k, v in node.value.items() if v.value is not None}
        return Node(kept, node.at, node.key)  # `replace` would take as long as all the rest of it
    return node
