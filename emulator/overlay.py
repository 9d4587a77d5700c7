"""The overlay's modules: each repairs one part of moto, and lets time pass in it.

A module has `install() -> None` (patch moto's classes; called once, before the first request),
`tick(now: datetime) -> None` (bring what depends on time up to `now`; called under the server's lock
before each request) and may have `reset() -> None` (forget what it keeps outside moto's backends).
"""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from types import ModuleType
from typing import Final

MODULES: Final = (
    "emulator.ec2",
    "emulator.images",
    "emulator.route53",
    "emulator.elb",
    "emulator.autoscaling",
    "emulator.cloudwatch",
)


def install(names: Sequence[str] = MODULES) -> tuple[ModuleType, ...]:
    """Import and install the modules, in order."""
    modules = tuple(import_module(name) for name in names)
    for module in modules:
        module.install()
    return modules


def tick(modules: Sequence[ModuleType], now: datetime) -> None:
    """Bring every module's part of the world up to `now`."""
    for module in modules:
        module.tick(now)


def reset(modules: Sequence[ModuleType]) -> None:
    """Let every module forget what it keeps."""
    for module in modules:
        forget = getattr(module, "reset", None)
        if forget:
            forget()
