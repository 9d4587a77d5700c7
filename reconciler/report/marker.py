"""The mark in our comments: base64 JSON and a keyed hash, in an HTML comment.

It is a hint, never a truth: whose a comment is, the host says by its author's id.
"""

import base64
import binascii
import hmac
import json
import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final

_FORM: Final = re.compile(r"<!-- reconciler:v1 ([A-Za-z0-9_=-]{1,4000}) ([0-9a-f]{32}) -->\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a comment of ours is."""

    pull: int
    kind: str  # plan | end
    risk: str = ""
    key: str = ""  # what it was made for


def write(marker: Marker, key: bytes) -> str:
    """Return the mark as the last line of a comment."""
    text = json.dumps(asdict(marker), sort_keys=True, separators=(",", ":"))
    coded = base64.urlsafe_b64encode(text.encode()).decode()
    return f"<!-- reconciler:v1 {coded} {_hash(coded, key)} -->"


def read(body: str, key: bytes) -> Marker | None:
    """Return the mark of a comment, or None where there is none that we made."""
    found = _FORM.search(body)
    if found is None or not hmac.compare_digest(_hash(found[1], key), found[2]):
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(found[1]))
        return Marker(**values)
    except (ValueError, TypeError, binascii.Error):
        return None


def _hash(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), sha256).hexdigest()[:32]
