"""What AWS does that one does not expect: each test walks into one such trap, over the wire.

Those that a simulated world shows as well stand in `tests/plan/test_traps.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from reconciler.core.errors import ChangedError
from reconciler.core.facts import BORN, FAILED, retagged
from reconciler.daemon.passes import writer
from reconciler.daemon.session import Session
from reconciler.kinds.register import Step
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import CreateTemplate, TagTemplate
from reconciler.plan.standing import Standing, standing
from tests.product import Product, story, tags, wait, world_of
from tests.wire.company import LISTENER, NEW_AMI, OLD_AMI, SHARED, TRAFFIC, base, fleet, zone
from tests.wire.watch import Watch, assert_one_whole

pytestmark = pytest.mark.wire

QUICK = "keepOld: 1m, readyWithin: 5m"
PARAMETER = "/shop/base-ami"


def serving(product: Product, kind: str, **more: str) -> tuple[Watch, str]:
    """A fleet that serves, and the name of its group."""
    watch = Watch(product.aws, kind)
    more.setdefault("rollout", QUICK)
    product.commit(
        {"target.yaml": base(), "zone.yaml": zone(), "fleets/web.yaml": fleet(TRAFFIC[kind], **more)}
    )
    product.converge(watch.look)
    (name,) = watch.groups()
    product.aws.control.clear_calls()
    return watch, name


def sent(product: Product, *operations: str) -> list[dict[str, Any]]:
    """The parameters of the product's calls, oldest first, whatever came back."""
    return [c["params"] for c in product.aws.control.calls() if c["operation"] in operations]


def blocked(passes: list[Any]) -> tuple[str, str]:
    """Why nothing moves any more: its code, and in words."""
    assert standing(passes[-1].plan) is Standing.BLOCKED, story(passes)
    (item,) = [i for i in passes[-1].plan.items if i.blocked]
    return item.blocked.code, item.blocked.why


# Reads that lag, and writes of others in between


def test_a_read_that_does_not_show_our_own_write_yet_leads_to_no_second_one(product: Product) -> None:
    """Groups that are read lag behind what was written to them."""
    _, name = serving(product, "none")
    control = product.aws.control
    control.fault("stale", operation="DescribeAutoScalingGroups", match="tag:reconciler", times=5)
    product.commit({"fleets/web.yaml": fleet(capacity="{min: 3, max: 6, desired: 4}", rollout=QUICK)})
    product.settle()
    wrote = sent(product, "UpdateAutoScalingGroup")
    assert [(p["MinSize"], p["MaxSize"], p["DesiredCapacity"]) for p in wrote] == [(3, 6, 4)]
    assert {p["AutoScalingGroupName"] for p in wrote} == {name}


def test_a_name_that_is_used_again_is_not_taken_for_the_deleted_group(product: Product) -> None:
    """A group that was deleted and made again under its name may still be read with its old sizes."""
    watch, name = serving(product, "none")
    product.commit({"fleets/stays.yaml": fleet(name="stays", capacity="{min: 0, max: 1, desired: 0}")})
    product.converge()
    product.commit({"fleets/web.yaml": None})
    product.converge(until=lambda _: watch.groups() == {})
    control = product.aws.control
    control.clear_calls()
    control.fault("stale", operation="DescribeAutoScalingGroups", match="tag:reconciler", times=2)
    product.commit({"fleets/web.yaml": fleet(rollout=QUICK)})
    before = control.now()
    product.settle()
    assert {p["AutoScalingGroupName"] for p in sent(product, "CreateAutoScalingGroup")} == {name}
    assert sent(product, "DeleteAutoScalingGroup") == []
    (group,) = watch.groups().values()
    assert (group["MinSize"], group["DesiredCapacity"], len(group["Instances"])) == (2, 2, 2)
    assert int(tags(group)["reconciler:born"]) >= before.timestamp()


def resize(product: Product, name: str) -> None:
    groups = product.aws.client("autoscaling")
    groups.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=4)


def enter(product: Product, _name: str) -> None:
    """Somebody puts a target group of theirs into our rule."""
    elb = product.aws.client("elbv2")
    (rule,) = [r for r in elb.describe_rules(ListenerArn=LISTENER)["Rules"] if r["Priority"] == "10"]
    (action,) = rule["Actions"]
    theirs = [*action["ForwardConfig"]["TargetGroups"], {"TargetGroupArn": SHARED, "Weight": 1}]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": theirs}}]
    elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)


def reweigh(product: Product, _name: str) -> None:
    """Somebody moves a weight in the fleet's set of records."""
    dns = product.aws.client("route53")
    identifier = dns.list_hosted_zones()["HostedZones"][0]["Id"]
    raws = dns.list_resource_record_sets(HostedZoneId=identifier)["ResourceRecordSets"]
    (record,) = [r for r in raws if r["Name"] == "web.example.com."]
    changes = [{"Action": "UPSERT", "ResourceRecordSet": {**record, "Weight": 7}}]
    dns.change_resource_record_sets(HostedZoneId=identifier, ChangeBatch={"Changes": changes})


RACES: dict[str, tuple[str, str, Callable[[Product, str], None], str]] = {
    "sizes": ("none", "set-sizes", resize, "UpdateAutoScalingGroup"),
    "a rule's targets": ("listener", "set-rule-weights", enter, "ModifyRule"),
    "weights in DNS": ("balancer", "change-records", reweigh, "ChangeResourceRecordSets"),
}


@pytest.mark.parametrize("race", RACES)
def test_what_somebody_changed_since_it_was_read_is_not_overwritten(product: Product, race: str) -> None:
    """Updates of groups and rules have no precondition; a rule's whole list of targets is replaced."""
    kind, op, meddle, operation = RACES[race]
    watch, name = serving(product, kind)
    resized = fleet(TRAFFIC[kind], capacity="{min: 2, max: 4, desired: 3}", rollout=QUICK)
    product.commit({"fleets/web.yaml": resized} if kind == "none" else {"target.yaml": base(NEW_AMI)})
    with product.session() as session:
        step = about_to(product, session, op)
        meddle(product, name)
        product.aws.control.clear_calls()
        (target,) = session.targets
        look = session.look_at(target)
        assert look.seen
        with pytest.raises(ChangedError):
            writer(session.runtime(target).aws, look.seen.keeper)(step)
    assert sent(product, operation) == []
    assert watch.groups()


def test_a_revision_that_failed_meanwhile_is_not_born_by_a_daemon_that_was_slow(product: Product) -> None:
    """Another process made it, saw it fail and took it away, between this one's look and its write."""
    watch, _ = serving(product, "none")
    product.commit({"target.yaml": base(NEW_AMI)})
    with product.session() as session:
        step = about_to(product, session, "create-template")
        assert isinstance(step, CreateTemplate)
        (target,) = session.targets
        look = session.look_at(target)
        assert look.seen
        writer(session.runtime(target).aws, look.seen.keeper)(step)
        write, made = template_of(session, step.name)
        write(TagTemplate(name=made.name, id=made.id, put=((FAILED, "0123ab;1;aborted"),)))
        older = replace(step.template, tags=retagged(step.template.tags, {BORN: "1"}))
        with pytest.raises(ChangedError, match=f"revision {step.name} has failed since it was planned"):
            write(replace(step, template=older))
    assert len(watch.groups()) == 1


def test_no_group_is_born_of_a_template_that_failed_meanwhile(product: Product) -> None:
    """Another process saw it fail, and took its group away, before this one came to write its own."""
    watch, _ = serving(product, "none")
    product.commit({"target.yaml": base(NEW_AMI)})
    with product.session() as session:
        step = about_to(product, session, "create-group")
        write, made = template_of(session, str(step.name))
        write(TagTemplate(name=made.name, id=made.id, put=((FAILED, "0123ab;1;aborted"),)))
        with pytest.raises(ChangedError, match=f"revision {step.name} has failed since it was planned"):
            write(step)
    assert len(watch.groups()) == 1


def test_a_template_that_was_taken_up_again_meanwhile_is_not_deleted(product: Product) -> None:
    """Its group is about to be made: without it, nothing would explain the target group that is there already."""
    serving(product, "none")
    product.commit({"target.yaml": base(NEW_AMI)})
    with product.session() as session:
        step = about_to(product, session, "delete-template")
        write, made = template_of(session, str(step.name))
        write(TagTemplate(name=made.name, id=made.id, put=((BORN, "1"),)))
        with pytest.raises(ChangedError, match=f"launch template {step.name} was taken up again"):
            write(step)
        assert [t for t in world_of(session).templates if t.name == made.name]
    assert sent(product, "DeleteLaunchTemplate") == []


def template_of(session: Session, name: str) -> tuple[Callable[[Step], Any], LiveTemplate]:
    """What writes as this session does, and a launch template that it sees."""
    (target,) = session.targets
    look = session.look_at(target)
    assert look.seen
    (made,) = [t for t in world_of(session).templates if t.name == name]
    return writer(session.runtime(target).aws, look.seen.keeper), made


def about_to(product: Product, session: Session, op: str) -> Step:
    """Make passes until a step of this kind is the next one; do not do it."""
    (target,) = session.targets
    for _ in range(60):
        look = session.look_at(target)
        assert look.seen
        write = writer(session.runtime(target).aws, look.seen.keeper)
        (item,) = [i for i in look.plan.items if i.kind == "Fleet"]
        for step in item.now:
            if step.op == op:
                return step
            write(step)
        if not item.now:
            wait(look.plan, product.aws)
    raise AssertionError(f"no {op}")


# Calls that are refused for a while


def test_a_busy_zone_a_throttled_call_and_a_group_with_activities_are_tried_again(product: Product) -> None:
    """PriorRequestNotComplete and Throttling are 400s of their own kind, and no fault of the revision."""
    watch, old = serving(product, "balancer")
    for service, operation, code in (
        ("route53", "ChangeResourceRecordSets", "PriorRequestNotComplete"),
        ("autoscaling", "DeleteAutoScalingGroup", "ScalingActivityInProgress"),
        ("autoscaling", "DeleteAutoScalingGroup", "ResourceInUse"),
        ("elbv2", "DeleteTargetGroup", "ResourceInUse"),
    ):
        product.aws.control.fault("error", service=service, operation=operation, code=code, times=1)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.aws.control.fault("throttle", service="ec2", operation="CreateLaunchTemplate")
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        product.converge(watch.look)  # it ends the pass of the whole target, and the next one comes later
    product.settle(watch.look)
    assert all(f["fired"] == 1 for f in product.aws.control.faults())
    assert old not in watch.groups()
    assert not any(p.get("ForceDelete") for p in sent(product, "DeleteAutoScalingGroup"))
    assert_one_whole(watch)


# What a group is born with, and what it launches later


def test_a_group_has_its_hooks_at_birth_and_launches_its_own_version_for_ever(product: Product) -> None:
    """Instances that came before a hook run without it; the default version moves under running groups."""
    hooks = "  hooks: [{name: drain, on: terminate, timeout: 2m, result: continue}]"
    product.commit({"target.yaml": base(), "zone.yaml": zone(), "fleets/web.yaml": fleet(more=hooks)})
    product.settle()
    (birth,) = sent(product, "CreateAutoScalingGroup")
    (hook,) = birth["LifecycleHookSpecificationList"]
    assert (hook["HeartbeatTimeout"], hook["DefaultResult"]) == (120, "CONTINUE"), (
        "AWS's own are 1 h, ABANDON"
    )
    template = birth["LaunchTemplate"]
    assert (template["LaunchTemplateId"][:3], template["Version"]) == ("lt-", "1")
    assert sent(product, "PutLifecycleHook") == []
    ec2, control = product.aws.client("ec2"), product.aws.control
    ec2.create_launch_template_version(
        LaunchTemplateId=template["LaunchTemplateId"], LaunchTemplateData={"ImageId": NEW_AMI}
    )
    ec2.modify_launch_template(LaunchTemplateId=template["LaunchTemplateId"], DefaultVersion="2")
    watch = Watch(product.aws, "none")
    ((name, group),) = watch.groups().items()
    first = {i["InstanceId"] for i in group["Instances"]}
    control.knob("terminate-instance", id=min(first))
    control.advance(timedelta(minutes=10))
    launched = [i for i in watch.groups()[name]["Instances"] if i["InstanceId"] not in first]
    assert [i["LaunchTemplate"]["Version"] for i in launched] == ["1"]
    rows = {(r.field, r.want, r.live) for r in product.plan().drift}
    assert ("defaultVersion", "1", "2") in rows


def test_an_image_of_a_parameter_is_pinned_when_it_is_planned_and_a_moved_one_is_told(
    product: Product,
) -> None:
    """AWS would resolve a parameter again at every launch, and could neither match nor roll back."""
    ssm = product.aws.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value=OLD_AMI, Type="String")
    by_parameter = base().replace(f"ami: {OLD_AMI}", f"parameter: {PARAMETER}")
    product.commit({"target.yaml": by_parameter, "zone.yaml": zone(), "fleets/web.yaml": fleet()})
    product.settle()
    (made,) = sent(product, "CreateLaunchTemplate")
    assert made["LaunchTemplateData"]["ImageId"] == OLD_AMI
    ssm.put_parameter(Name=PARAMETER, Value=NEW_AMI, Type="String", Overwrite=True)
    plan = product.plan()
    (item,) = [i for i in plan.items if i.kind == "Fleet"]
    assert (item.action, item.now) == ("none", ())
    assert item.notes == (f"image base is unpinned: {OLD_AMI} stays; {NEW_AMI} is newer: pin it to adopt it",)


def test_what_stands_on_a_later_page_is_not_taken_for_gone(product: Product) -> None:
    """Policies and schedules are listed for the whole account, a hundred a page, groups likewise."""
    scaling = "  scaling: [{metric: cpu, target: 60}, {cron: '0 8 * * 1', min: 3, max: 4}]"
    _, name = serving(product, "none", more=scaling)
    groups = product.aws.client("autoscaling")
    (mine,) = groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    for n in range(3):
        theirs = f"a-theirs-{n}"
        groups.create_auto_scaling_group(
            AutoScalingGroupName=theirs,
            LaunchTemplate={k: mine["LaunchTemplate"][k] for k in ("LaunchTemplateId", "Version")},
            MinSize=0,
            MaxSize=0,
            VPCZoneIdentifier=mine["VPCZoneIdentifier"],
        )
        for m in range(40):
            groups.put_scheduled_update_group_action(
                AutoScalingGroupName=theirs, ScheduledActionName=f"s{m}", Recurrence=f"{m} 1 * * *", MinSize=0
            )
    page = groups.describe_scheduled_actions(MaxRecords=100)["ScheduledUpdateGroupActions"]
    assert name not in {s["AutoScalingGroupName"] for s in page}
    with product.session("plan") as session:
        (look,) = session.look()
    assert not any(i.now for i in look.plan.items)
    assert look.plan.drift == ()
    pages = sent(product, "DescribeScheduledActions")
    assert len([p for p in pages if p.get("NextToken")]) >= 1


# Capacity and health


def test_a_zone_that_launches_nothing_stops_a_group_that_must_be_balanced_and_it_goes_back(
    product: Product,
) -> None:
    """A new group that is `balanced-only` can't finish while a zone has no capacity."""
    balanced = (
        "  group: {extra: {AvailabilityZoneDistribution: {CapacityDistributionStrategy: balanced-only}}}"
    )
    watch, old = serving(product, "none", more=balanced)
    kept = watch.instances(old)
    zones = {i["AvailabilityZone"] for i in watch.groups()[old]["Instances"]}
    product.aws.control.knob("zone-outage", zone=max(zones))
    product.commit({"target.yaml": base(NEW_AMI)})
    code, why = blocked(product.converge(watch.look))
    assert code == "failed"
    assert "of 2 instances in service" in why
    assert "not enough capacity" in why
    assert watch.instances(old) == kept


def test_instances_that_are_not_registered_take_no_traffic_though_they_are_healthy(product: Product) -> None:
    """AddToLoadBalancer resumed does not register what was launched meanwhile: nobody checks it."""
    watch, old = serving(product, "balancer")
    groups, control = product.aws.client("autoscaling"), product.aws.control
    product.commit({"target.yaml": base(NEW_AMI)})
    product.converge(watch.look, until=lambda _: len(watch.groups()) == 2)
    (new,) = set(watch.groups()) - {old}
    process = {"AutoScalingGroupName": new, "ScalingProcesses": ["AddToLoadBalancer"]}
    groups.suspend_processes(**process)
    control.advance(timedelta(minutes=2))
    groups.resume_processes(**process)
    assert {i["LifecycleState"] for i in watch.groups()[new]["Instances"]} == {"InService"}
    code, why = blocked(product.converge(watch.look))
    assert code == "failed"
    assert "0 of 2 targets healthy" in why
    assert watch.weights() == {old: 255}
    assert not any(w.get(new) for w in watch.seen)


def test_who_had_the_traffic_stays_as_large_as_it_was_while_a_canary_waits(product: Product) -> None:
    """With half the load each, an autoscaler would shrink both: going back would then overload the old one."""
    canary = "strategy: canary, keepOld: 5m, steps: [{weight: 50, hold: 1m}, {pause: true}]"
    scaling = "  scaling: [{metric: cpu, target: 60}]"
    watch, old = serving(
        product, "listener", rollout=canary, more=scaling, capacity="{min: 1, max: 6, desired: 3}"
    )
    groups = product.aws.client("autoscaling")
    product.commit({"target.yaml": base(NEW_AMI)})
    assert blocked(product.converge(watch.look))[0] == "pause"
    (new,) = set(watch.groups()) - {old}
    for name in (old, new):
        with pytest.raises(groups.exceptions.ClientError, match="below min value 3"):
            groups.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
    groups.set_desired_capacity(AutoScalingGroupName=old, DesiredCapacity=4)  # it may grow
    wrote = sent(product, "SuspendProcesses", "PutScalingPolicy", "DeletePolicy")
    assert [p["AutoScalingGroupName"] for p in wrote] in ([], [new]), "the old one scales as it did"
