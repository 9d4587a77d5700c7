"""Rolling and recreate over the wire: capacity moves, sizes as AWS has them at each write, and the way back."""

import json
from datetime import timedelta

import pytest

from reconciler.plan.standing import Standing, standing
from tests.product import Pass, Product, story
from tests.wire.company import NEW_AMI, TRAFFIC, base, fleet, zone
from tests.wire.watch import Watch, assert_one_whole

pytestmark = pytest.mark.wire

SIZE = 4
CAPACITY = f"{{min: {SIZE}, max: 8, desired: {SIZE}}}"
ROLLING = "strategy: rolling, surge: 25%, keepOld: 5m, gates: {alarms: [web-5xx]}"
MATRIX = pytest.mark.crash  # the other kind of traffic is told the same by `make test-crash`
RECREATE = "strategy: recreate, keepOld: 5m"


def serving(product: Product, kind: str, rollout: str, *, swaps: bool = False) -> tuple[Watch, str]:
    """A fleet that serves, and the name of its group."""
    watch = Watch(product.aws, kind, least=SIZE, swaps=swaps)
    product.aws.control.knob("alarm", name="web-5xx", state="OK")
    web = fleet(TRAFFIC[kind], capacity=CAPACITY, rollout=rollout)
    product.commit({"target.yaml": base(), "zone.yaml": zone(), "fleets/web.yaml": web})
    product.settle(watch.look)
    (old,) = watch.groups()
    product.aws.control.clear_calls()
    return watch, old


def sizes(product: Product, name: str) -> list[int]:
    """The desired sizes that were written to a group, oldest first."""
    wrote = [
        c["params"]
        for c in product.aws.control.calls()
        if c["operation"] in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup")
    ]
    return [p["DesiredCapacity"] for p in wrote if p["AutoScalingGroupName"] == name]


def blocked(passes: list[Pass]) -> bool:
    """Does nothing move any more until a person acts."""
    return standing(passes[-1].plan) is Standing.BLOCKED


@pytest.mark.parametrize("kind", ["attach", pytest.param("none", marks=MATRIX)])
def test_a_rolling_fleet_moves_batch_by_batch_and_never_serves_with_less_nor_runs_more_than_one_batch_beside(
    product: Product, kind: str
) -> None:
    watch, old = serving(product, kind, ROLLING)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.settle(watch.look)
    (new,) = watch.groups()
    assert sizes(product, new)[:SIZE] == [1, 2, 3, 4]
    assert sizes(product, old) == [3, 2, 1, 0]
    assert watch.most == SIZE + 1
    assert_one_whole(watch)


@pytest.mark.parametrize("kind", ["none", pytest.param("attach", marks=MATRIX)])
def test_an_alarm_in_the_second_batch_gives_the_old_group_its_size_back_before_the_new_one_goes(
    product: Product, kind: str
) -> None:
    watch, old = serving(product, kind, ROLLING)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.converge(watch.look, until=lambda _: _moved(watch, old, "2"))
    (new,) = set(watch.groups()) - {old}
    product.aws.control.knob("alarm", name="web-5xx", state="ALARM")
    passes = product.converge(watch.look)
    assert blocked(passes), story(passes)
    assert sizes(product, old) == [3, 2, 4]
    assert watch.tombstones()[new].startswith("alarm web-5xx is in ALARM")
    assert len(watch.instances(old)) == SIZE
    assert_one_whole(watch, dead=(new,))


@MATRIX
def test_a_rolling_fleet_that_is_aborted_goes_back_from_the_middle_and_from_the_end(product: Product) -> None:
    watch, old = serving(product, "none", ROLLING)
    product.commit({"target.yaml": base(NEW_AMI)})
    for stage in ("1", "full"):
        product.converge(watch.look, until=lambda _, s=stage: _moved(watch, old, s))
        (new,) = set(watch.groups()) - {old}
        assert product.cli("abort", "web", "--reason", "slow").code == 0
        assert blocked(product.converge(watch.look))
        assert watch.tombstones() == {new: "aborted: slow"}
        assert_one_whole(watch, dead=(new,))
        assert len(watch.instances(old)) == SIZE
        assert product.cli("retry", "web").code == 0
    product.settle(watch.look)
    assert set(watch.groups()) == {new}


def _moved(watch: Watch, old: str, stage: str) -> bool:
    return any(s == stage for name, s in watch.stages().items() if name != old)


def test_a_newer_commit_in_the_middle_of_rolling_starts_from_the_whole_of_who_served_before(
    product: Product,
) -> None:
    watch, old = serving(product, "none", ROLLING)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.converge(watch.look, until=lambda _: _moved(watch, old, "2"))
    (unfinished,) = set(watch.groups()) - {old}
    product.commit({"fleets/web.yaml": fleet(capacity=CAPACITY, rollout=ROLLING, launch='generation: "2"')})
    product.settle(watch.look)
    (newest,) = watch.groups()
    assert newest not in (old, unfinished)
    assert_one_whole(watch)


@pytest.mark.parametrize("kind", ["none", pytest.param("listener", marks=MATRIX)])
def test_recreate_says_that_nothing_serves_and_never_runs_two_side_by_side(
    product: Product, kind: str
) -> None:
    watch, old = serving(product, kind, RECREATE, swaps=True)
    product.commit({"target.yaml": base(NEW_AMI)})
    assert "nothing serves" in product.cli("plan").out.casefold()
    told = json.dumps(json.loads(product.cli("plan", "--format", "json").out)["changes"])
    assert "nothing serves" in told.casefold()
    product.settle(watch.look)
    (new,) = watch.groups()
    assert sizes(product, old)[0] == 0
    assert watch.most == SIZE
    assert new != old
    assert_one_whole(watch)


def test_a_recreated_fleet_that_can_not_launch_starts_its_old_revision_again(product: Product) -> None:
    watch, old = serving(product, "none", f"{RECREATE}, readyWithin: 5m", swaps=True)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.converge(watch.look, until=lambda _: len(watch.groups()) > 1)
    (new,) = set(watch.groups()) - {old}
    product.aws.control.knob("launch-failure", pattern=new)
    product.aws.control.advance(timedelta(seconds=5))
    for instance in watch.instances(new):
        product.aws.control.knob("terminate-instance", id=instance)
    passes = product.converge(watch.look)
    assert blocked(passes), story(passes)
    assert "not ready in time" in watch.tombstones()[new]
    assert len(watch.instances(old)) == SIZE
    assert_one_whole(watch, dead=(new,))
