"""The least IAM policy for what the allow-list holds, and explicit denies for what it never may.

Actions come from the allow-list's own table. Resources and conditions are those of AWS's Service
Authorization Reference. A Describe call has no resource that could be named, so reads are by action
alone; each write is bound to what carries our owner tag, or puts that tag on what it makes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from reconciler.core.facts import OWNER
from reconciler.gateway.allow import OPERATIONS

MANAGED_LIMIT: Final = 6144  # characters of a managed policy, white space aside

_BY_THE_CALLER: Final = frozenset({"sts:AssumeRole"})
"""Needed by the identity that assumes the role, not by the role that holds this policy."""

_READING: Final = ("Describe", "List", "Get")

# CONTRACT "Replace only", ARCHITECTURE "Forbidden by service". All of ec2:Modify* but
# ModifyImageAttribute and all of ssm but GetParameter and GetParameters, spelt by their beginnings,
# since a Deny has no exceptions; a test holds them against every operation that AWS has.
_DENIED: Final = """
    ec2:ModifyA* ec2:ModifyC* ec2:ModifyD* ec2:ModifyE* ec2:ModifyF* ec2:ModifyH* ec2:ModifyId*
    ec2:ModifyIn* ec2:ModifyIp* ec2:ModifyL* ec2:ModifyM* ec2:ModifyN* ec2:ModifyP* ec2:ModifyR*
    ec2:ModifyS* ec2:ModifyT* ec2:ModifyV*
    ec2:Associate* ec2:Attach* ec2:Detach* ec2:*onitorInstances ec2:Reboot* ec2:Replace* ec2:Start*
    ec2:Stop* ec2:ResetInstance* ec2-instance-connect:*
    autoscaling:*tachInstances autoscaling:E*Standby autoscaling:SetInstanceHealth
    autoscaling:StartInstanceRefresh
    ssm:A* ssm:C* ssm:D* ssm:L* ssm:M* ssm:P* ssm:R* ssm:S* ssm:T* ssm:U* ssm:V*
    ssm:GetA* ssm:GetC* ssm:GetD* ssm:GetE* ssm:GetI* ssm:GetM* ssm:GetO* ssm:GetParameterH*
    ssm:GetParametersB* ssm:GetPat* ssm:GetR* ssm:GetS*
"""
DENIED: Final[tuple[str, ...]] = tuple(_DENIED.split())

_GROUPS: Final = "autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*"
_TEMPLATES: Final = "ec2:*:*:launch-template/*"
_BALANCING: Final = "elasticloadbalancing:*:*:*/*"  # balancers, target groups, listeners, rules
_LAUNCHED: Final = (
    "instance volume network-interface spot-instances-request subnet security-group key-pair"
    " placement-group capacity-reservation"
)
_ROLE_MAKERS: Final = ("autoscaling", "elasticloadbalancing", "spot")

_OWN_CREATES: Final = (
    "autoscaling:CreateAutoScalingGroup",
    "ec2:CreateLaunchTemplate",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:CreateTargetGroup",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which things some actions may be done to. Resources are ARNs from the service on."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: tuple[tuple[str, str, tuple[str, ...]], ...] = ()  # operator, key, values


def size(policy: dict[str, Any]) -> int:
    """Return a document's length as IAM counts it, in characters."""
    return len(json.dumps(policy, separators=(",", ":")))


def iam_policy(
    *, read_only: bool, owner: str = "*", zones: Iterable[str] = ("*",), partition: str = "aws"
) -> dict[str, Any]:
    """Return the policy document for the role that a Target names.

    `owner` is `Target.spec.owner`: the default asks only that there is one. `zones` are ids of
    hosted zones. `partition` is `aws`, `aws-cn` or `aws-us-gov`.
    """
    actions = implied(read_only=read_only)
    reads = tuple(sorted(a for a in actions if is_read(a)))
    writes = actions - set(reads)
    scopes = [Scope(sid="Look", actions=reads, resources=("*",))]
    if writes:
        scopes += _writes(writes, owner, tuple(zones))
    allows = [_statement("Allow", s, partition) for s in scopes if s.actions]
    return {"Version": "2012-10-17", "Statement": [*allows, *_denies(partition)]}


def implied(*, read_only: bool) -> frozenset[str]:
    """Return every IAM action that the allow-list implies for whoever holds the policy."""
    chosen = [o for o in OPERATIONS if not (o.writes and read_only)]
    return frozenset(a for o in chosen for a in o.actions) - _BY_THE_CALLER


def is_read(action: str) -> bool:
    """Return whether an action only looks."""
    return action.partition(":")[2].startswith(_READING)


def _writes(actions: frozenset[str], owner: str, zones: tuple[str, ...]) -> list[Scope]:
    """Return a scope for every write; what is no special case is done to things of ours alone."""
    ours = (("StringLike", f"aws:ResourceTag/{OWNER}", (owner,)),)
    made_ours = (("StringLike", f"aws:RequestTag/{OWNER}", (owner,)),)
    named = [*_births(made_ours), *_launches(), *_others(zones)]
    special = [replace(s, actions=tuple(a for a in s.actions if a in actions)) for s in named]
    placed = {a for s in special for a in s.actions} - _OF_OURS_TOO
    changes = Scope(
        sid="ChangeOurs",
        actions=tuple(sorted(actions - placed)),
        resources=(_GROUPS, _TEMPLATES, _BALANCING),
        condition=ours,
    )
    return [*special, changes]


_OF_OURS_TOO: Final = frozenset(
    {
        "autoscaling:CreateOrUpdateTags",
        "ec2:CreateTags",
        "ec2:RunInstances",  # from our templates alone
        "elasticloadbalancing:AddTags",
    }
)
"""Actions that stand beside a creation, and again for things that are ours already."""


def _births(made_ours: tuple[tuple[str, str, tuple[str, ...]], ...]) -> list[Scope]:
    return [
        Scope(
            sid="Create",
            # a group made with tags is tagged under this action; it has no key for the creation
            actions=(*_OWN_CREATES, "autoscaling:CreateOrUpdateTags"),
            resources=(_GROUPS, _TEMPLATES, _BALANCING),
            condition=made_ours,
        ),
        Scope(
            sid="TagNew",
            actions=("ec2:CreateTags",),
            resources=("ec2:*:*:*/*",),
            condition=(("StringEquals", "ec2:CreateAction", ("CreateLaunchTemplate", "RunInstances")),),
        ),
        Scope(
            sid="TagBalancing",
            actions=("elasticloadbalancing:AddTags",),
            resources=(_BALANCING,),
            condition=(("StringLike", "elasticloadbalancing:CreateAction", ("Create*",)),),
        ),
    ]


def _launches() -> list[Scope]:
    """What CreateAutoScalingGroup checks of its caller: to launch into these, with a role.

    Its check does not know the launch template's condition keys, so that "from our templates" is
    bound by the template's own tag, in `ChangeOurs`.
    """
    return [
        Scope(
            sid="LaunchInto",
            actions=("ec2:RunInstances",),
            resources=("ec2:*::image/*", *(f"ec2:*:*:{x}/*" for x in _LAUNCHED.split())),
        ),
        Scope(
            sid="PassRole",
            actions=("iam:PassRole",),
            resources=("iam::*:role/*",),
            condition=(("StringEquals", "iam:PassedToService", ("ec2.amazonaws.com",)),),
        ),
        Scope(
            sid="ServiceRole",
            actions=("iam:CreateServiceLinkedRole",),
            resources=tuple(f"iam::*:role/aws-service-role/{x}.amazonaws.com/*" for x in _ROLE_MAKERS),
        ),
    ]


def _others(zones: tuple[str, ...]) -> list[Scope]:
    return [
        Scope(
            sid="Records",
            actions=("route53:ChangeResourceRecordSets", "route53:ChangeTagsForResource"),
            resources=tuple(f"route53:::hostedzone/{z}" for z in zones),
        ),
        Scope(
            sid="WebAcl",
            actions=(
                "wafv2:AssociateWebACL",
                "elasticloadbalancing:CreateWebACLAssociation",
                "elasticloadbalancing:DeleteWebACLAssociation",
            ),
            resources=(
                "wafv2:*:*:regional/webacl/*",
                "elasticloadbalancing:*:*:loadbalancer/app/*",
            ),
        ),
        # AWS gives it no resource; DeleteWebACLAssociation binds it to balancers
        Scope(sid="WebAclOff", actions=("wafv2:DisassociateWebACL",), resources=("*",)),
    ]


def _denies(partition: str) -> list[dict[str, Any]]:
    never = Scope(sid="NeverTouchInstances", actions=DENIED, resources=("*",))
    gently = Scope(
        sid="NeverForce",
        actions=("autoscaling:DeleteAutoScalingGroup",),
        resources=("*",),
        condition=(("Bool", "autoscaling:ForceDelete", ("true",)),),
    )
    return [_statement("Deny", s, partition) for s in (never, gently)]


def _statement(effect: str, scope: Scope, partition: str) -> dict[str, Any]:
    resources = [r if r == "*" else f"arn:{partition}:{r}" for r in scope.resources]
    said: dict[str, Any] = {
        "Sid": scope.sid,
        "Effect": effect,
        "Action": list(scope.actions) if len(scope.actions) > 1 else scope.actions[0],
        "Resource": resources if len(resources) > 1 else resources[0],
    }
    if scope.condition:
        said["Condition"] = {
            operator: {key: list(values) if len(values) > 1 else values[0]}
            for operator, key, values in scope.condition
        }
    return said
