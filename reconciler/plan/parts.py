"""What changes beside the revision: each part is in sync, changed by git, or drifted.

The group's tag `reconciler:applied` holds a short hash for each part, written after its effect.
Wanted differs from applied: a change, written, then the tag. Equal, and live differs: drift.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Final

from reconciler.core.digest import short
from reconciler.core.duration import format_duration
from reconciler.core.facts import APPLIED, PREFIX, tag, to_tags
from reconciler.core.ids import ResourceName
from reconciler.core.quick import quick
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
from reconciler.kinds.register import Step, Wait
from reconciler.plan import balancer_parts
from reconciler.plan.attach_part import attach_part
from reconciler.plan.part import SIZES, Part, Row
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
    "attach": "at",
    "protect": "pr",
}
"""Parts, and what stands for each in `reconciler:applied`. With a code for each of MEMBERS and a
balancer's four, the 23 take 229 of 256 characters."""

MEMBERS: Final = {
    "HealthCheckType": "hc",
    "HealthCheckGracePeriod": "hg",
    "DefaultInstanceWarmup": "gw",
    "CapacityRebalance": "gc",
    "MaxInstanceLifetime": "gl",
}
"""Members that are a part each, so that a commit writes the one that it changed; the rest is one."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """What is to be done beside the revision, what changed in git, and what drifted."""

    step: Step | None
    changed: tuple[Part, ...]
    drifted: tuple[Row, ...]
    wait: Wait | None = None


def code_of(part: Part) -> str:
    """Return what stands for a part in `reconciler:applied`."""
    return part.code or CODES[part.name]


@lru_cache(maxsize=2048)
def parse_applied(value: str) -> Mapping[str, str]:
    """Return the hash of each part that `reconciler:applied` remembers."""
    return dict(p.split("=", 1) for p in value.split(";") if "=" in p)


def parts_of(want: Wanted, s: Slice, live: Live, *, alone: bool) -> tuple[Part, ...]:
    """Return every part of the serving revision. Sizes and schedules only once it serves alone."""
    group = live.up
    if group is None:
        return ()
    own: list[Part] = [
        *_members("health", want.group.health, group.name, group.health, want.ignore),
        *_members("settings", want.group.settings, group.name, group.settings, want.ignore),
    ]
    own.append(_policies(want, group))
    own.append(_tags(want, group))
    if alone:
        own += [*_sizes(want, group, live), _schedules(want, group), attach_part(want, s, live)]
    own.append(Part(name="protect", want="yes" if want.protect else "no", rows=(), step=None))
    own += balancer_parts.parts(want, s, live, alone=alone)
    if (which := _which(live, alone=alone)) not in want.stated:
        want.stated[which] = {code_of(p): p.digest for p in own}
    return tuple(own)


def in_force(want: Wanted, live: Live, *, alone: bool) -> bool:
    """Was all that git says beside the revision applied: then nothing of it is to be written, but drift.

    What git says of a part is the same whatever is live: once known, no live thing has to be looked at.
    """
    stated = want.stated.get(_which(live, alone=alone))
    if live.up is None or stated is None:
        return False
    applied = parse_applied(live.up.tag(APPLIED))
    return all(applied.get(code) == digest for code, digest in stated.items())


def _which(live: Live, *, alone: bool) -> tuple[bool, bool, bool]:
    """Return what decides which parts a revision has."""
    return alone, live.target_group is not None, live.balancer is not None


def in_place(want: Wanted, parts: tuple[Part, ...], group: LiveGroup) -> InPlace:
    """Sort parts into changes and drift, and return the one step that is next."""
    applied = parse_applied(group.tag(APPLIED))
    sorted_out: tuple[list[Part], list[Part]] = ([], [])
    for part in parts:
        sorted_out[applied.get(code_of(part)) == part.digest].append(part)
    changed, same = tuple(sorted_out[False]), sorted_out[True]
    step = _first((p for p in changed if not p.wait), group)
    done = tuple(p for p in changed if p.looked and (not p.rows or p.step is None) and not p.wait)
    if step is None and done:
        step = _remember(group, applied, done)
    if step is None and want.heal:
        step = _first(same, group)
    return InPlace(
        step=step,
        changed=changed,
        drifted=tuple(row if p.step else replace(row, mends=False) for p in same for row in p.rows),
        wait=next((Wait(why=p.wait) for p in changed if p.wait), None),
    )


def _first(parts: Iterable[Part], group: LiveGroup) -> Step | None:
    """Return the step of the first part that differs; all sizes of them go in one write."""
    odd = [p for p in parts if p.step and p.rows]
    if not odd or odd[0].step is None:
        return None
    if odd[0].name in SIZES:
        return _resized(group, {p.name: int(p.rows[0].want) for p in odd if p.name in SIZES})
    return odd[0].step(odd[0])


def _remember(group: LiveGroup, applied: Mapping[str, str], changed: tuple[Part, ...]) -> TagGroup:
    now = {**applied, **{code_of(p): p.digest for p in changed}}
    return TagGroup(
        name=group.name,
        put=((APPLIED, ";".join(f"{k}={v}" for k, v in sorted(now.items()))),),
        because=f"applied: {', '.join(dict.fromkeys(p.name for p in changed))}",
    )


@lru_cache(maxsize=2048)
def _members(
    name: str, wanted: Members, group: ResourceName, live: Members, ignore: tuple[str, ...]
) -> tuple[Part, ...]:
    """Each member is a part, so that a commit writes only the one that it changed.

    Remembered, for a rollout's preview asks for the same after each of its moves.
    """
    by_code: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for member, value in wanted:
        by_code[MEMBERS.get(member, CODES[name])].append((member, value))
    have, found = dict(live), []
    for code, members in by_code.items():
        rows = tuple(
            Row(resource=f"group/{group}", field=k, want=_told(k, v) or "as in git", live=_live(k, have))
            for k, v in members
            if have.get(k) != v
        )
        kept = tuple(r for r in rows if not r.ignored(ignore))
        fields = {r.field for r in kept}
        update = UpdateGroup(
            name=group,
            members=tuple(m for m in members if m[0] in fields),
            because=f"{name} differs",
        )
        found.append(Part(name=name, code=code, want=tuple(members), rows=kept, step=_always(update)))
    return tuple(found)


def _always(step: Step) -> Callable[[Part], Step]:
    return lambda _part: step


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

    def row(name: str, now: int, then: int) -> Row:
        return Row(resource=f"group/{group.name}", field=name, want=str(now), live=str(then))

    return tuple(
        Part(
            name=name,
            want=stated[name],
            rows=() if scheduled or now == then else kept(want, [row(name, now, then)]),
            step=lambda part: _resized(group, {part.name: int(part.rows[0].want)}),
        )
        for name, (now, then) in target.items()
    )


def _resized(group: LiveGroup, values: Mapping[str, int]) -> SetSizes:
    """Write some sizes and send the others with their live values, or what makes room for those written."""
    have, given = group.sizes, tuple(values.values())
    low = values.get("min", min(have.min, *given))
    high = values.get("max", max(have.max, *given))
    desired = values.get("desired", min(max(have.desired, low), high))
    because = ", ".join(f"capacity.{name} is {value}" for name, value in values.items())
    sizes = Sizes(min=low, max=high, desired=desired)
    return SetSizes(name=group.name, expect=have, sizes=sizes, because=because)


def kept(want: Wanted, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows whose fields are not left to others."""
    return tuple(r for r in rows if not r.ignored(want.ignore))


def _differing(wanted: Mapping[str, object], have: Mapping[str, object]) -> list[str]:
    """Return the names to write, then the names that are too many."""
    if wanted == have:  # nearly always
        return []
    return [*(n for n in sorted(wanted) if have.get(n) != wanted[n]), *sorted(set(have) - set(wanted))]


def _policies(want: Wanted, group: LiveGroup) -> Part:
    wanted, have = {p.name: p for p in want.group.policies}, {p.name: p for p in group.policies}
    resource = f"group/{group.name}"
    rows = kept(
        want,
        [
            Row(
                resource=resource,
                field=f"scaling.{n}",
                want=_policy(wanted.get(n)),
                live=_other(wanted.get(n), have.get(n)),
            )
            for n in _differing(wanted, have)
        ],
    )

    def step(part: Part) -> Step:
        name = part.rows[0].field.removeprefix("scaling.")
        if name in wanted:
            return PutPolicy(name=group.name, policy=wanted[name])
        return DeletePolicy(name=group.name, policy=name)

    stated = tuple((p.name, p.body) for p in want.group.policies)
    return Part(name="policies", want=stated, rows=rows, step=step)


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
    resource = f"group/{group.name}"
    rows = kept(
        want,
        [
            Row(
                resource=resource,
                field=f"scaling.{n}",
                want=_schedule(wanted.get(n)),
                live=_schedule(have.get(n)),
            )
            for n in _differing(wanted, have)
        ],
    )

    def step(part: Part) -> Step:
        name = part.rows[0].field.removeprefix("scaling.")
        if name in wanted:
            return PutSchedule(name=group.name, schedule=wanted[name])
        return DeleteSchedule(name=group.name, schedule=name)

    stated = tuple((x.name, x.cron, x.timezone, x.min, x.max) for x in want.group.schedules)
    return Part(name="schedules", want=stated, rows=rows, step=step)


def _schedule(entry: Schedule | None) -> str:
    return f"{entry.cron} {entry.timezone} {entry.min}..{entry.max}" if entry else "not there"


def _tags(want: Wanted, group: LiveGroup) -> Part:
    wanted = dict(want.group.extra_tags)
    have = {k: v for k, v in group.tags if not k.startswith(PREFIX)}
    resource = f"group/{group.name}"
    rows = kept(
        want,
        [
            # Values of tags may be secrets: only the keys are told.
            Row(
                resource=resource,
                field=f"tags.{k}",
                want="as in git" if k in wanted else "not there",
                live="another value" if k in wanted and k in have else "there" if k in have else "not there",
            )
            for k in _differing(wanted, have)
        ],
    )

    def step(part: Part) -> Step:
        keys = [r.field.removeprefix("tags.") for r in part.rows]
        put = to_tags({k: wanted[k] for k in keys if k in wanted})
        drop = tuple(k for k in keys if k not in wanted)
        return TagGroup(name=group.name, put=put, drop=drop, because="tags differ")

    return Part(name="tags", want=want.group.extra_tags, rows=rows, step=step)


def protected(live: Live) -> bool:
    """Was `protect` set by the last commit that was applied to this revision."""
    remembered = parse_applied(tag(live.group.tags, APPLIED)) if live.group else {}
    return remembered.get(CODES["protect"]) == short("yes")
