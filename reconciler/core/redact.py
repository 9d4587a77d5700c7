"""Secrets in plans: a keyed hash and a size, never the content."""

import hmac
from dataclasses import dataclass
from hashlib import sha256


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
        return f"hash {digest}, {lines} lines"
