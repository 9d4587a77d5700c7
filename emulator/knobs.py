"""The register of knobs: what a test or a demo may do to the world that no AWS operation does."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

KNOBS: Final[dict[str, Callable[..., Any]]] = {}
"""Functions by name. Each takes keyword arguments (JSON values) and returns a JSON value or None."""


def knob(name: str) -> Callable[[F], F]:
    """Register a function as a knob; its docstring is what `GET /_emulator/knobs` says of it."""

    def register(function: F) -> F:
        KNOBS[name] = function
        return function

    return register


def turn(name: str, arguments: dict[str, Any]) -> Any:
    """Call a knob under the server's lock, once the world has caught up with the clock.

    Raises: ValueError for a knob or arguments that are none.
    """
    if name not in KNOBS:
        raise ValueError(f"there is no knob {name}; there are {', '.join(sorted(KNOBS))}")
    try:
        return KNOBS[name](**arguments)
    except (TypeError, KeyError) as error:
        raise ValueError(f"knob {name}: {error}") from error


def describe() -> dict[str, str]:
    """Return the first line of what each knob says of itself."""
    return {name: (function.__doc__ or "").partition("\n")[0] for name, function in sorted(KNOBS.items())}
