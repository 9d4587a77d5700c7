"""Putting our operations in the place of moto's. The one way in which the overlay changes moto."""

from typing import Any


def patch(owner: type, **methods: Any) -> None:
    """Let a class have these methods or properties in the place of its own."""
    for name, method in methods.items():
        setattr(owner, name, method)


def operations(source: type) -> dict[str, Any]:
    """Return the public methods of a class, by name."""
    return {name: method for name, method in vars(source).items() if not name.startswith("_")}
