"""How long rollouts take: the arithmetic of instance refreshes, and a page that holds what the code makes."""

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.refresh import BY_CONSOLE, Refresh
from benchmarks.rollouts import SIZES, STEPS, WAYS, computed, measured, render
from reconciler.plan.settle import USUAL

PAGE = (Path(__file__).parents[2] / "docs" / "rollouts.md").read_text()
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("refresh", "instances", "batch", "minutes", "surge", "serving"),
    [
        (Refresh(), 1, 1, 2, 0, 0),
        (Refresh(), 10, 1, 20, 0, 90),
        (Refresh(), 15, 1, 30, 0, 93),
        (Refresh(), 100, 10, 20, 0, 90),
        (Refresh(warmup=BY_CONSOLE), 100, 10, 70, 0, 90),
        (Refresh(least=100, most=100), 10, 1, 20, 1, 100),
        (Refresh(least=100, most=110), 100, 10, 20, 10, 100),
        (Refresh(checkpoints=2), 10, 1, 140, 0, 90),
        (Refresh(least=0), 10, 10, 2, 0, 0),
    ],
)
def test_an_instance_refresh_replaces_what_its_range_leaves_free_batch_by_batch(
    refresh: Refresh, instances: int, batch: int, minutes: int, surge: int, serving: int
) -> None:
    assert refresh.batch(instances) == batch
    assert refresh.whole(instances, USUAL) == minutes * MINUTE
    assert (refresh.surge(instances), refresh.serving(instances)) == (surge, serving)


def test_the_page_has_a_line_for_each_way_and_size_and_the_computed_ones_are_what_the_code_makes() -> None:
    for way in WAYS:
        for size in SIZES:
            assert PAGE.count(f"\n| {way.name} | {size} |") == 1
    for line in render(computed(SIZES)).splitlines():
        assert line in PAGE
    assert f"`{STEPS}`" in PAGE


@pytest.mark.wire
@pytest.mark.crash  # by `make test-crash`: seconds for one line; all of them are `make bench-rollouts`
def test_a_rollout_that_is_measured_anew_is_the_one_of_the_page() -> None:
    rows = measured([w for w in WAYS if "recreate" in w.name], SIZES[:1], lambda _: None)
    for line in render(rows).splitlines()[2:]:
        assert line in PAGE, (
            f"{line}: run `make bench-rollouts`, and put what it prints into docs/rollouts.md"
        )
