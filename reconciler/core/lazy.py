"""What an object works out when it is first asked, and then knows."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  # used as `property` is
    """`functools.cached_property` without the lock that it takes before Python 3.12: asking is all there is.

    For classes without slots whose fields never change. Two threads may both work it out, to the same end.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> T:
        """Return what was worked out; from now on the instance's own attribute answers."""
        found = self._work(instance)
        instance.__dict__[self._work.__name__] = found
        return found
