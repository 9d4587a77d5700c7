"""Repairs."""

from datetime import datetime


def install() -> None:
    """Patch moto."""


def tick(now: datetime) -> None:
    """Nothing here depends on time."""
