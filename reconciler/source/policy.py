"""Whose signatures an operator asks for, by path. It stands outside of the repository that it guards."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SETTING: Final = "verify_signatures"


def _pattern(text: str) -> str:
    pattern = text.strip("/")
    if not pattern or any(part in ("", ".", "..") for part in pattern.split("/")):
        raise ValueError(f"{text!r} is no pattern of paths; write fleets/prod/**, relative to `path`")
    return pattern


class Rule(BaseModel):
    """Files, and whose signature the newest commit that changed each of them must have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paths: tuple[Annotated[str, AfterValidator(_pattern)], ...] = Field(min_length=1)
    signers: Path | None = None  # ssh keys: OpenSSH's allowed_signers
    keyring: Path | None = None  # exported GPG public keys
    since: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")  # it, and all before it, is trusted

    @model_validator(mode="after")
    def _has_keys(self) -> "Rule":
        if not self.files:
            raise ValueError("a rule needs `signers`, a file of ssh keys, or `keyring`, one of GPG keys")
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the keys are."""
        return tuple(filter(None, (self.signers, self.keyring)))

    def guarded(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return those files, relative to the desired state's folder, that this rule is about."""
        return tuple(f for f in files if any(matches(p, f) for p in self.paths))


@lru_cache(maxsize=100_000)
def matches(pattern: str, path: str) -> bool:
    """Does a pattern name this file, or a folder above it.

    `*`, `?` and `[...]` stand within one part of a path, `**` for any number of parts.
    """
    return _matches(tuple(pattern.split("/")), tuple(path.split("/")))


def _matches(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_matches(pattern[1:], parts[n:]) for n in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(pattern[1:], parts[1:])
