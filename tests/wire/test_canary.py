"""Canaries over the wire: shares of traffic as AWS has them, and every way on and back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.plan.standing import Standing, standing
from tests.product import Pass, Product, story
from tests.wire.company import NEW_AMI, TRAFFIC, base, fleet, zone
from tests.wire.watch import Watch, assert_one_whole

pytestmark = pytest.mark.wire

STEPS = (
    "strategy: canary, keepOld: 5m, steps: [{weight: 10, hold: 5m}, {weight: 50, hold: 10m}, {pause: true}]"
)
GATED = f"{STEPS}, gates: {{alarms: [web-5xx]}}"
SHIFTS = {"balancer": "ChangeResourceRecordSets", "listener": "ModifyRule"}
TTL = timedelta(seconds=60)  # of an alias to a balancer
WHOLE = {"balancer": 255, "listener": 100}
TENTH = {"balancer": 26, "listener": 10}
HALF = {"balancer": 128, "listener": 50}
MATRIX = pytest.mark.crash  # the other kind of weights is told the same by `make test-crash`
BY_DNS = ["balancer", pytest.param("listener", marks=MATRIX)]
BY_RULE = ["listener", pytest.param("balancer", marks=MATRIX)]


def begun(product: Product, kind: str, rollout: str = STEPS, *, stage: str = "") -> tuple[Watch, str, str]:
    """A fleet that serves, and a rollout to its pause, or until its new group is at a stage.

    Return what watches it, and the names of the old and of the new group.
    """
    watch = Watch(product.aws, kind)
    product.aws.control.knob("alarm", name="web-5xx", state="OK")
    web = fleet(TRAFFIC[kind], rollout=rollout)
    product.commit({"target.yaml": base(), "zone.yaml": zone(), "fleets/web.yaml": web})
    product.settle(watch.look)
    (old,) = watch.groups()
    product.commit({"target.yaml": base(NEW_AMI)})
    passes = product.converge(watch.look, until=lambda _: bool(stage) and stage in watch.stages().values())
    if not stage:
        assert held(passes) == "pause"
    (new,) = set(watch.groups()) - {old}
    return watch, old, new


def held(passes: list[Pass]) -> str:
    """Why nothing moves any more, by its code."""
    assert standing(passes[-1].plan) is Standing.BLOCKED, story(passes)
    (item,) = [i for i in passes[-1].plan.items if i.blocked]
    return item.blocked.code


def shifts(product: Product, kind: str) -> list[dict[str, Any]]:
    """The writes that moved traffic, oldest first."""
    return [c for c in product.aws.control.calls() if c["operation"] == SHIFTS[kind] and c["status"] == 200]


@pytest.mark.parametrize("kind", SHIFTS)
def test_a_canary_holds_at_each_share_and_pauses_until_it_is_promoted(product: Product, kind: str) -> None:
    watch, old, new = begun(product, kind)
    whole, tenth, half = WHOLE[kind], TENTH[kind], HALF[kind]
    shares = [w for w in watch.seen if w.get(new)]
    assert shares == [{old: whole - tenth, new: tenth}, {old: whole - half, new: half}]
    one, two = (datetime.fromisoformat(c["time"]) for c in shifts(product, kind)[-2:])
    spread = TTL + timedelta(seconds=30) if kind == "balancer" else timedelta()  # INSYNC takes half a minute
    assert timedelta() <= two - one - spread - timedelta(minutes=5) <= TTL
    assert "has 50% of traffic, and pauses there" in product.cli("explain", "web").out
    assert product.converge(watch.look)[-1].outcomes == ()
    done = product.cli("promote", "web")
    assert (done.code, done.err) == (0, "")
    product.settle(watch.look)
    assert watch.seen[-2:] == [{old: 0, new: whole}, {new: whole}]
    assert_one_whole(watch)


@pytest.mark.parametrize("kind", BY_DNS)
def test_an_alarm_at_a_tenth_takes_all_traffic_back_in_one_write_and_the_revision_is_tried_again_by_retry(
    product: Product, kind: str
) -> None:
    watch, old, new = begun(product, kind, GATED, stage="1")
    kept = watch.instances(old)
    product.aws.control.knob("alarm", name="web-5xx", state="ALARM")
    count = len(shifts(product, kind))
    passes = product.converge(watch.look)
    assert held(passes) == "failed"
    assert passes[0].outcomes[0].step.op == ("change-records" if kind == "balancer" else "set-rule-weights")
    back = [w for w in watch.seen if new in w][-1]
    assert back == {old: WHOLE[kind], new: 0}
    assert len(shifts(product, kind)) == count + 2  # all traffic back at once; then its place is taken away
    assert watch.weights() == {old: WHOLE[kind]}
    assert watch.instances(old) == kept
    assert watch.tombstones()[new].startswith("alarm web-5xx is in ALARM")
    product.aws.control.knob("alarm", name="web-5xx", state="OK")
    plan = product.plan()
    assert plan.complete
    assert not any(i.now or i.wait for i in plan.items)
    assert_one_whole(watch, dead=(new,))
    done = product.cli("retry", "web")
    assert (done.code, done.err) == (0, "")
    assert held(product.converge(watch.look)) == "pause"
    assert product.cli("promote", "web", "--full", "--reason", "it was the database").code == 0
    product.settle(watch.look)
    assert set(watch.groups()) == {new}
    assert_one_whole(watch)


@MATRIX
@pytest.mark.parametrize("kind", SHIFTS)
def test_a_canary_that_is_aborted_at_its_pause_goes_back_and_is_not_tried_again(
    product: Product, kind: str
) -> None:
    watch, old, new = begun(product, kind)
    kept = watch.instances(old)
    assert product.cli("abort", "web", "--reason", "5xx").code == 0
    assert held(product.converge(watch.look)) == "failed"
    assert watch.tombstones() == {new: "aborted: 5xx"}
    assert watch.instances(old) == kept
    assert_one_whole(watch, dead=(new,))
    assert held(product.converge(watch.look)) == "failed"


@pytest.mark.parametrize("kind", BY_RULE)
def test_a_canary_that_is_aborted_once_it_had_all_traffic_goes_back_at_once_and_without_a_launch(
    product: Product, kind: str
) -> None:
    watch, old, new = begun(product, kind)
    kept = watch.instances(old)
    assert product.cli("promote", "web", "--full", "--reason", "now").code == 0
    product.converge(watch.look, until=lambda _: watch.weights().get(new) == WHOLE[kind])
    said = product.aws.control.now()
    assert product.cli("abort", "web", "--reason", "5xx").code == 0
    assert held(product.converge(watch.look)) == "failed"
    back = next(c for c in shifts(product, kind) if datetime.fromisoformat(c["time"]) >= said)
    assert datetime.fromisoformat(back["time"]) - said <= timedelta(seconds=1)
    assert watch.weights() == {old: WHOLE[kind]}
    assert watch.instances(old) == kept
    assert watch.tombstones() == {new: "aborted: 5xx"}
    assert_one_whole(watch, dead=(new,))


@pytest.mark.parametrize("kind", BY_DNS)
def test_a_newer_commit_takes_the_unfinished_canary_back_and_starts_from_who_served_before(
    product: Product, kind: str
) -> None:
    watch, old, unfinished = begun(product, kind)
    seen = len(watch.seen)
    product.commit({"fleets/web.yaml": fleet(TRAFFIC[kind], rollout=STEPS, launch='generation: "2"')})
    assert held(product.converge(watch.look)) == "pause"
    (newest,) = set(watch.groups()) - {old}
    assert newest != unfinished
    whole, tenth, half = WHOLE[kind], TENTH[kind], HALF[kind]
    shares = [{n: w for n, w in one.items() if w} for one in watch.seen[seen:]]
    shares = [w for n, w in enumerate(shares) if w != shares[n - 1] or not n]
    assert shares == [{old: whole}, {old: whole - tenth, newest: tenth}, {old: whole - half, newest: half}]
    assert product.cli("promote", "web").code == 0
    product.settle(watch.look)
    assert set(watch.groups()) == {newest}
    assert_one_whole(watch)


def test_going_back_to_a_kept_revision_by_git_takes_no_launch_and_no_longer_than_clients_need(
    product: Product,
) -> None:
    watch, old, new = begun(product, "balancer", "keepOld: 30m", stage="full")
    kept = watch.instances(old)
    product.converge(watch.look, until=lambda p: bool(p.plan.items) and watch.weights().get(old) == 0)
    product.commit({"target.yaml": base()})
    said = product.aws.control.now()
    product.converge(watch.look, until=lambda _: watch.weights().get(old) == WHOLE["balancer"])
    assert product.aws.control.now() - said <= timedelta(minutes=1)
    product.settle(watch.look)
    assert watch.instances(old) == kept
    assert watch.tombstones() == {}
    assert new not in watch.groups()
