"""Secrets in plans: a keyed hash and a size, never the content."""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

TOLD: Final = re.compile(r"hash [0-9a-f]{8}, [0-9]+ lines?")
"""What stands for a secret. It is no base64, since it has spaces."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Says of a secret only whether it changed. The key keeps guessable content from being guessed."""

    key: bytes

    def secret(self, value: bytes | None) -> str:
        """Return a keyed hash and the number of lines of a secret."""
        if value is None:
            return "none"
        digest = hmac.new(self.key, value, sha256).hexdigest()[:8]
        lines = value.count(b"\n") + (not value.endswith(b"\n") and bool(value))
        return f"hash {digest}, {lines} {'line' if lines == 1 else 'lines'}"

    def user_data(self, value: str | None) -> str:
        """Return what is told of user data in base64; what a saved world tells of it stays as it is."""
        if value is None or TOLD.fullmatch(value):
            return value or self.secret(None)
        try:
            return self.secret(base64.b64decode(value, validate=True))
        except binascii.Error:  # a template that somebody else wrote
            return self.secret(value.encode())
