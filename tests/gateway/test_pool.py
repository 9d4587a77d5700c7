"""The bounded pool of a target."""

import threading
from itertools import chain

import pytest

from reconciler.gateway.pool import Pool


@pytest.fixture
def pool():
    made = Pool(2, "test")
    yield made
    made.close()


def test_results_come_in_the_items_order(pool):
    assert pool.each(lambda i: i * i, range(50)) == [i * i for i in range(50)]


@pytest.mark.parametrize("items", [[], [3]], ids=["none", "one"])
def test_few_items_need_no_thread(pool, items):
    here = threading.get_ident()
    assert pool.each(lambda _: threading.get_ident(), items) == [here] * len(items)


def test_a_call_from_within_the_pool_never_waits_for_a_place_in_it(pool):
    def deep(level):
        return [level] if level == 0 else list(chain(*pool.each(lambda _: deep(level - 1), range(3))))

    assert deep(4) == [0] * 3**4


def test_the_first_failure_by_order_is_raised(pool):
    def fails(i):
        if i % 2:
            raise ValueError(i)
        return i

    with pytest.raises(ValueError, match=r"^1$"):
        pool.each(fails, range(20))


def test_after_a_failure_nothing_of_the_call_runs_any_more(pool):
    begun, ended = [], []
    second = threading.Event()

    def work(i):
        begun.append(i)
        if i == 0:
            second.wait(10)
            raise ValueError
        second.set()
        ended.append(i)

    with pytest.raises(ValueError):
        pool.each(work, range(8))
    assert sorted(begun) == [0, *sorted(ended)]


def test_no_more_threads_work_than_the_pool_has_and_the_one_that_asks(pool):
    names = pool.each(lambda _: threading.current_thread().name, range(64))
    assert len(set(names)) <= 3
