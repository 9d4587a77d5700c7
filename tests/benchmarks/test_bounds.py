"""The arithmetic of the benchmark: floors, pairs, and which figure is over which bound."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bounds import Cost, Measured, Pair, beyond, figures, times, typical
from benchmarks.documents import fleet, history
from benchmarks.floor import Things, floor, pages
from benchmarks.replay import operation
from benchmarks.table import as_json, render

THINGS = Things(
    groups=500,
    policies=500,
    schedules=250,
    templates=500,
    balancers=251,
    target_groups=401,
    records=(302, 10, 0),
    subnets=12,
    security_groups=1001,
)


def test_the_floor_counts_the_pages_of_each_operation() -> None:
    assert floor(THINGS, cold=False) == {
        "autoscaling:DescribeAutoScalingGroups": 5,
        "autoscaling:DescribePolicies": 5,
        "autoscaling:DescribeScheduledActions": 3,
        "ec2:DescribeLaunchTemplates": 3,
        "ec2:DescribeImages": 1,
        "elbv2:DescribeLoadBalancers": 1,
        "elbv2:DescribeTargetGroups": 2,
        "route53:ListHostedZones": 1,
        "route53:ListTagsForResources": 1,
        "route53:ListResourceRecordSets": 4,
        "ec2:DescribeSubnets": 1,
        "ec2:DescribeSecurityGroups": 2,
    }


def test_a_cold_pass_reads_bodies_and_asks_who_it_is_too() -> None:
    beside = set(floor(THINGS, cold=True).items()) - set(floor(THINGS, cold=False).items())
    assert beside == {("ec2:DescribeLaunchTemplateVersions", 3), ("sts:GetCallerIdentity", 1)}


@given(st.integers(0, 10_000), st.integers(1, 1000))
def test_pages_hold_all_entries_and_not_one_page_is_to_spare(entries: int, size: int) -> None:
    count = pages(entries, size)
    assert count * size >= entries
    assert count == 1 or (count - 1) * size < entries


def pair(ours: float, bare: float) -> Pair:
    return Pair(product=Cost(wall=2 * ours, cpu=ours), reader=Cost(wall=bare, cpu=bare))


def test_each_pass_is_held_against_the_reader_beside_it() -> None:
    slow_machine, usual, stumbled = pair(30, 20), pair(3, 2), pair(9, 2)
    pairs = [slow_machine, usual, stumbled]
    assert times(pairs, "cpu") == 1.5
    assert times(pairs, "wall") == 3.0
    assert beyond(pairs, "cpu") == 7
    assert typical((p.product for p in pairs), "cpu") == 9


def test_pairs_come_back_from_json_as_they_were() -> None:
    assert Pair.of(pair(3, 2).as_json()) == pair(3, 2)
    assert Things.of(THINGS.as_json()) == THINGS


def measured(fleets: int) -> Measured:
    return Measured(
        fleets=fleets,
        things=THINGS,
        cold=Counter(floor(THINGS, cold=True)),
        warm=Counter(floor(THINGS, cold=False)),
        audit=Counter(),
        pairs={0: (pair(0.1, 0.15),), 30: (pair(0.1, 0.15),)},
        plans={"in sync": 0.2, "first": 0.3, "all change": 1.5},
        memory=120.0,
        cli=(pair(1.5, 1.0),),
        cli_memory=110.0,
        heavy={"plan": (), "validate": ()},
        writes=(),
    )


GOOD = measured(500)
EXTRA = Counter({"elbv2:DescribeTags": 4})
OVER = {
    "calls of a cold pass": (replace(GOOD, cold=GOOD.cold + EXTRA), 1),
    "calls of a warm pass": (replace(GOOD, warm=GOOD.warm + EXTRA), 1),
    "bodies read again": (
        replace(GOOD, warm=GOOD.warm + Counter({"ec2:DescribeLaunchTemplateVersions": 1})),
        1,
    ),
    "a write": (replace(GOOD, writes=("ec2:CreateTags",)), 1),
    "CPU and wall": (replace(GOOD, pairs={0: (pair(0.4, 0.15),)}), 2),
    "wall alone": (replace(GOOD, pairs={30: (pair(0.15, 0.15),)}), 1),
    "the command": (replace(GOOD, cli=(pair(2.1, 1.0),)), 1),
    "plans": (replace(GOOD, plans={"in sync": 0.3, "first": 0.3, "all change": 2.1}), 2),
    "memory": (replace(GOOD, memory=251.0, cli_memory=251.0), 2),
    "modules": (replace(GOOD, heavy={"plan": ("uvicorn",)}), 1),
}


@pytest.mark.parametrize("what", OVER)
def test_a_figure_over_its_bound_is_told(what: str) -> None:
    assert [f for f in figures([GOOD]) if f.over] == []
    world, count = OVER[what]
    assert sum(f.over for f in figures([world])) == count


def test_below_a_hundred_fleets_a_pass_is_not_held_against_the_reader() -> None:
    small = replace(measured(10), pairs={0: (pair(0.4, 0.15),)})
    assert [f for f in figures([small]) if f.over] == []


def test_growth_is_held_against_the_small_world() -> None:
    small = replace(measured(100), memory=20.0, cold=Counter({"ec2:DescribeSubnets": 5}))
    over = [f.what for f in figures([small, GOOD]) if f.over]
    assert over == ["100 to 500 fleets: calls of a cold pass", "100 to 500 fleets: peak memory of passes"]


def test_the_table_marks_what_is_over() -> None:
    worlds = [measured(100), replace(GOOD, writes=("ec2:CreateTags",))]
    lines = render(worlds, figures(worlds), command="python -m benchmarks").splitlines()
    assert [line.split()[-1] for line in lines if "calls that write" in line] == ["0", "OVER"]


def test_measurements_are_told_to_programs_too() -> None:
    told = json.loads(as_json([GOOD], figures([GOOD])))
    (world,) = told["worlds"]
    assert world["warm"] == floor(THINGS, cold=False)
    assert Pair.of(world["pairs"]["0"][0]) == GOOD.pairs[0][0]
    assert Things.of(world["things"]) == THINGS
    assert not any(f["over"] for f in told["figures"])


@given(st.integers(1, 600))
def test_the_company_grows_to_its_size_half_of_it_balanced(fleets: int) -> None:
    commits = history(fleets)
    names = {name for files in commits for name in files if name.startswith("fleets/")}
    assert len(names) == fleets
    assert sum(name.startswith("fleets/web-") for name in names) == fleets // 2
    assert list(commits[-1]) == [fleet(0)[0]]
    assert commits[-1] != commits[0]


@pytest.mark.parametrize(
    ("key", "scope", "name"),
    [
        (("POST", "/", "", b"Action=DescribeSubnets&Version=2016-11-15"), "ec2", "ec2:DescribeSubnets"),
        (
            ("POST", "/", "", b"Action=DescribeTags&Version=2015-12-01"),
            "elasticloadbalancing",
            "elbv2:DescribeTags",
        ),
        (
            ("POST", "/", "", b"Action=DescribeTags&Version=2012-06-01"),
            "elasticloadbalancing",
            "elb:DescribeTags",
        ),
        (("GET", "/2013-04-01/hostedzone?maxitems=100", "", b""), "route53", "route53:ListHostedZones"),
        (("GET", "/2013-04-01/hostedzone/Z1/rrset", "", b""), "route53", "route53:ListResourceRecordSets"),
        (("POST", "/2013-04-01/tags/hostedzone", "", b"<x/>"), "route53", "route53:ListTagsForResources"),
        (("POST", "/", "AWSWAF_20190729.GetWebACLForResource", b"{}"), "wafv2", "wafv2:GetWebACLForResource"),
    ],
)
def test_a_recorded_request_is_known_by_its_operation(
    key: tuple[str, str, str, bytes], scope: str, name: str
) -> None:
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/20260601/eu-west-1/{scope}/aws4_request, S"
    }
    assert operation(key, headers) == name
