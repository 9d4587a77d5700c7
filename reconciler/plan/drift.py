"""Live differences beyond the parts of `reconciler:applied`: what a person, or AWS itself, has done."""

from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import Attach, ReplaceInstance, ResumeProcesses
from reconciler.kinds.register import Step
from reconciler.plan.part import Part, Row
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import TrafficKind, Wanted


def golden(want: Wanted, s: Slice, live: Live) -> tuple[Part, ...]:
    """Return what differs in the serving revision from what it was born as."""
    group = live.up
    if group is None:
        return ()
    return (
        *_template(live, group),
        *_birth(want, group),
        *_suspended(group),
        *_registered(want, live, group),
        *_weights(want, s, live),
        *_instances(group),
    )


def _part(name: str, rows: tuple[Row, ...], step: Step | None) -> Part:
    return Part(name=name, want="", rows=rows, step=(lambda _part: step) if step else None)


def _template(live: Live, group: LiveGroup) -> tuple[Part, ...]:
    rows: list[Row] = []
    resource = f"group/{group.name}"
    if group.template != group.name or group.template_version != "1":
        rows.append(
            Row(
                resource=resource,
                field="launchTemplate",
                want=f"{group.name} version 1",
                live=f"{group.template} version {group.template_version}",
            )
        )
    template = live.template
    if template is None:
        rows.append(Row(resource=f"template/{live.name}", field="exists", want="there", live="not there"))
    elif template.default_version != 1:
        rows.append(
            Row(
                resource=f"template/{template.name}",
                field="defaultVersion",
                want="1",
                live=str(template.default_version),
            )
        )
    return tuple(_part("template", (row,), None) for row in rows)


def _birth(want: Wanted, group: LiveGroup) -> tuple[Part, ...]:
    rows: list[Row] = []
    resource = f"group/{group.name}"
    if tuple(sorted(group.subnets)) != tuple(sorted(want.group.subnets)):
        rows.append(
            Row(
                resource=resource,
                field="subnets",
                want=", ".join(sorted(want.group.subnets)),
                live=", ".join(sorted(group.subnets)),
            )
        )
    if group.mixed != want.group.mixed:
        rows.append(Row(resource=resource, field="purchase", want=want.group.mixed, live=group.mixed))
    if group.hooks is not None and tuple(sorted(h.name for h in group.hooks)) != tuple(
        sorted(h.name for h in want.group.hooks)
    ):
        rows.append(
            Row(
                resource=resource,
                field="hooks",
                want=", ".join(sorted(h.name for h in want.group.hooks)),
                live=", ".join(sorted(h.name for h in group.hooks)),
            )
        )
    return tuple(_part("birth", (row,), None) for row in rows)


def _suspended(group: LiveGroup) -> tuple[Part, ...]:
    if not group.suspended:
        return ()
    rows = tuple(
        Row(
            resource=f"group/{group.name}",
            field=f"suspended.{process}",
            want="running",
            live=why or "suspended",
        )
        for process, why in group.suspended
    )
    step = ResumeProcesses(
        name=group.name, processes=tuple(p for p, _ in group.suspended), because="suspended by someone else"
    )
    return (_part("suspended", rows, step),)


def _registered(want: Wanted, live: Live, group: LiveGroup) -> tuple[Part, ...]:
    wanted = want.attach_groups if want.kind is TrafficKind.ATTACH else ()
    if live.target_group:
        wanted = (*wanted, live.target_group.arn)
    missing = tuple(a for a in wanted if a not in group.target_groups)
    classic = tuple(c for c in want.group.attach_classic if c not in group.classic)
    if not missing and not classic:
        return ()
    rows = tuple(
        Row(resource=f"group/{group.name}", field="targetGroups", want=str(a), live="not attached")
        for a in (*missing, *classic)
    )
    return (_part("attached", rows, Attach(name=group.name, target_groups=missing, classic=classic)),)


def _weights(want: Wanted, s: Slice, live: Live) -> tuple[Part, ...]:
    """Another revision has weight though this one was given all of it: somebody moved traffic by hand."""
    if want.kind not in (TrafficKind.DNS, TrafficKind.LISTENER):
        return ()
    rows = [
        Row(resource=f"weight/{r.name}", field="weight", want="0", live=str(r.weight))
        for r in s.revisions
        if r.revision != live.revision and r.weight
    ]
    if want.kind is TrafficKind.LISTENER and s.rule and not live.weight:
        rows.append(
            Row(resource=f"weight/{live.name}", field="weight", want="100", live=str(live.weight or 0))
        )
    if want.kind is TrafficKind.LISTENER and s.rule is None:
        rows.append(Row(resource=f"rule/{want.fleet}", field="exists", want="there", live="not there"))
    return tuple(_part("weights", (row,), None) for row in rows)


def _instances(group: LiveGroup) -> tuple[Part, ...]:
    """Instances that were launched from something else; healed by replacement, one at a time."""
    strange = [
        i
        for i in group.instances
        if i.in_service and i.template and (i.template, i.version) != (group.name, "1")
    ]
    if not strange:
        return ()
    rows = tuple(
        Row(
            resource=f"instance/{i.id}",
            field="launchTemplate",
            want=f"{group.name} version 1",
            live=f"{i.template} version {i.version}",
        )
        for i in strange
    )
    whole = group.in_service >= group.sizes.desired and all(i.in_service for i in group.instances)
    step = (
        ReplaceInstance(name=group.name, instance=strange[0].id, because="launched from another template")
        if whole and (group.template, group.template_version) == (group.name, "1")
        else None
    )
    return (_part("instances", rows, step),)
