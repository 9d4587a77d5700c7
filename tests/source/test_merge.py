"""Profiles and overrides: maps merge deep, lists and scalars replace, null takes away, choices replace whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.prepare import prepare
from reconciler.plan.touched import touched
from reconciler.source.documents import Node, plain, read_documents
from reconciler.source.load import load
from reconciler.source.merge import merge
from reconciler.spec.desired import Desired


def node(value: object, file: str = "f.yaml") -> Node:
    nodes, problems = read_documents(file, json.dumps(value).encode())
    assert not problems
    return nodes[0]


CASES = [
    ("maps merge deep", {"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
    ("scalars replace", {"a": 1}, {"a": 2}, {"a": 2}),
    ("lists replace", {"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ("null takes a key away", {"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    (
        "userData replaces whole",
        {"launch": {"userData": {"file": "a"}}},
        {"launch": {"userData": {"text": "b"}}},
        {"launch": {"userData": {"text": "b"}}},
    ),
    (
        "traffic replaces whole",
        {"traffic": {"attach": {"classic": ["a"]}}},
        {"traffic": {"balancer": {"type": "network"}}},
        {"traffic": {"balancer": {"type": "network"}}},
    ),
    (
        "traffic that names no form merges",
        {"traffic": {"balancer": {"type": "network"}, "dns": {"zone": "z", "name": "a"}}},
        {"traffic": {"dns": {"name": "b"}}},
        {"traffic": {"balancer": {"type": "network"}, "dns": {"zone": "z", "name": "b"}}},
    ),
    (
        "rollout merges within one strategy",
        {"rollout": {"keepOld": "5m"}},
        {"rollout": {"strategy": "blue-green"}},
        {"rollout": {"keepOld": "5m", "strategy": "blue-green"}},
    ),
    (
        "rollout with another strategy replaces whole",
        {"rollout": {"keepOld": "5m"}},
        {"rollout": {"strategy": "canary"}},
        {"rollout": {"strategy": "canary"}},
    ),
]


@pytest.mark.parametrize(("base", "over", "result"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_merging(base: object, over: object, result: object) -> None:
    assert plain(merge(node(base), node(over))) == result


KEYS = st.sampled_from(["a", "b", "c"])
TREES = st.recursive(
    st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=2)),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(KEYS, TREES, min_size=1, max_size=3)


@given(MAPS)
def test_merging_a_map_over_itself_changes_nothing(tree: dict[str, object]) -> None:
    assert plain(merge(node(tree), node(tree))) == tree


@given(MAPS, MAPS, MAPS)
def test_three_merge_alike_from_the_left_and_where_the_last_says_everything(
    a: dict[str, object], b: dict[str, object], c: dict[str, object]
) -> None:
    left = plain(merge(merge(node(a), node(b)), node(c)))
    assert plain(merge(node(left), node(c))) == left


def test_a_value_from_a_profile_is_placed_in_the_profile() -> None:
    base = b"""
apiVersion: reconciler/v1
kind: Target
metadata: {name: prod}
spec: {account: "123456789012", region: eu-west-1, owner: shop}
---
apiVersion: reconciler/v1
kind: Image
metadata: {name: base}
spec: {targets: [prod], architecture: arm64, ami: ami-0abc}
"""
    profile = b"""apiVersion: reconciler/v1
kind: Profile
metadata: {name: p}
spec:
  launch: {instanceTypes: [m7g.large]}
  placement: {subnets: [subnet-1]}
"""
    fleet = b"""apiVersion: reconciler/v1
kind: Fleet
metadata: {name: web}
spec:
  profiles: [p]
  targets: [prod]
  overrides: {prod: {capacity: {max: 9}}}
  image: base
  capacity: {min: 1, max: 3}
"""
    found = load({"base.yaml": base, "p.yaml": profile, "f.yaml": fleet})
    assert isinstance(found, Desired), found
    web = found.fleets[0]
    assert web.spec.capacity.max == 9
    assert str(web.where("spec.launch.instanceTypes")) == "p.yaml:5:27"
    assert str(web.where("spec.capacity.max")) == "f.yaml:7:38"
    assert str(web.where("spec.capacity.min")) == "f.yaml:9:19"
    assert str(web.where("spec.launch.nothing.there")) == "p.yaml:5:3"


TWO = b"""
apiVersion: reconciler/v1
kind: Target
metadata: {name: seoul}
spec: {account: "123456789012", region: ap-northeast-2, owner: shop}
---
apiVersion: reconciler/v1
kind: Target
metadata: {name: tokyo}
spec: {account: "123456789012", region: ap-northeast-1, owner: shop}
---
apiVersion: reconciler/v1
kind: Image
metadata: {name: base}
spec: {targets: [seoul, tokyo], architecture: arm64, ami: {seoul: ami-0abc, tokyo: ami-0def}}
---
apiVersion: reconciler/v1
kind: Zone
metadata: {name: example-com}
spec: {target: seoul, domain: example.com}
"""
WEB = b"""apiVersion: reconciler/v1
kind: Fleet
metadata: {name: web}
spec:
  targets: [tokyo, seoul]
  overrides:
    tokyo: {capacity: {max: 9}, placement: {subnets: [subnet-8]}, traffic: {dns: {name: web-tokyo}}}
  image: base
  launch: {instanceTypes: [m7g.large], keyPair: ops}
  placement: {subnets: [{tag: {tier: app}}, subnet-1]}
  capacity: {min: 1, max: 3}
  traffic:
    balancer:
      listeners: [{port: 80, protocol: HTTP}]
      targetGroup: {port: 8080, protocol: HTTP}
    dns: {zone: example-com, name: web, evaluateHealth: false}
"""


def test_a_fleet_is_merged_for_each_of_its_targets_in_their_order() -> None:
    found = load({"base.yaml": TWO, "f.yaml": WEB})
    assert isinstance(found, Desired), found
    assert [(f.name, f.target) for f in found.fleets] == [("web", "tokyo"), ("web", "seoul")]
    assert found.fleet_names == ("web",)
    tokyo, seoul = found.fleets
    assert (tokyo.spec.capacity.max, seoul.spec.capacity.max) == (9, 3)
    assert [s.id for s in tokyo.spec.placement.subnets] == ["subnet-8"], "lists replace"
    assert (str(tokyo.where("spec.capacity.max")), str(seoul.where("spec.capacity.max"))) == (
        "f.yaml:7:29",
        "f.yaml:11:27",
    )


def test_a_traffic_that_names_no_form_says_more_of_the_one_that_is_there() -> None:
    found = load({"base.yaml": TWO, "f.yaml": WEB})
    assert isinstance(found, Desired), found
    tokyo, seoul = (f.spec.traffic for f in found.fleets)
    assert tokyo
    assert seoul
    assert tokyo.balancer == seoul.balancer
    assert [(t.dns.zone, t.dns.name, t.dns.evaluateHealth) for t in (tokyo, seoul) if t.dns] == [
        ("example-com", "web-tokyo", False),
        ("example-com", "web", False),
    ]


def test_overrides_may_take_a_key_away_in_one_target() -> None:
    over = b"{capacity: {max: 9}, placement: {subnets: [subnet-8]}, traffic: {dns: {name: web-tokyo}}}"
    found = load({"base.yaml": TWO, "f.yaml": WEB.replace(over, b"{launch: {keyPair: null}, traffic: null}")})
    assert isinstance(found, Desired), found
    tokyo, seoul = found.fleets
    assert (tokyo.spec.launch.keyPair, seoul.spec.launch.keyPair) == (None, "ops")
    assert tokyo.spec.traffic is None


def test_another_target_of_a_fleet_is_no_change_in_those_that_it_has() -> None:
    both = load({"base.yaml": TWO, "f.yaml": WEB})
    over = WEB[WEB.index(b"  overrides") : WEB.index(b"  image")]
    alone = load({"base.yaml": TWO, "f.yaml": WEB.replace(over, b"").replace(b"tokyo, ", b"")})
    assert isinstance(both, Desired), both
    assert isinstance(alone, Desired), alone
    assert touched(alone, both) == (("Fleet", "web", "tokyo"),)
    first, second = (prepare(f) for d in (both, alone) for f in d.fleets if f.target == "seoul")
    assert first == second, "neither its revision nor what a failure remembers"
