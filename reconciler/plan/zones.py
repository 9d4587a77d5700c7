"""Zones: declared records against live ones. Ours is what git declared; the rest is never touched."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reconciler.core.facts import Tags, tag
from reconciler.core.ids import Commit, TargetName
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.record.steps import Action, Change, ChangeRecords, TagZone
from reconciler.kinds.record.want import Key, RecordSet, Wanted
from reconciler.kinds.register import Blocked, Step, Wait, World
from reconciler.plan.limits import Limits
from reconciler.plan.model import ActionKind, Because, Drift, Item, PlannedStep, Refusal
from reconciler.plan.resolve import full_name
from reconciler.plan.zone_records import wanted_records
from reconciler.spec.desired import Desired, DesiredZone
from reconciler.strategies.wanted import Hold

MOST_WRITING = 6  # commits in one tag of 256 characters
MOST_CHANGES = 400  # of a batch: far below 1,000 records, UPSERTs would count twice
COUNTED_FROM = 10  # records of a zone that are ours: below it a percentage says nothing
FLEET_RECORD = re.compile(r"^[a-z0-9-]+\.[a-z][a-z0-9-]*-[0-9a-f]{10}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneContext:
    """For whom, and at which commit, zones are planned."""

    owner: str
    commit: Commit
    ancestors: frozenset[Commit]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """What is to be done in one zone, and how much of it takes away."""

    item: Item
    drift: tuple[Drift, ...] = ()
    deletes: int = 0
    changes: int = 0
    ours: int = 0
    declared: int = 0


@dataclass(slots=True)
class _Diff:
    """One zone's differences, sorted by what they mean."""

    create: list[Wanted] = field(default_factory=list)
    change: list[tuple[RecordSet, Wanted]] = field(default_factory=list)
    prune: list[RecordSet] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    drift: list[tuple[str, str, str, str]] = field(default_factory=list)  # resource, field, want, live
    heal: list[tuple[RecordSet | None, Wanted | None]] = field(default_factory=list)


def applied_tag(owner: str) -> str:
    """Key of the tag that names the commit whose records are applied."""
    return f"reconciler:{owner}:applied"


def writing_tag(owner: str) -> str:
    """Key of the tag that names the commits whose records may be half written."""
    return f"reconciler:{owner}:writing"


def plan_zones(desired: Desired, target: TargetName, world: World, context: ZoneContext) -> list[ZonePlan]:
    """Return the plan of every zone that this target reads and writes."""
    live = {z.zone: z for z in world.zones}
    return [
        plan_zone(desired, zone, live.get(zone.name), context)
        for zone in desired.zones
        if zone.spec.target == target
    ]


def plan_zone(
    desired: Desired, zone: DesiredZone, live: LiveZone | ZoneProblem | None, context: ZoneContext
) -> ZonePlan:
    """Return what is safe to do in one zone now."""
    item = Item(
        kind="Zone",
        name=zone.name,
        target=TargetName(zone.spec.target),
        action=ActionKind.NONE,
        labels=zone.metadata.labels,
    )
    if live is None or isinstance(live, ZoneProblem):
        unread = live is None or live.unread is not None
        why = live.why if live else "it was not read in this pass"
        action = ActionKind.UNREAD if unread else ActionKind.BLOCKED
        blocked = Blocked(code="unread" if unread else "zone", why=why)
        return ZonePlan(item=replace(item, action=action, blocked=blocked))
    return _planned(desired, zone, live, context, item)


def _planned(
    desired: Desired, zone: DesiredZone, live: LiveZone, context: ZoneContext, item: Item
) -> ZonePlan:
    wanted = {w.record.key: w for w in wanted_records(desired, zone, live.id)}
    applied, writing = _tags(live, context.owner)
    declared = dict(live.ancestry)
    blind = [c for c in (*([applied] if applied else []), *writing) if declared.get(c) is None]
    before = {r.key: r for r in declared.get(applied) or ()}
    ours = {**{r.key: r for c in writing for r in declared.get(c) or ()}, **before}
    ours_keys = set(ours)
    diff = _diff(live, wanted, before, ours_keys, _fleet_names(desired, zone), prune=not blind)
    _foreign(zone, live, wanted, ours_keys, _fleet_names(desired, zone), diff)
    drift_mode = zone.spec.drift or _target_drift(desired, zone)
    moved = {w.record for w in wanted.values()} != set(before.values()) or bool(blind)
    late = next(
        (c for c in (applied, *writing) if c and c not in context.ancestors and c != context.commit), None
    )
    notes = tuple(f"commit {c[:12]} can't be read, so nothing is pruned here" for c in blind)
    item = replace(item, was=applied[:12], to=context.commit[:12] if moved else applied[:12], notes=notes)
    rows = tuple(
        Drift(
            kind="Zone",
            name=zone.name,
            target=item.target,
            resource=r,
            field=f,
            want=w,
            live=v,
            heals=drift_mode == "heal",
        )
        for r, f, w, v in diff.drift
    )
    plan = ZonePlan(
        item=item,
        drift=rows,
        deletes=len(diff.prune),
        changes=len(diff.change),
        ours=len(ours_keys & {r.key for r in live.records}),
        declared=len(wanted),
    )
    if late:
        why = f"records of commit {late[:12]} are applied, which is not an ancestor of {context.commit[:12]}"
        return replace(
            plan, item=replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code="commit", why=why))
        )
    return replace(
        plan, item=_decided(item, zone, live, context, diff, moved=moved, heals=drift_mode == "heal")
    )


def _target_drift(desired: Desired, zone: DesiredZone) -> str:
    target = desired.target(zone.spec.target)
    return target.spec.drift.mode if target else "report"


def _decided(
    item: Item,
    zone: DesiredZone,
    live: LiveZone,
    context: ZoneContext,
    diff: _Diff,
    *,
    moved: bool,
    heals: bool,
) -> Item:
    because = _because(zone, diff)
    batches = _batches(live, diff, heals=heals)
    marks = _marks(live, context, pending=bool(diff.create or diff.change or diff.prune), moved=moved)
    if isinstance(marks, Wait):
        return replace(item, action=ActionKind.UPDATE, because=because, wait=marks)
    steps: list[Step] = [*([marks] if marks and batches else []), *batches]
    if not steps and marks:
        steps = [marks]
    if diff.conflicts:
        blocked = Blocked(code="conflict", why="; ".join(diff.conflicts[:3]))
        return replace(item, action=ActionKind.BLOCKED, because=because, blocked=blocked)
    if not steps:
        return item
    action = ActionKind.UPDATE if moved or because else ActionKind.NONE
    lines = tuple(
        PlannedStep(op=s.op, name=str(s.name), when="now", why=getattr(s, "because", "")) for s in steps
    )
    return replace(item, action=action, because=because, now=tuple(steps), steps=lines)


def _tags(live: LiveZone, owner: str) -> tuple[Commit, list[Commit]]:
    writing = tag(live.tags, writing_tag(owner)).split()
    return Commit(tag(live.tags, applied_tag(owner))), [Commit(c) for c in writing]


def _marks(live: LiveZone, context: ZoneContext, *, pending: bool, moved: bool) -> TagZone | Wait | None:
    """Return the tag to write: `writing` before the first batch, `applied` once all reads back equal."""
    _applied, writing = _tags(live, context.owner)
    applied_key, writing_key = applied_tag(context.owner), writing_tag(context.owner)
    if not moved and not writing:
        return None
    if pending and moved and context.commit not in writing:
        if len(writing) >= MOST_WRITING:
            return Wait(
                why=f"{len(writing)} commits are half written in {live.domain}; one has to be read back first"
            )
        text = " ".join([*writing, context.commit])
        put = ((writing_key, text),)
        return TagZone(
            zone=live.zone, zone_id=live.id, put=put, because="records of this commit are being written"
        )
    if pending:
        return None
    mark: Tags = ((applied_key, context.commit),) if moved else ()
    drop = (writing_key,) if writing else ()
    return TagZone(
        zone=live.zone, zone_id=live.id, put=mark, drop=drop, because="all records read back as declared"
    )


def _fleet_names(desired: Desired, zone: DesiredZone) -> frozenset[str]:
    return frozenset(
        full_name(f.spec.traffic.dns.name, zone.spec.domain)
        for f in desired.fleets
        if f.spec.traffic and f.spec.traffic.dns and f.spec.traffic.dns.zone == zone.name
    )


def _of_a_fleet(record: RecordSet, names: frozenset[str]) -> bool:
    if record.weight is not None and FLEET_RECORD.match(record.identifier):
        return True
    return record.name in names and record.type in ("A", "AAAA", "CNAME")


def _diff(
    live: LiveZone,
    wanted: dict[Key, Wanted],
    before: dict[Key, RecordSet],
    ours: set[Key],
    fleets: frozenset[str],
    *,
    prune: bool,
) -> _Diff:
    diff = _Diff()
    have = {r.key: r for r in live.records}
    for key, want in wanted.items():
        now = have.get(key)
        if now == want.record:
            continue
        if before.get(key) == want.record:
            _drifted(diff, now, want)
        elif now is None:
            diff.create.append(want)
        elif key in ours or want.take_over:
            diff.change.append((now, want))
        else:
            diff.conflicts.append(
                f"{key[0]} {key[1]} exists with other values and is not ours (takeOver: true replaces it)"
            )
    for key in sorted(ours - set(wanted)):
        now = have.get(key)
        if now is not None and prune and not _of_a_fleet(now, fleets):
            diff.prune.append(now)
    _policies(diff, have, wanted, ours)
    return diff


def _drifted(diff: _Diff, now: RecordSet | None, want: Wanted) -> None:
    record = want.record
    resource = f"record/{record.name} {record.type} {record.identifier}".strip()
    diff.drift.append((resource, "values", shown(record), shown(now) if now else "not there"))
    diff.heal.append((now, want))


def _policies(diff: _Diff, have: dict[Key, RecordSet], wanted: dict[Key, Wanted], ours: set[Key]) -> None:
    """A name and type has one routing policy: what stands in its way is ours to convert, or a conflict."""
    by_set: dict[tuple[str, str], list[RecordSet]] = defaultdict(list)
    for record in have.values():
        by_set[record.name, record.type].append(record)
    for want in list(diff.create):
        record = want.record
        for other in by_set[record.name, record.type]:
            if other.policy == record.policy and record.policy != "simple":
                continue
            if other.key in ours or other.key in wanted:
                continue
            if want.take_over:
                if other not in diff.prune:
                    diff.prune.append(other)
            else:
                diff.conflicts.append(
                    f"{other.name} {other.type} has a {other.policy} record that is not ours"
                )


def _foreign(
    zone: DesiredZone,
    live: LiveZone,
    wanted: dict[Key, Wanted],
    ours: set[Key],
    fleets: frozenset[str],
    diff: _Diff,
) -> None:
    sets = {key[:2] for key in wanted}
    for record in live.records:
        apex = record.name == live.domain and record.type in ("NS", "SOA")
        if record.key in wanted or record.key in ours or apex or _of_a_fleet(record, fleets):
            continue
        inside = record.key[:2] in sets
        if inside or zone.spec.authority == "whole":
            resource = f"record/{record.name} {record.type} {record.identifier}".strip()
            diff.drift.append((resource, "record", "not there", shown(record)))
            if zone.spec.authority == "whole":
                diff.heal.append((record, None))


def _batches(live: LiveZone, diff: _Diff, *, heals: bool) -> list[ChangeRecords]:
    changes: list[Change] = [Change(action=Action.DELETE, record=r) for r in diff.prune]
    pairs: list[tuple[RecordSet | None, Wanted | None]] = [*((None, w) for w in diff.create), *diff.change]
    for now, want in [*pairs, *(diff.heal if heals else [])]:
        if now is not None:
            changes.append(Change(action=Action.DELETE, record=now))
        if want is not None:
            changes.append(Change(action=Action.CREATE, record=want.record))
    sets: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes:
        sets[change.record.name, change.record.type].append(change)
    # An alias may point at a record of the same plan, so aliases come last.
    ordered = sorted(sets.values(), key=lambda c: (_points(c), c[0].record.key))
    batches: list[list[Change]] = []
    for one in ordered:
        whole = sorted(one, key=lambda c: (c.action != Action.DELETE, c.record.key))
        fits = (
            batches
            and len(batches[-1]) + len(whole) <= MOST_CHANGES
            and _points(batches[-1]) == _points(whole)
        )
        if fits:
            batches[-1] += whole
        else:
            batches.append(whole)
    return [
        ChangeRecords(
            zone=live.zone, zone_id=live.id, changes=tuple(b), because="the declared records differ"
        )
        for b in batches
    ]


def _points(changes: Iterable[Change]) -> bool:
    return any(c.action is Action.CREATE and c.record.alias is not None for c in changes)


def _because(zone: DesiredZone, diff: _Diff) -> tuple[Because, ...]:
    found = [
        Because(path=_path(w.record), old="", new=shown(w.record), at=_line(zone, w)) for w in diff.create
    ]
    found += [
        Because(path=_path(w.record), old=shown(now), new=shown(w.record), at=_line(zone, w))
        for now, w in diff.change
    ]
    found += [Because(path=_path(r), old=shown(r), new="not in git") for r in diff.prune]
    return tuple(sorted(found, key=lambda b: (b.path, b.old, b.new)))


def _path(record: RecordSet) -> str:
    return f"records[{record.name} {record.type}{f' {record.identifier}' if record.identifier else ''}]"


def _line(zone: DesiredZone, want: Wanted) -> str:
    place = zone.where(want.at)
    return f"{place.file}:{place.line}" if place else ""


def shown(record: RecordSet) -> str:
    """Return what a record answers. TXT may hold secrets: only its size is told."""
    if record.alias:
        what = f"alias {record.alias.name}"
    elif record.type == "TXT":
        what = f"{len(record.values)} TXT values, {sum(map(len, record.values))} characters"
    else:
        what = ", ".join(record.values)
    ttl = f" ttl {record.ttl}" if record.ttl is not None else ""
    weight = f" weight {record.weight}" if record.weight is not None else ""
    return f"{what}{ttl}{weight}"


def refusals(target: TargetName, plan: ZonePlan, limits: Limits) -> tuple[Refusal, ...]:
    """Return the limits that one zone's plan is over."""
    found: list[Refusal] = []
    if plan.ours and plan.deletes == plan.ours and plan.declared == 0:
        why = f"all {plan.ours} declared records of zone {plan.item.name} would go"
        found.append(
            Refusal(target=target, limit="empty", count=plan.deletes, of=plan.ours, allowed=0, why=why)
        )
    if plan.ours < COUNTED_FROM:
        return tuple(found)
    for name, count, percent in (
        ("dnsDeletes", plan.deletes, limits.dns_deletes),
        ("dnsChanges", plan.changes, limits.dns_changes),
    ):
        allowed = max(1, plan.ours * percent // 100)
        if count > allowed:
            of = f"{count} of {plan.ours} records of zone {plan.item.name}"
            why = f"{of}; limits.{name} ({percent}%) is {allowed}"
            found.append(
                Refusal(target=target, limit=name, count=count, of=plan.ours, allowed=allowed, why=why)
            )
    return tuple(found)


def held(plan: ZonePlan, hold: Hold | None) -> Item:
    """Return the zone's item, held back where records may not change now."""
    if hold is None or not plan.item.now:
        return plan.item
    blocked = Blocked(code=hold.code, why=hold.why)
    return replace(plan.item, action=ActionKind.BLOCKED, blocked=blocked, now=(), steps=())
