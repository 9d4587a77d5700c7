"""A rollout in which the process is killed after every mutating call, and started again.

Each life of the product ends with SIGKILL while AWS holds the reply of a write whose effect is there.
"""

import pytest

from tests.lives import Lives
from tests.product import Product, assert_in_sync
from tests.wire.company import NEW_AMI, TRAFFIC, base, files, fleet, zone
from tests.wire.dying import live_and_die
from tests.wire.watch import WHOLE, Watch

pytestmark = pytest.mark.wire


def births_and_replacement(product: Product, mother: Lives, traffic: str, spare: int) -> int:
    """Tell the story of a fleet's birth and its replacement by a new image; return the kills."""
    watch = Watch(mother.aws, traffic)
    product.commit(files(TRAFFIC[traffic]))
    kills = live_and_die(mother, watch, spare=spare)
    (first,) = watch.groups()
    assert watch.served
    product.commit({"target.yaml": base(NEW_AMI)})
    kills += live_and_die(mother, watch, spare=spare)
    left = watch.left()
    assert set(left) == WHOLE[traffic]
    assert {len(names) for names in left.values()} == {1}, left
    assert len({n for names in left.values() for n in names}) == 1, left
    assert first not in left["groups"]
    assert_in_sync(product.plan())
    return kills


@pytest.mark.crash
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_killed_after_every_write_a_fleet_comes_up_and_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    assert births_and_replacement(product, born, traffic, spare=0) >= 10


@pytest.mark.parametrize("traffic", ["balancer", "listener"])
def test_killed_after_every_third_write_a_fleet_comes_up_and_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    assert births_and_replacement(product, born, traffic, spare=2) >= 5


@pytest.mark.parametrize("traffic", ["attach", "none"])
def test_killed_after_every_write_a_fleet_without_weights_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    product.commit(files(TRAFFIC[traffic]))
    product.settle()
    watch = Watch(born.aws, traffic)
    watch.look()
    product.commit({"target.yaml": base(NEW_AMI)})
    assert live_and_die(born, watch) >= 4
    assert {kind: len(names) for kind, names in watch.left().items()} == dict.fromkeys(WHOLE[traffic], 1)
    assert_in_sync(product.plan())


@pytest.mark.crash
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_killed_after_every_write_a_fleet_that_left_git_leaves_nothing(
    product: Product, born: Lives, traffic: str
) -> None:
    product.commit({**files(TRAFFIC[traffic]), "fleets/other.yaml": fleet(name="other")})
    product.settle()
    product.commit({"fleets/web.yaml": None})
    live_and_die(born, None)
    left = Watch(born.aws, traffic).left()
    assert {n for names in left.values() for n in names if n.startswith("web-")} == set()
    assert_in_sync(product.plan())


RECORDS = """
    - {name: www, type: A, ttl: 60, values: [192.0.2.1]}
    - {name: files, type: A, ttl: 60, weighted: [{id: a, weight: 1, values: [192.0.2.2]}, {id: b, weight: 1, values: [192.0.2.3]}]}
    - {name: "@", type: TXT, ttl: 300, values: [one]}
"""


def test_killed_after_every_write_a_zone_comes_to_what_git_declares(product: Product, born: Lives) -> None:
    product.commit({**files(""), "zone.yaml": zone(RECORDS)})
    assert live_and_die(born, None) >= 4
    changed = RECORDS.replace("192.0.2.1", "192.0.2.9").replace("one", "two")
    product.commit({"zone.yaml": zone(changed)})
    assert live_and_die(born, None) >= 3
    product.commit({"zone.yaml": zone(changed.replace("    - {name: www", "    #"))})
    live_and_die(born, None)
    assert_in_sync(product.plan())
