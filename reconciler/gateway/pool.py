"""One bounded pool of readers for each target, safe to use from within itself."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """At most `readers` threads, plus whoever asks."""

    def __init__(self, readers: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(max_workers=readers, thread_name_prefix=name)

    def each(self, fn: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return `fn` of each item, in the items' order, worked on side by side.

        Whoever asks does itself what no thread has begun, so that a call from within a pool thread
        never waits for a place in the pool. The first failure, by the items' order, is raised once
        nothing of this call runs any more; what had not begun then never does.
        """
        items = list(items)
        if len(items) <= 1:
            return [fn(i) for i in items]
        futures = [self._threads.submit(copy_context().run, fn, i) for i in items]
        try:
            return [fn(i) if f.cancel() else f.result() for f, i in zip(futures, items, strict=True)]
        except BaseException:
            _settle(futures)
            raise

    def close(self) -> None:
        """Begin nothing more; what runs ends by its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _settle(futures: list[Future[R]]) -> None:
    for future in futures:
        if not future.cancel():
            future.exception()
