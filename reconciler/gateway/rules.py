"""What a request must look like beyond the list of its members: refused before it is sent.

Source: CONTRACT "Replace only" and ARCHITECTURE "The gateway". Each check is pure and answers with
the reason for refusing, or nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from reconciler.gateway.allow import ALLOWED, SERVICES, Operation

Params: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Params], str | None]

TEMPLATES: Final = ("lt-",)


def refusal(service: str, name: str, params: Params, *, writes: bool) -> str | None:
    """Return why this request may not be sent, or None.

    `writes` says whether the caller may write at all: a dry run may not.
    """
    operation = ALLOWED.get((service, name))
    if operation is None:
        return f"{service}:{name} is not on the allow-list"
    if operation.writes and not writes:
        return f"{service}:{name} writes, and this connection only reads"
    return _members(operation, params) or _checked(operation, params)


def known(service: str) -> str | None:
    """Return why no client of this service may exist, or None."""
    return None if service in SERVICES else f"the service {service!r} is not on the allow-list"


def _members(operation: Operation, params: Params) -> str | None:
    extra = sorted(set(params) - operation.params)
    if not extra:
        return None
    return f"{operation.service}:{operation.name} may not carry {', '.join(extra)}"


def _checked(operation: Operation, params: Params) -> str | None:
    for check in RULES.get((operation.service, operation.name), ()):
        if why := check(params):
            return f"{operation.service}:{operation.name} {why}"
    return None


def _named_processes(params: Params) -> str | None:
    if params.get("ScalingProcesses"):
        return None
    return "must name its processes: without names it resumes what a person suspended"


def _keeps_size(params: Params) -> str | None:
    if params.get("ShouldDecrementDesiredCapacity") is False:
        return None
    return "must keep the size: it replaces an instance, it does not take one away"


def _templates_only(params: Params) -> str | None:
    resources = params.get("Resources") or ()
    if resources and all(str(r).startswith(TEMPLATES) for r in resources):
        return None
    return "is for launch templates alone: nothing of an instance is ever edited"


def _tag_keys_named(params: Params) -> str | None:
    if params.get("Tags"):
        return None
    return "must name its keys: without keys it takes all tags away"


def _pinned(params: Params) -> str | None:
    """A group launches one numbered version: `$Latest` and `$Default` move under running groups."""
    specs = [params["LaunchTemplate"]] if "LaunchTemplate" in params else []
    if "MixedInstancesPolicy" in params:
        mixed = params["MixedInstancesPolicy"].get("LaunchTemplate", {})
        specs.append(mixed.get("LaunchTemplateSpecification", {}))
        overrides = mixed.get("Overrides", ())
        specs += [o["LaunchTemplateSpecification"] for o in overrides if "LaunchTemplateSpecification" in o]
    if not specs:
        return "must name a launch template"
    if all(str(s.get("Version", "")).isdigit() for s in specs):
        return None
    return "must name its launch template's version by number"


def _group_tags_only(params: Params) -> str | None:
    tags = params.get("Tags") or ()
    if tags and all(t.get("ResourceType", "auto-scaling-group") == "auto-scaling-group" for t in tags):
        return None
    return "is for the tags of Auto Scaling groups, each by its key"


def _zone_tags_only(params: Params) -> str | None:
    if params.get("ResourceType") == "hostedzone":
        return None
    return "is for the tags of hosted zones alone"


def _apex_stays(params: Params) -> str | None:
    """Route 53 itself refuses to delete a zone's SOA; we do not even ask."""
    changes = params.get("ChangeBatch", {}).get("Changes") or ()
    if not changes:
        return "must hold a change"
    if any(c.get("ResourceRecordSet", {}).get("Type") == "SOA" for c in changes):
        return "never touches the SOA record of a zone"
    return None


RULES: Final[Mapping[tuple[str, str], tuple[Check, ...]]] = {
    ("autoscaling", "CreateAutoScalingGroup"): (_pinned,),
    ("autoscaling", "ResumeProcesses"): (_named_processes,),
    ("autoscaling", "TerminateInstanceInAutoScalingGroup"): (_keeps_size,),
    ("autoscaling", "CreateOrUpdateTags"): (_group_tags_only,),
    ("autoscaling", "DeleteTags"): (_group_tags_only,),
    ("ec2", "CreateTags"): (_templates_only,),
    ("ec2", "DeleteTags"): (_templates_only, _tag_keys_named),
    ("route53", "ChangeResourceRecordSets"): (_apex_stays,),
    ("route53", "ChangeTagsForResource"): (_zone_tags_only,),
}
