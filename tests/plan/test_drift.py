"""Drift: what a person changed is told in the words of the documents, and put right where we may."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.core.ids import AmiId
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.group.want import Hook, Policy, Schedule
from reconciler.kinds.instance.live import LiveInstance
from reconciler.kinds.register import World
from reconciler.plan.freeze import Freeze
from tests.plan.house import (
    IMAGE,
    SHARED,
    TARGET,
    House,
    altered,
    fleet,
    group,
    item,
    live_zone,
    ops,
    with_records,
    zone,
)
from tests.worlds import NOON


def heal(mode: str, ignore: str = "") -> str:
    return f"  drift: {{mode: {mode}, ignore: [{ignore}]}}\n"


def house(kind: str = "none", more: str = "") -> House:
    return House(audited=frozenset({"web"})).merge(TARGET, IMAGE, zone(), fleet("web", kind, more)).converge()


def drift(one: House) -> set[tuple[str, str, str, bool]]:
    """Fields, want, live and whether it heals; by an audit, so that all was looked at."""
    return {(r.field, r.want, r.live, r.heals) for r in one.plan().drift}


def one_of(world: World, kind: str):
    (found,) = getattr(world, kind)
    return found


def resized(world: World, **sizes: int) -> World:
    return altered(world, sizes=replace(group(world).sizes, **sizes))


def balanced(world: World, **changes: object) -> World:
    return replace(world, balancers=(replace(one_of(world, "balancers"), **changes),))


def registered(world: World, **changes: object) -> World:
    return replace(world, target_groups=(replace(one_of(world, "target_groups"), **changes),))


def ruled(world: World, **changes: object) -> World:
    return replace(world, rules=(replace(one_of(world, "rules"), **changes),))


def recorded(world: World, **changes: object) -> World:
    live = live_zone(world)
    return replace(world, zones=(replace(live, records=tuple(replace(r, **changes) for r in live.records)),))


def stranger(world: World) -> World:
    mine = live_zone(world).records[0]
    return with_records(world, replace(mine, identifier="theirs", weight=1))


DRIFT: dict[str, tuple[str, Callable[[World], World], set[tuple[str, str, str, bool]]]] = {
    "the minimum": ("none", lambda w: resized(w, min=1), {("min", "2", "1", True)}),
    "the maximum": ("none", lambda w: resized(w, max=12), {("max", "6", "12", True)}),
    "the desired size": ("none", lambda w: resized(w, desired=5), {("desired", "3", "5", True)}),
    "the health check": (
        "none",
        lambda w: altered(w, health=(("HealthCheckGracePeriod", "60"), ("HealthCheckType", '"EC2"'))),
        {("health.grace", "5m", "1m", True)},
    ),
    "a setting": (
        "none",
        lambda w: altered(
            w, settings=tuple((k, "true" if k == "CapacityRebalance" else v) for k, v in group(w).settings)
        ),
        {("group.capacityRebalance", "false", "true", True)},
    ),
    "a policy by hand": (
        "none",
        lambda w: altered(w, policies=(Policy(name="mine", body='{"TargetValue":50.0}'),)),
        {("scaling.mine", "not there", "another metric at 50", True)},
    ),
    "a schedule by hand": (
        "none",
        lambda w: altered(w, schedules=(Schedule(name="x", cron="0 1 * * *", timezone="UTC", min=0, max=0),)),
        {("scaling.x", "not there", "0 1 * * * UTC 0..0", True)},
    ),
    "a tag by hand": (
        "none",
        lambda w: altered(w, tags=(*group(w).tags, ("who", "me"))),
        {("tags.who", "not there", "there", True)},
    ),
    "another template version": (
        "none",
        lambda w: altered(w, template_version="2"),
        {("launchTemplate", "GROUP version 1", "GROUP version 2", False)},
    ),
    "subnets": (
        "none",
        lambda w: altered(w, subnets=("subnet-a",)),
        {("placement.subnets", "subnet-a, subnet-b", "subnet-a", False)},
    ),
    "hooks": (
        "none",
        lambda w: altered(w, hooks=(Hook(name="h", on="launch", timeout=60, result="continue"),)),
        {("hooks.h", "not there", "launch 60s continue", False)},
    ),
    "suspended processes": (
        "none",
        lambda w: altered(w, suspended=(("Launch", "by hand"),)),
        {("suspended.Launch", "running", "by hand", True)},
    ),
    "an attachment by hand": (
        "none",
        lambda w: altered(w, target_groups=(SHARED,)),
        {(f"attach.{SHARED}", "not attached", "attached", True)},
    ),
    "an attachment that is gone": (
        "attach",
        lambda w: altered(w, target_groups=()),
        {(f"attach.{SHARED}", "attached", "not attached", True)},
    ),
    "its own target group detached": (
        "listener",
        lambda w: altered(w, target_groups=()),
        {("targetGroup.registered", "GROUP", "not registered", True)},
    ),
    "a health check of the target group": (
        "listener",
        lambda w: registered(w, check=replace(one_of(w, "target_groups").check, interval=99)),
        {("targetGroup.health.interval", "10", "99", False)},
    ),
    "the drain": (
        "listener",
        lambda w: registered(w, attributes=(("deregistration_delay.timeout_seconds", "5"),)),
        {("targetGroup.drain", "60", "5", True)},
    ),
    "security groups of the balancer": (
        "balancer",
        lambda w: balanced(w, security_groups=("sg-x",)),
        {("balancer.securityGroups", "sg-lb", "sg-x", True)},
    ),
    "subnets of the balancer": (
        "balancer",
        lambda w: balanced(w, subnets=("subnet-a",)),
        {("balancer.subnets", "subnet-a, subnet-b", "subnet-a", False)},
    ),
    "a web ACL by hand": (
        "balancer",
        lambda w: balanced(w, web_acl="arn:acl"),
        {("balancer.webAcl", "none", "arn:acl", True)},
    ),
    "a listener that is gone": (
        "balancer",
        lambda w: balanced(w, listeners=()),
        {("balancer.listeners.exists", "there", "not there", True)},
    ),
    "hosts of the rule": (
        "listener",
        lambda w: ruled(w, hosts=("x.example.com",)),
        {("listener.hosts", "api.example.com", "x.example.com", True)},
    ),
    "a rule that is gone": (
        "listener",
        lambda w: replace(w, rules=()),
        {("listener.exists", "there", "not there", True)},
    ),
    "an unknown target group in the rule": (
        "listener",
        lambda w: ruled(w, weights=(*one_of(w, "rules").weights, (SHARED, 1))),
        {(f"listener.targetGroups.{SHARED}", "not there", "weight 1", False)},
    ),
    "the alias of the record": (
        "balancer",
        lambda w: recorded(w, alias=replace(live_zone(w).records[0].alias, evaluate_health=False)),
        {("dns.evaluateHealth", "true", "false", True)},
    ),
    "a record that is gone": (
        "balancer",
        lambda w: replace(w, zones=(replace(live_zone(w), records=()),)),
        {("dns.record", "there", "not there", True)},
    ),
    "a foreign record in the set": ("balancer", stranger, {("dns.record", "not there", "there", False)}),
    "an instance of another template": (
        "none",
        lambda w: altered(
            w, instances=(replace(group(w).instances[0], version="7"), *group(w).instances[1:])
        ),
        {
            (
                "instances.launchTemplate",
                "GROUP version 1",
                "GROUP version 7",
                True,
            )
        },
    ),
}


def named(one: House, rows: set[tuple[str, str, str, bool]]) -> set[tuple[str, str, str, bool]]:
    name = group(one.world).name
    return {(f, w.replace("GROUP", name), v.replace("GROUP", name), heals) for f, w, v, heals in rows}


@pytest.mark.parametrize("what", DRIFT)
def test_what_a_person_changed_is_drift_under_report_and_is_put_right_under_heal(what: str) -> None:
    kind, hand, rows = DRIFT[what]
    one = house(kind, heal("report"))
    digest = one.plan().digest
    one.world = hand(one.world)
    assert drift(one) == {(f, w, v, False) for f, w, v, _ in named(one, rows)}
    plan = one.plan()
    assert plan.digest == digest
    assert item(plan).action == "none"
    assert not item(plan).now
    two = house(kind, heal("heal"))
    two.world = hand(two.world)
    assert drift(two) == named(two, rows)
    notes = [n for n in item(two.plan()).notes if n.startswith("healing does not end the drift of ")]
    assert bool(notes) is any(not mends for *_, mends in rows)
    if any(mends for *_, mends in rows):
        two.converge()
        assert drift(two) == set()


@pytest.mark.parametrize("what", DRIFT)
def test_a_field_left_to_others_is_neither_told_nor_written(what: str) -> None:
    kind, hand, rows = DRIFT[what]
    paths = ", ".join(f'"{f}"' for f, *_ in rows)
    one = house(kind, heal("heal", paths))
    one.world = hand(one.world)
    assert drift(one) == set()
    assert not item(one.plan()).now


def test_ignoring_a_whole_part_covers_its_fields_and_heals_what_stands_beside_it() -> None:
    one = house("none", heal("heal", "tags.team, spec.scaling"))
    name = group(one.world).name
    tags = tuple(t for t in group(one.world).tags if t[0] != "env")
    mine = Policy(name="mine", body='{"TargetValue":50.0}')
    one.world = altered(one.world, tags=(*tags, ("team", "x"), ("who", "me")), policies=(mine,))
    (step,) = item(one.plan()).now
    assert step == TagGroup(name=name, put=(("env", "prod"),), drop=("who",), because="tags differ")


# Weights and instances


def test_weights_that_a_person_moved_to_a_kept_revision_are_drift_and_move_back_under_heal() -> None:
    for kind in ("balancer", "listener"):
        one = house(kind, heal("heal"))
        first = group(one.world).name
        one.merge(TARGET, IMAGE, zone(), fleet("web", kind, heal("heal"), generation="2"))
        for _ in range(10):
            one.apply()
            if any(g.tag("reconciler:idle") for g in one.world.groups):
                break
            waits = [i.wait.until for i in one.plan().items if i.wait and i.wait.until]
            one.wait(min(waits, default=None))
        one.world = by_hand(one.world, kind, first)
        rows = {(r.resource, r.field, r.want, r.heals) for r in one.plan().drift}
        assert (f"weight/{first}", "dns.weight", "0", True) in rows
        one.converge()
        assert len(one.world.groups) == 1


def by_hand(world: World, kind: str, to: str) -> World:
    if kind == "balancer":
        live = live_zone(world)
        records = tuple(replace(r, weight=255 if to in r.identifier else 128) for r in live.records)
        return replace(world, zones=(replace(live, records=records),))
    arns = {t.arn: t.name for t in world.target_groups}
    return ruled(
        world, weights=tuple((a, 60 if arns[a] == to else 40) for a, _ in one_of(world, "rules").weights)
    )


def test_strange_instances_are_replaced_one_at_a_time_and_not_in_a_freeze() -> None:
    one = house("none", heal("heal"))
    strange = tuple(replace(i, version="7") for i in group(one.world).instances)
    one.world = altered(one.world, instances=strange)
    assert ops(one.plan()) == ["replace-instance"]
    one.freezes = (Freeze(holds=("start",), reason="x", since=NOON, to=NOON.replace(year=2030)),)
    assert ops(one.plan()) == []
    one.freezes = ()
    one.apply()
    assert ops(one.plan()) == [], "the group is not whole"
    for _ in range(3):
        one.wait()
        one.apply()
    one.wait()
    assert all(i.version == "1" for i in group(one.world).instances)
    assert group(one.world).in_service == 3


# Instances against their template


def born(one: House) -> House:
    """Instances as EC2 shows them, all as the template says."""
    body = json.loads(one_of(one.world, "templates").body)
    made = tuple(
        LiveInstance(
            id=i.id,
            image=AmiId(body["ImageId"]),
            type=body["InstanceType"],
            security_groups=tuple(body["SecurityGroupIds"]),
            profile=body.get("IamInstanceProfile", {}).get("Name", ""),
            metadata=tuple(sorted((k, str(v)) for k, v in body["MetadataOptions"].items())),
        )
        for i in group(one.world).instances
    )
    one.world = replace(one.world, instances=made)
    return one


def odd(world: World, **changes: object) -> World:
    first, *rest = world.instances
    return replace(world, instances=(replace(first, **changes), *rest))


ODD = {
    "image": ({"image": "ami-0999"}, "instances.image", "ami-0001", "ami-0999"),
    "type": ({"type": "m5.large"}, "instances.type", "m7g.large", "m5.large"),
    "security groups": ({"security_groups": ("sg-x",)}, "instances.securityGroups", "sg-web", "sg-x"),
    "profile": ({"profile": "admin"}, "instances.instanceProfile", "none", "admin"),
    "metadata": (
        {"metadata": (("HttpTokens", "optional"),)},
        "instances.metadata.tokens",
        "required",
        "optional",
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_an_instance_that_no_longer_matches_its_golden_state_is_drift_and_is_replaced_under_heal(
    what: str,
) -> None:
    changes, field, want, live = ODD[what]
    for mode in ("report", "heal"):
        one = born(house("none", heal(mode)))
        assert drift(one) == set()
        victim = one.world.instances[0].id
        one.world = odd(one.world, **changes)
        assert drift(one) == {(field, want, live, mode == "heal")}
        steps = item(one.plan()).now
        assert [s.instance for s in steps] == ([victim] if mode == "heal" else [])
        one.audited = frozenset()
        assert drift(one) == set(), "nobody looked"


def test_one_odd_instance_is_replaced_at_a_time_and_what_is_left_to_others_is_not() -> None:
    one = born(house("none", heal("heal")))
    one.world = replace(one.world, instances=tuple(replace(i, type="x1.large") for i in one.world.instances))
    assert ops(one.plan()) == ["replace-instance"]
    two = born(house("none", heal("heal", "instances.type")))
    two.world = replace(two.world, instances=tuple(replace(i, type="x1.large") for i in two.world.instances))
    assert drift(two) == set()


def test_an_instance_type_that_the_purchase_allows_is_no_drift() -> None:
    more = "  overrides: {prod: {launch: {instanceTypes: [m7g.large, m6g.large], purchase: {onDemandBase: 1}}}}\n"
    one = born(house("none", heal("heal") + more))
    one.world = odd(one.world, type="m6g.large")
    assert drift(one) == set()


def test_a_selector_that_finds_other_security_groups_today_is_drift_that_no_replacement_ends() -> None:
    one = born(house("none", heal("heal")))
    moved = tuple(replace(g, id=f"{g.id}-new") for g in one.world.security_groups)
    one.world = replace(one.world, security_groups=moved)
    assert drift(one) == {("launch.securityGroups", "sg-web-new", "sg-web", False)}
    assert not item(one.plan()).now
