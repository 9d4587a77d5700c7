"""Canonical JSON and digests: equal meaning, equal bytes."""

import hashlib
import json
from typing import Final

_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
"""Made once: `json.dumps` makes one for each call, and a pass makes tens of thousands of calls."""


def canonical(value: object) -> str:
    """Return `value` as JSON with sorted keys and no spare space, so that equal values give equal text."""
    return _ENCODER.encode(value)


def sha(value: object, length: int = 64) -> str:
    """Return the first `length` hex digits of the SHA-256 of the canonical form of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def short(value: object) -> str:
    """Return the 6 hex digits that stand for one part in `reconciler:applied`."""
    return sha(value, 6)


def pruned(value: object) -> object:
    """Return `value` without members that are None or empty, as AWS itself leaves them out."""
    if isinstance(value, dict):
        kept = {k: pruned(v) for k, v in value.items()}
        return {k: v for k, v in kept.items() if v not in (None, {}, [])}
    if isinstance(value, list | tuple):
        return [pruned(v) for v in value]
    return value
