"""Live differences beyond the parts of `reconciler:applied`: what a person, or AWS itself, has done.

What no call of ours puts right has no step: only a new revision ends it (`launch.generation`).
"""

from collections.abc import Iterable, Iterator

from reconciler.kinds.balancer.live import LiveBalancer, LiveTargetGroup
from reconciler.kinds.balancer.steps import CreateListener
from reconciler.kinds.balancer.want import Balancer, TargetGroup
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import Attach, ReplaceInstance, ResumeProcesses
from reconciler.kinds.group.want import Hook
from reconciler.kinds.register import Blocked, Step, Wait
from reconciler.plan.golden import odd_instances, security_groups
from reconciler.plan.part import Part, Row
from reconciler.strategies import back, traffic
from reconciler.strategies.born import birth_tags
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import WEIGHTED, TrafficKind, Wanted

THERE, NOT_THERE = "there", "not there"
RETAINED = "Terminating:Retained"


def golden(want: Wanted, s: Slice, live: Live) -> tuple[Part, ...]:
    """Return what differs in the serving revision from what it was born as. Rows left to others are out."""
    group = live.up
    if group is None:
        return ()
    found: list[Part] = [
        *_template(want, live, group),
        *_birth(want, group),
        *_suspended(want, group),
        *_own_target_group(want, live, group),
        *_own_balancer(want, s, live),
        *_traffic(want, s, live),
        *_instances(group, live, s),
    ]
    return tuple(p for p in (_left(want, part) for part in found) if p.rows)


def _left(want: Wanted, part: Part) -> Part:
    rows = tuple(r for r in part.rows if not r.ignored(want.ignore))
    return Part(name=part.name, want=part.want, rows=rows, step=part.step)


def _part(name: str, rows: Iterable[Row], step: Step | None = None) -> Part:
    return Part(name=name, want="", rows=tuple(rows), step=(lambda _part: step) if step else None)


def _differences(resource: str, pairs: Iterable[tuple[str, object, object]]) -> Iterator[Part]:
    """A row for each field, want and live that differ; nothing puts them right."""
    for field, want, live in pairs:
        if want != live:
            row = Row(resource=resource, field=field, want=_said(want), live=_said(live))
            yield _part(field, [row])


def _said(value: object) -> str:
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "none"


def _template(want: Wanted, live: Live, group: LiveGroup) -> Iterator[Part]:
    template = live.template
    wanted, have = f"{group.name} version 1", f"{group.template} version {group.template_version}"
    yield from _differences(f"group/{group.name}", [("launchTemplate", wanted, have)])
    exists = THERE if template else NOT_THERE
    yield from _differences(f"template/{live.name}", [("exists", THERE, exists)])
    if template:
        number = template.default_version
        # A selector that finds others today: the instances are as they were born, and git is not.
        wanted_groups, had = (security_groups(x.body) for x in (want.template, template))
        yield from _differences(
            f"template/{live.name}",
            [("defaultVersion", 1, number), ("launch.securityGroups", wanted_groups, had)],
        )


def _birth(want: Wanted, group: LiveGroup) -> Iterator[Part]:
    hooks = {h.name: _hook(h) for h in want.group.hooks}
    have = hooks if group.hooks is None else {h.name: _hook(h) for h in group.hooks}
    yield from _differences(
        f"group/{group.name}",
        [
            ("placement.subnets", tuple(sorted(want.group.subnets)), tuple(sorted(group.subnets))),
            ("launch.purchase", want.group.mixed, group.mixed),
            *(
                (f"hooks.{n}", hooks.get(n, NOT_THERE), have.get(n, NOT_THERE))
                for n in sorted({*hooks, *have})
            ),
        ],
    )


def _hook(hook: Hook) -> str:
    return f"{hook.on} {hook.timeout}s {hook.result}"


def _suspended(want: Wanted, group: LiveGroup) -> Iterator[Part]:
    """Processes that nobody of ours suspended: we never do."""
    rows = [
        Row(
            resource=f"group/{group.name}", field=f"suspended.{name}", want="running", live=why or "suspended"
        )
        for name, why in group.suspended
    ]
    mine = [r for r in rows if not r.ignored(want.ignore)]
    if mine:
        names = tuple(r.field.removeprefix("suspended.") for r in mine)
        because = "suspended by someone else"
        yield _part("suspended", mine, ResumeProcesses(name=group.name, processes=names, because=because))


def _own_target_group(want: Wanted, live: Live, group: LiveGroup) -> Iterator[Part]:
    if want.target_group is None:
        return
    resource, have = f"target-group/{live.name}", live.target_group
    if have is None:
        yield from _differences(resource, [("exists", THERE, NOT_THERE)])
        return
    yield from _differences(resource, _target_group(want.target_group, have))
    if have.arn not in group.target_groups:
        row = Row(resource=resource, field="registered", want=group.name, live="not registered")
        yield _part("registered", [row], Attach(name=group.name, target_groups=(have.arn,), classic=()))


def _target_group(want: TargetGroup, have: LiveTargetGroup) -> Iterator[tuple[str, object, object]]:
    yield ("port", want.port, have.port)
    yield ("protocol", want.protocol, have.protocol)
    wanted, check = want.check, have.check
    for field in ("protocol", "port", "path", "interval", "timeout", "healthy", "unhealthy", "matcher"):
        if value := getattr(wanted, field):  # what is not asked for is AWS's own default
            yield (f"health.{field}", value, getattr(check, field))


def _own_balancer(want: Wanted, s: Slice, live: Live) -> Iterator[Part]:
    if want.balancer is None:
        return
    resource, have = f"balancer/{live.name}", live.balancer
    if have is None:
        yield from _differences(resource, [("exists", THERE, NOT_THERE)])
        return
    yield from _differences(
        resource,
        [
            ("type", want.balancer.type, have.type),
            ("scheme", want.balancer.scheme, have.scheme),
            ("ipAddressType", want.balancer.ip_type, have.ip_type),
            ("subnets", tuple(sorted(want.balancer.subnets)), tuple(sorted(have.subnets))),
        ],
    )
    yield from _listeners(want, want.balancer, have, live, s)


def _listeners(want: Wanted, balancer: Balancer, have: LiveBalancer, live: Live, s: Slice) -> Iterator[Part]:
    if have.listeners is None:
        return
    ports = {x.port: x for x in have.listeners}
    own = live.target_group.arn if live.target_group else ""
    for wanted in balancer.listeners:
        resource, there = f"listener/{live.name}:{wanted.port}", ports.pop(wanted.port, None)
        if there is None:
            row = Row(resource=resource, field="exists", want=THERE, live=NOT_THERE)
            yield _part(
                "listener",
                [row],
                CreateListener(name=live.name, listener=wanted, tags=birth_tags(want, s.as_of)),
            )
            continue
        pairs: list[tuple[str, object, object]] = [("protocol", wanted.protocol, there.protocol)]
        if own:
            pairs.append(("forwards", (own,), there.forwards))
        yield from _differences(resource, pairs)
    for port in sorted(ports):
        yield from _differences(f"listener/{live.name}:{port}", [("exists", NOT_THERE, THERE)])


def _traffic(want: Wanted, s: Slice, live: Live) -> Iterator[Part]:
    """Weights that somebody moved, and what else stands in our set."""
    if want.kind not in WEIGHTED:
        return
    rows = [
        Row(resource=f"weight/{r.name}", field="weight", want="0", live=str(r.weight))
        for r in s.revisions
        if r.revision != live.revision and r.weight
    ]
    if want.kind is TrafficKind.LISTENER and s.rule and not live.weight:
        rows.append(Row(resource=f"weight/{live.name}", field="weight", want="100", live="0"))
    if rows:
        move = back.give_back(want, s, live)
        yield _part("weights", rows, None if isinstance(move, Wait | Blocked) else move)
    yield from _strangers(want, s)


def _strangers(want: Wanted, s: Slice) -> Iterator[Part]:
    ours = {t.arn for t in s.target_groups}
    for arn, weight in s.rule.weights if s.rule else ():
        if arn not in ours:
            yield from _differences(
                f"rule/{want.fleet}", [(f"targetGroups.{arn}", NOT_THERE, f"weight {weight}")]
            )
    for record in traffic.strangers(want, s):
        resource = f"record/{record.name} {record.type} {record.identifier}".strip()
        yield from _differences(resource, [("record", NOT_THERE, THERE)])


def _instances(group: LiveGroup, live: Live, s: Slice) -> Iterator[Part]:
    """Instances that are not as they were born; healed by replacement, one at a time."""
    strange = [
        i
        for i in group.instances
        if i.in_service and i.template and (i.template, i.version) != (group.name, "1")
    ]
    rows = [
        Row(
            resource=f"instance/{i.id}",
            field="launchTemplate",
            want=f"{group.name} version 1",
            live=f"{i.template} version {i.version}",
        )
        for i in strange
    ]
    if live.template:
        rows += odd_instances(group, live.template, s.instances)
    yield from _retained(group)
    for row in rows:  # each by itself: what is left to others of one instance says nothing of the next
        chosen = row.resource.removeprefix("instance/")
        yield _part(
            "instances", [row], replacement(group, chosen, f"its {row.field} is not what it was born with")
        )


def _retained(group: LiveGroup) -> Iterator[Part]:
    """Instances that a lifecycle policy keeps after their end: outside the size, and still paid for."""
    for one in group.instances:
        if one.lifecycle == RETAINED:
            live = f"{RETAINED}, still billed"
            yield from _differences(f"instance/{one.id}", [("lifecycle", "ended", live)])


def replacement(group: LiveGroup, instance: str, because: str) -> ReplaceInstance | None:
    """Return the replacement of one instance, if the group is whole and launches what it was born with."""
    whole = group.in_service >= group.sizes.desired and all(i.in_service for i in group.instances)
    right = (group.template, group.template_version) == (group.name, "1")
    chosen = next((i.id for i in group.instances if i.id == instance), None)
    if not whole or not right or chosen is None:
        return None
    return ReplaceInstance(name=group.name, instance=chosen, because=because)
