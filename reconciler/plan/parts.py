"""What changes beside the revision: each part is in sync, changed by git, or drifted.

The group's tag `reconciler:applied` holds a short hash for each part, written after its effect.
Wanted differs from applied: a change, written, then the tag. Equal, and live differs: drift.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from reconciler.core.digest import short
from reconciler.core.duration import format_duration
from reconciler.core.facts import APPLIED, PREFIX, Tags, tag, to_tags
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import (
    DeletePolicy,
    DeleteSchedule,
    PutPolicy,
    PutSchedule,
    SetSizes,
    TagGroup,
    UpdateGroup,
)
from reconciler.kinds.group.want import Members, Policy, Schedule, Sizes
from reconciler.kinds.register import Step
from reconciler.plan import balancer_parts
from reconciler.plan.part import Part, Row
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Wanted

CODES: Final = {
    "min": "mi",
    "max": "ma",
    "desired": "de",
    "health": "he",
    "settings": "se",
    "policies": "po",
    "schedules": "sc",
    "tags": "ta",
    "target group": "tg",
    "balancer": "ba",
    "rule": "ru",
    "dns": "dn",
    "protect": "pr",
}
"""Parts, and what stands for each in `reconciler:applied`: 13 of 9 characters fit in 256 by far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """What is to be done beside the revision, what changed in git, and what drifted."""

    step: Step | None
    changed: tuple[Part, ...]
    drifted: tuple[Row, ...]


def parse_applied(value: str) -> dict[str, str]:
    """Return the hash of each part that `reconciler:applied` remembers."""
    return dict(p.split("=", 1) for p in value.split(";") if "=" in p)


def parts_of(want: Wanted, s: Slice, live: Live, *, alone: bool) -> tuple[Part, ...]:
    """Return every part of the serving revision. Sizes and schedules only once it serves alone."""
    group = live.up
    if group is None:
        return ()
    own: list[Part] = [_members("health", want.group.health, group, group.health)]
    own.append(_members("settings", want.group.settings, group, group.settings))
    own.append(_policies(want, group))
    own.append(_tags(want, group))
    if alone:
        own += [*_sizes(want, group, live), _schedules(want, group)]
    own.append(Part(name="protect", want="yes" if want.protect else "no", rows=(), step=None))
    return (*own, *balancer_parts.parts(want, s, live, alone=alone))


def in_place(want: Wanted, parts: tuple[Part, ...], group: LiveGroup) -> InPlace:
    """Sort parts into changes and drift, and return the one step that is next."""
    applied = parse_applied(group.tag(APPLIED))
    changed = tuple(p for p in parts if applied.get(CODES[p.name]) != short(p.want))
    same = [p for p in parts if p not in changed]
    drifted = tuple(row for p in same for row in p.rows if not _ignored(want, row))
    step = next((p.step(p) for p in changed if p.step and p.rows), None)
    done = tuple(p for p in changed if p.looked and (not p.rows or p.step is None))
    if step is None and done:
        step = _remember(group, applied, done)
    if step is None and want.heal:
        step = next(
            (p.step(p) for p in same if p.step and any(not _ignored(want, r) for r in p.rows)),
            None,
        )
    return InPlace(step=step, changed=changed, drifted=drifted)


def _remember(group: LiveGroup, applied: dict[str, str], changed: tuple[Part, ...]) -> TagGroup:
    now = {**applied, **{CODES[p.name]: short(p.want) for p in changed}}
    text = ";".join(f"{k}={v}" for k, v in sorted(now.items()) if k in CODES.values())
    return TagGroup(
        name=group.name,
        put=((APPLIED, text),),
        because=f"applied: {', '.join(p.name for p in changed)}",
    )


def _ignored(want: Wanted, row: Row) -> bool:
    return any(row.field == path or row.field.startswith(f"{path}.") for path in want.ignore)


def _members(name: str, want: Members, group: LiveGroup, live: Members) -> Part:
    have = dict(live)
    differing = tuple((k, v) for k, v in want if have.get(k) != v)
    rows = tuple(
        Row(resource=f"group/{group.name}", field=k, want=_told(k, v) or "as in git", live=_live(k, have))
        for k, v in differing
    )

    def step(_part: Part) -> Step:
        # A call that changes one member names only the members that differ.
        return UpdateGroup(name=group.name, members=differing, because=f"{name} differs")

    return Part(name=name, want=[list(m) for m in want], rows=rows, step=step)


SPANS: Final = ("HealthCheckGracePeriod", "DefaultInstanceWarmup", "MaxInstanceLifetime")


def _told(member: str, value: str) -> str:
    """Return a member as the documents write it. What came by `extra` may be a secret: nothing is told."""
    plain = json.loads(value)
    match member:
        case "HealthCheckType":
            return str(plain).lower()
        case "CapacityRebalance":
            return value
        case _ if member in SPANS:
            return format_duration(timedelta(seconds=plain)) if plain > 0 else "not set"
        case _:
            return ""


def _live(member: str, have: dict[str, str]) -> str:
    return _told(member, have[member]) or "another value" if member in have else "not set"


def _sizes(want: Wanted, group: LiveGroup, live: Live) -> tuple[Part, ...]:
    capacity, have = want.capacity, group.sizes
    pair = (have.min, have.max)
    scheduled = pair in {(x.min, x.max) for x in want.group.schedules}
    lease = live.lease
    low = max(capacity.min, lease.least) if lease else capacity.min
    high = max(capacity.max, lease.least) if lease else capacity.max
    wanted = Sizes(
        min=low,
        max=high,
        desired=min(max(have.desired if want.group.autoscaled else max(capacity.desired, low), low), high),
    )
    target = {"min": (wanted.min, have.min), "max": (wanted.max, have.max)}
    if not want.group.autoscaled:
        target["desired"] = (wanted.desired, have.desired)
    stated = {"min": capacity.min, "max": capacity.max, "desired": capacity.desired}

    return tuple(
        Part(
            name=name,
            want=stated[name],
            rows=()
            if scheduled or now == then
            else (Row(resource=f"group/{group.name}", field=name, want=str(now), live=str(then)),),
            step=_only(name, wanted, have, group),
        )
        for name, (now, then) in target.items()
    )


def _only(name: str, wanted: Sizes, have: Sizes, group: LiveGroup) -> Callable[[Part], Step]:
    """Write one size and send the others with their live values: a commit writes only what it changed."""

    def step(_part: Part) -> Step:
        value = {"min": wanted.min, "max": wanted.max, "desired": wanted.desired}[name]
        sizes = replace(have, **{name: value})
        if name == "min":
            sizes = replace(sizes, max=max(sizes.max, value), desired=max(sizes.desired, value))
        elif name == "max":
            sizes = replace(sizes, min=min(sizes.min, value), desired=min(sizes.desired, value))
        return SetSizes(name=group.name, expect=have, sizes=sizes, because=f"capacity.{name} is {value}")

    return step


def _policies(want: Wanted, group: LiveGroup) -> Part:
    wanted, have = {p.name: p for p in want.group.policies}, {p.name: p for p in group.policies}
    resource = f"group/{group.name}"
    put = [p for n, p in sorted(wanted.items()) if have.get(n) != p]
    surplus = sorted(set(have) - set(wanted))
    rows = tuple(
        Row(
            resource=resource,
            field=f"scaling.{n}",
            want=_policy(wanted.get(n)),
            live=_other(wanted.get(n), have.get(n)),
        )
        for n in (*(p.name for p in put), *surplus)
    )

    def step(_part: Part) -> Step:
        if put:
            return PutPolicy(name=group.name, policy=put[0])
        return DeletePolicy(name=group.name, policy=surplus[0])

    return Part(name="policies", want=[[p.name, p.body] for p in want.group.policies], rows=rows, step=step)


def _policy(policy: Policy | None) -> str:
    if policy is None:
        return "not there"
    body = json.loads(policy.body)
    metric = body.get("PredefinedMetricSpecification", body.get("CustomizedMetricSpecification", {}))
    name = metric.get("PredefinedMetricType", metric.get("MetricName", "another metric"))
    return f"{name} at {body.get('TargetValue', 0):g}"


def _other(want: Policy | None, live: Policy | None) -> str:
    told = _policy(live)
    return told if told != _policy(want) else f"{told}, otherwise set"


def _schedules(want: Wanted, group: LiveGroup) -> Part:
    wanted, have = {x.name: x for x in want.group.schedules}, {x.name: x for x in group.schedules}
    put = [x for n, x in sorted(wanted.items()) if have.get(n) != x]
    surplus = sorted(set(have) - set(wanted))
    resource = f"group/{group.name}"
    rows = tuple(
        Row(
            resource=resource,
            field=f"schedule.{n}",
            want=_schedule(wanted.get(n)),
            live=_schedule(have.get(n)),
        )
        for n in (*(x.name for x in put), *surplus)
    )

    def step(_part: Part) -> Step:
        if put:
            return PutSchedule(name=group.name, schedule=put[0])
        return DeleteSchedule(name=group.name, schedule=surplus[0])

    stated = [[x.name, x.cron, x.timezone, x.min, x.max] for x in want.group.schedules]
    return Part(name="schedules", want=stated, rows=rows, step=step)


def _schedule(entry: Schedule | None) -> str:
    return f"{entry.cron} {entry.timezone} {entry.min}..{entry.max}" if entry else "not there"


def own_tags(want: Wanted) -> Tags:
    """Return the tags of a group that are the Target's and the fleet's, not ours."""
    return to_tags(want.group.extra_tags)


def _tags(want: Wanted, group: LiveGroup) -> Part:
    wanted = dict(own_tags(want))
    have = {k: v for k, v in group.tags if not k.startswith(PREFIX)}
    put = {k: v for k, v in wanted.items() if have.get(k) != v}
    surplus = sorted(set(have) - set(wanted))
    resource = f"group/{group.name}"
    rows = tuple(
        # Values of tags may be secrets: only the keys are told.
        Row(
            resource=resource,
            field=f"tags.{k}",
            want="as in git" if k in wanted else "not there",
            live="another value" if k in wanted and k in have else "there" if k in have else "not there",
        )
        for k in (*sorted(put), *surplus)
    )

    def step(_part: Part) -> Step:
        return TagGroup(name=group.name, put=to_tags(put), drop=tuple(surplus), because="tags differ")

    return Part(name="tags", want=sorted(wanted.items()), rows=rows, step=step)


def protected(live: Live) -> bool:
    """Was `protect` set by the last commit that was applied to this revision."""
    remembered = parse_applied(tag(live.group.tags, APPLIED)) if live.group else {}
    return remembered.get(CODES["protect"]) == short("yes")
