"""Profiles and overrides: maps merge deep, lists and scalars replace, null takes away, choices replace whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
