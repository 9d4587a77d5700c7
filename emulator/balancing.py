"""What Elastic Load Balancing (v2) keeps, and the look-ups that its operations share."""

from dataclasses import dataclass, field
from datetime import datetime

from emulator.region import Body, Region
from emulator.wire import Params, Refused, invalid, page


@dataclass(eq=False, slots=True, kw_only=True)
class Balancer:
    """One load balancer."""

    body: Body
    attributes: dict[str, str]
    request: Params  # what it was made with, for repeats


@dataclass(eq=False, slots=True, kw_only=True)
class Target:
    """One registered target."""

    id: str
    port: int | None
    registered: datetime
    drained: datetime | None = None  # when its deregistration ends


@dataclass(eq=False, slots=True, kw_only=True)
class TargetGroup:
    """One target group."""

    body: Body
    attributes: dict[str, str]
    request: Params
    targets: dict[tuple[str, int | None], Target] = field(default_factory=dict)
    used: datetime | None = None  # since when a listener or rule names it

    @property
    def name(self) -> str:
        """The name, as test hands match it."""
        return str(self.body["TargetGroupName"])


@dataclass(eq=False, slots=True, kw_only=True)
class Rule:
    """One rule; the default rule of a listener too."""

    body: Body
    listener: str


@dataclass(eq=False, slots=True, kw_only=True)
class Listener:
    """One listener. Its default actions are those of its default rule."""

    body: Body
    certificates: list[str] = field(default_factory=list)  # the default one first
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def balancer(self) -> str:
        """ARN of its balancer."""
        return str(self.body["LoadBalancerArn"])


def balancer(region: Region, arn: str) -> Balancer:
    """Raises: LoadBalancerNotFound."""
    if arn not in region.balancers:
        raise Refused("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    found: Balancer = region.balancers[arn]
    return found


def target_group(region: Region, arn: str) -> TargetGroup:
    """Raises: TargetGroupNotFound."""
    if arn not in region.target_groups:
        raise Refused("TargetGroupNotFound", f"Target groups '{arn}' not found")
    found: TargetGroup = region.target_groups[arn]
    return found


def listener(region: Region, arn: str) -> Listener:
    """Raises: ListenerNotFound."""
    if arn not in region.listeners:
        raise Refused("ListenerNotFound", f"Listener '{arn}' not found")
    found: Listener = region.listeners[arn]
    return found


def rule(region: Region, arn: str) -> Rule:
    """Raises: RuleNotFound."""
    if arn not in region.rules:
        raise Refused("RuleNotFound", f"Rules '{arn}' not found")
    found: Rule = region.rules[arn]
    return found


def rules_of(region: Region, listener_arn: str) -> list[Rule]:
    """Return a listener's rules by priority, the default one last."""
    found = [r for r in region.rules.values() if r.listener == listener_arn]
    return sorted(
        found, key=lambda r: (r.body["IsDefault"], int(r.body["Priority"]) if not r.body["IsDefault"] else 0)
    )


def named(actions: list[Body]) -> list[str]:
    """Return the ARNs of the target groups that actions forward to."""
    return [t["TargetGroupArn"] for a in actions for t in a.get("ForwardConfig", {}).get("TargetGroups", [])]


def recount(region: Region) -> None:
    """Find anew which target groups are behind which balancers; checks begin with the first use."""
    behind: dict[str, set[str]] = {}
    for one in region.rules.values():
        owner = region.listeners[one.listener].balancer
        for arn in named(one.body["Actions"]):
            behind.setdefault(arn, set()).add(owner)
    for arn, group in region.target_groups.items():
        group.body["LoadBalancerArns"] = sorted(behind.get(arn, ()))
        if arn not in behind:
            group.used = None
        elif group.used is None:
            group.used = region.at


def pages(pairs: list[tuple[str, Body]], params: Params, key: str, size: int = 400) -> Body:
    """Return one page of a describe operation: at most 400 things, or as many as it asks for.

    Raises: ValidationError for a PageSize out of 1 to 400 or a marker that is none.
    """
    wanted = params.get("PageSize", size)
    if not 1 <= wanted <= 400:
        limit = "less than or equal to 400" if wanted > 400 else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value '{wanted}' at 'pageSize' failed to satisfy constraint:"
            f" Member must have value {limit}"
        )
    bad = invalid(f"Invalid marker '{params.get('Marker')}'")
    found, marker = page(pairs, params.get("Marker"), wanted, bad=bad)
    return {key: found, "NextMarker": marker}
