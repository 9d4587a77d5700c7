"""Auto Scaling groups on AWS: writing, one step at a time."""

import json
from typing import Any, Final, assert_never

from botocore.exceptions import ClientError

from reconciler.core.errors import ChangedError, ConflictError, RetryLaterError
from reconciler.core.facts import FAILED, PROPAGATED, Keeper, identity, tag, to_tags
from reconciler.core.ids import Arn, ResourceName
from reconciler.gateway.errors import Failure, classify, say
from reconciler.gateway.session import Aws
from reconciler.kinds.group.aws import TRANSITIONS, find
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import (
    Attach,
    CreateGroup,
    DeleteGroup,
    DeletePolicy,
    DeleteSchedule,
    Detach,
    GroupStep,
    PutPolicy,
    PutSchedule,
    ReplaceInstance,
    ResumeProcesses,
    SetSizes,
    TagGroup,
    UpdateGroup,
)
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.receipt import ALREADY, DONE, Receipt

REQUESTS: Final = "ALBRequestCountPerTarget"


def do(aws: Aws, step: GroupStep, keeper: Keeper) -> Receipt:
    """Perform one step.

    Raises: ConflictError where the name is another's; ChangedError where the world is not what the
    plan rested on; RetryLaterError where a new template is not visible yet.
    """
    match step:
        case CreateGroup():
            return _create(aws, step, keeper)
        case SetSizes():
            return _set_sizes(aws, step, keeper)
        case TagGroup():
            return _tag(aws, step)
        case DeleteGroup():
            return _delete(aws, step, keeper)
        case PutPolicy():
            return _put_policy(aws, step)
        case Attach() | Detach():
            return _attach(aws, step)
        case UpdateGroup() | DeletePolicy() | PutSchedule() | DeleteSchedule() | ResumeProcesses():
            return _settle(aws, step)
        case ReplaceInstance():
            return _replace(aws, step, keeper)
        case _:
            assert_never(step)


def _ours(aws: Aws, name: ResourceName, keeper: Keeper) -> LiveGroup | None:
    """Read a group again before it is destroyed or shrunk; None if it is gone.

    Raises: ConflictError where it is not ours any more.
    """
    live = find(aws, name)
    if live is not None and identity(live.tags, live.name, keeper) is None:
        raise ConflictError(f"group {name} is not ours any more")
    return live


def _create(aws: Aws, step: CreateGroup, keeper: Keeper) -> Receipt:
    client = aws.client("autoscaling")
    try:
        client.create_auto_scaling_group(**_request(aws, step))
    except ClientError as error:
        failure = classify(error)
        if failure is Failure.NOT_YET:
            raise RetryLaterError(say(error)) from error
        if failure is not Failure.ALREADY_EXISTS:
            raise
        there = find(aws, step.name)
        who = identity(there.tags, there.name, keeper) if there else None
        if who is None or who.revision != dict(step.tags).get("reconciler:revision"):
            raise ConflictError(f"group {step.name} exists and is not ours") from error
        return ALREADY
    return DONE


def _request(aws: Aws, step: CreateGroup) -> dict[str, Any]:
    want = step.group
    template = {"LaunchTemplateId": _template_id(aws, want.name), "Version": "1"}
    request: dict[str, Any] = {
        "AutoScalingGroupName": want.name,
        "MinSize": step.sizes.min,
        "MaxSize": step.sizes.max,
        "DesiredCapacity": step.sizes.desired,
        "VPCZoneIdentifier": ",".join(want.subnets),
        "Tags": [
            _tag_of(want.name, k, v, propagate=k in PROPAGATED or (k, v) in want.extra_tags)
            for k, v in to_tags({**dict(want.extra_tags), **dict(step.tags)})
        ],
        **{k: json.loads(v) for k, v in (*want.health, *want.settings, *want.birth)},
    }
    for odd, default in (("DefaultInstanceWarmup", -1), ("MaxInstanceLifetime", 0)):
        if request.get(odd) == default:
            del request[odd]  # "not set" is said by leaving it out at birth
    if want.mixed:
        mixed = json.loads(want.mixed)
        mixed["LaunchTemplate"]["LaunchTemplateSpecification"] = template
        request["MixedInstancesPolicy"] = mixed
    else:
        request["LaunchTemplate"] = template
    arns = _target_groups(aws, want.target_groups)
    if step.attached:
        arns += [*want.attach_target_groups]
        if want.attach_classic:
            request["LoadBalancerNames"] = list(want.attach_classic)
    if arns:
        request["TargetGroupARNs"] = arns
    if want.hooks:
        request["LifecycleHookSpecificationList"] = [
            {
                "LifecycleHookName": h.name,
                "LifecycleTransition": TRANSITIONS[h.on],
                "HeartbeatTimeout": h.timeout,
                "DefaultResult": h.result.upper(),
            }
            for h in want.hooks
        ]
    return request


def _template_id(aws: Aws, name: ResourceName) -> str:
    """Groups name their template by id and number: a name could be another template's tomorrow.

    Raises: RetryLaterError while AWS does not show the template yet; ChangedError where it has failed since.
    """
    filters = [{"Name": "launch-template-name", "Values": [name]}]
    raws = aws.client("ec2").describe_launch_templates(Filters=filters)["LaunchTemplates"]
    if not raws:
        raise RetryLaterError(f"launch template {name} is not visible yet")
    if tag(to_tags((t["Key"], t["Value"]) for t in raws[0].get("Tags", [])), FAILED):
        raise ChangedError(f"revision {name} has failed since it was planned")  # another process made it
    return str(raws[0]["LaunchTemplateId"])


def _target_groups(aws: Aws, names: tuple[ResourceName, ...]) -> list[Arn]:
    """Our own target groups are wanted by name: the ARN is known once they are made."""
    if not names:
        return []
    raws = aws.client("elbv2").describe_target_groups(Names=list(names))["TargetGroups"]
    return sorted(Arn(r["TargetGroupArn"]) for r in raws)


def _tag_of(name: str, key: str, value: str, *, propagate: bool) -> dict[str, Any]:
    return {
        "ResourceId": name,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": propagate,
    }


def _set_sizes(aws: Aws, step: SetSizes, keeper: Keeper) -> Receipt:
    live = _ours(aws, step.name, keeper)
    if live is None:
        raise ChangedError(f"group {step.name} is gone")
    if live.sizes == step.sizes:
        return ALREADY
    if live.sizes != step.expect:
        raise ChangedError(f"sizes of {step.name} are {live.sizes} now, and were {step.expect} when planned")
    aws.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=step.name,
        MinSize=step.sizes.min,
        MaxSize=step.sizes.max,
        DesiredCapacity=step.sizes.desired,
    )
    return DONE


def _tag(aws: Aws, step: TagGroup) -> Receipt:
    client = aws.client("autoscaling")
    if step.put:
        tags = [_tag_of(step.name, k, v, propagate=not k.startswith("reconciler:")) for k, v in step.put]
        client.create_or_update_tags(Tags=tags)
    if step.drop:
        gone = [{"ResourceId": step.name, "ResourceType": "auto-scaling-group", "Key": k} for k in step.drop]
        client.delete_tags(Tags=gone)
    return DONE


def _delete(aws: Aws, step: DeleteGroup, keeper: Keeper) -> Receipt:
    live = _ours(aws, step.name, keeper)
    if live is None or live.deleting:
        return ALREADY
    if live.instances or live.sizes != Sizes(min=0, max=0, desired=0):
        raise ChangedError(f"group {step.name} has {len(live.instances)} instances, sizes {live.sizes}")
    aws.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=step.name)
    return DONE


def _put_policy(aws: Aws, step: PutPolicy) -> Receipt:
    body = json.loads(step.policy.body)
    predefined = body.get("PredefinedMetricSpecification", {})
    if predefined.get("PredefinedMetricType") == REQUESTS:
        predefined["ResourceLabel"] = _label(aws, step.name)
    aws.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=step.name,
        PolicyName=step.policy.name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=body,
    )
    return DONE


def _label(aws: Aws, name: str) -> str:
    """Return the label by which CloudWatch knows a target group behind its balancer.

    Raises: RetryLaterError while no balancer forwards to it.
    """
    raw = aws.client("elbv2").describe_target_groups(Names=[name])["TargetGroups"][0]
    if not raw.get("LoadBalancerArns"):
        raise RetryLaterError(f"target group {name} is behind no balancer yet")
    balancer = raw["LoadBalancerArns"][0].partition("loadbalancer/")[2]
    return f"{balancer}/{raw['TargetGroupArn'].rpartition(':')[2]}"


def _attach(aws: Aws, step: Attach | Detach) -> Receipt:
    client = aws.client("autoscaling")
    on = isinstance(step, Attach)
    if step.target_groups:
        call = client.attach_load_balancer_target_groups if on else client.detach_load_balancer_target_groups
        call(AutoScalingGroupName=step.name, TargetGroupARNs=list(step.target_groups))
    if step.classic:
        call = client.attach_load_balancers if on else client.detach_load_balancers
        call(AutoScalingGroupName=step.name, LoadBalancerNames=list(step.classic))
    return DONE


def _settle(
    aws: Aws, step: UpdateGroup | DeletePolicy | PutSchedule | DeleteSchedule | ResumeProcesses
) -> Receipt:
    client = aws.client("autoscaling")
    match step:
        case UpdateGroup():
            members = {k: json.loads(v) for k, v in step.members}
            client.update_auto_scaling_group(AutoScalingGroupName=step.name, **members)
        case DeletePolicy():
            client.delete_policy(AutoScalingGroupName=step.name, PolicyName=step.policy)
        case PutSchedule(schedule=wanted):
            client.put_scheduled_update_group_action(
                AutoScalingGroupName=step.name,
                ScheduledActionName=wanted.name,
                Recurrence=wanted.cron,
                TimeZone=wanted.timezone,
                MinSize=wanted.min,
                MaxSize=wanted.max,
            )
        case DeleteSchedule():
            client.delete_scheduled_action(AutoScalingGroupName=step.name, ScheduledActionName=step.schedule)
        case ResumeProcesses():
            client.resume_processes(AutoScalingGroupName=step.name, ScalingProcesses=list(step.processes))
        case _:
            assert_never(step)
    return DONE


def _replace(aws: Aws, step: ReplaceInstance, keeper: Keeper) -> Receipt:
    live = _ours(aws, step.name, keeper)
    if live is None or step.instance not in {i.id for i in live.instances}:
        return ALREADY
    aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=step.instance, ShouldDecrementDesiredCapacity=False
    )
    return DONE
