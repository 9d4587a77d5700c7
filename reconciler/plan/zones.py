"""Zones: what is safe to do in each, its marks, its limits. Ours is what git declared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reconciler.core.digest import sha
from reconciler.core.facts import Tags, tag
from reconciler.core.ids import Commit, TargetName
from reconciler.core.redact import Redactor
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.record.steps import ChangeRecords, TagZone
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Blocked, Step, Wait, World
from reconciler.plan import suspended
from reconciler.plan.goal import Goal
from reconciler.plan.limits import Limits
from reconciler.plan.model import ActionKind, Because, Drift, Item, PlannedStep, Refusal, Suspension
from reconciler.plan.resolve import full_name
from reconciler.plan.told import planned
from reconciler.plan.zone_batches import TooLargeError, batches
from reconciler.plan.zone_diff import Diff, Facts, Odd, diff, fields
from reconciler.plan.zone_records import wanted_records
from reconciler.spec.desired import DesiredZone
from reconciler.strategies.wanted import Hold

KIND = "Zone"
MOST_WRITING = 6  # commits in one tag of 256 characters
COUNTED_FROM = 10  # records of a zone that are ours: below it a percentage says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePlan:
    """What is to be done in one zone, and how much of it takes away."""

    item: Item
    drift: tuple[Drift, ...] = ()
    deletes: int = 0
    changes: int = 0
    ours: int = 0
    suspended: Suspension | None = None


def applied_tag(owner: str) -> str:
    """Key of the tag that names the commit whose records are applied."""
    return f"reconciler:{owner}:applied"


def writing_tag(owner: str) -> str:
    """Key of the tag that names the commits whose records may be half written."""
    return f"reconciler:{owner}:writing"


def plan_zones(goal: Goal, world: World) -> list[ZonePlan]:
    """Return the plan of every zone that this target reads and writes."""
    live = {z.zone: z for z in world.zones}
    mine = [z for z in goal.desired.zones if z.spec.target == goal.target.name]
    found = []
    for zone in mine:
        plan = _zone(goal, zone, live.get(zone.name))
        stop = suspended.of_document(goal, zone.metadata, zone.where, world.as_of)
        notes = (*suspended.over(zone.metadata, world.as_of), *plan.item.notes)
        found.append(replace(plan, item=replace(plan.item, notes=notes), suspended=stop))
    return found


def _zone(goal: Goal, zone: DesiredZone, live: LiveZone | ZoneProblem | None) -> ZonePlan:
    item = Item(
        kind=KIND,
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
    return _planned(goal, zone, live, item)


def _planned(goal: Goal, zone: DesiredZone, live: LiveZone, item: Item) -> ZonePlan:
    known = {c: None if r is None else {x.key: x for x in r} for c, r in live.ancestry}
    applied, writing = _tags(live, goal.keeper.owner)
    blind = [c for c in (*([applied] if applied else []), *writing) if known.get(c) is None]
    facts = Facts(
        live=live,
        wanted={w.record.key: w for w in wanted_records(goal.desired, zone, live.id)},
        applied=known.get(applied) or {},
        writing=tuple((c, known.get(c)) for c in writing),
        fleets=_fleet_names(goal, zone),
        prune=not blind and goal.pruning is None,
        whole=zone.spec.authority == "whole",
    )
    found = diff(facts)
    heals = (zone.spec.drift or goal.target.spec.drift).mode == "heal"
    odd, notes = _healed(facts, found, goal.limits) if heals else ([], [])
    notes = [*_notes(found, blind, goal), *notes]
    was, to = _content(facts.applied.values()), _content(w.record for w in facts.wanted.values())
    if applied == "" or applied in blind:
        was = ""
    item = replace(
        item,
        was=was,
        to=to,
        notes=tuple(notes),
        begun=goal.commit in writing,
        because=_because(goal, zone, found),
    )
    redactor = goal.reasons.redactor
    plan = ZonePlan(
        item=item,
        drift=tuple(r for o in found.drift for r in _rows(item, o, redactor, heals=heals and o in odd)),
        deletes=len(found.prune),
        changes=len(found.change) + len(found.convert),
        ours=_ours(facts),
    )
    if late := next((c for c in (applied, *writing) if c and c not in blind and not goal.follows(c)), None):
        why = f"records of commit {late[:12]} are applied, which is not an ancestor of {goal.commit[:12]}"
        blocked = Blocked(code="commit", why=f"{why}; `apply --accept-history` takes it up")
        return replace(plan, item=replace(item, action=ActionKind.BLOCKED, blocked=blocked))
    return replace(plan, item=_decided(goal, facts, found, odd, item))


def _tags(live: LiveZone, owner: str) -> tuple[Commit, list[Commit]]:
    writing = tag(live.tags, writing_tag(owner)).split()
    return Commit(tag(live.tags, applied_tag(owner))), [Commit(c) for c in writing]


def _fleet_names(goal: Goal, zone: DesiredZone) -> frozenset[str]:
    return frozenset(
        full_name(f.spec.traffic.dns.name, zone.spec.domain)
        for f in goal.desired.fleets
        if f.spec.traffic and f.spec.traffic.dns and f.spec.traffic.dns.zone == zone.name
    )


def _content(records: Iterable[RecordSet]) -> str:
    """Return 10 digits that stand for records: a commit's own id would void the approval of its plan."""
    found = sorted(map(repr, records))
    return sha(found, 10) if found else ""


def _ours(facts: Facts) -> int:
    """Count the records that limits are shares of: those that are ours, or all of a zone that is ours."""
    live = facts.live.records
    if facts.whole:
        return sum(not facts.aside(r) for r in live)
    return len(facts.ours & {r.key for r in live})


def _notes(found: Diff, blind: Sequence[str], goal: Goal) -> list[str]:
    notes = [f"commit {c[:12]} can't be read, so nothing is pruned here" for c in blind]
    if goal.pruning:
        notes.append(f"nothing is pruned here: {goal.pruning.why}")
    notes += [f"{r.name} {r.type} stays until the fleet of that name takes it over" for r in found.kept]
    return notes


def _healed(facts: Facts, found: Diff, limits: Limits) -> tuple[list[Odd], list[str]]:
    """Return the drift that is put right, and what is said of the rest; foreign records are deleted."""
    odd = [o for o in found.drift if o.mends]
    foreign, ours = [o for o in odd if o.want is None], _ours(facts)
    allowed = max(1, ours * limits.dns_deletes // 100)
    if ours >= COUNTED_FROM and len(foreign) > allowed:
        what = f"{len(foreign)} of {ours} records are not in git"
        note = f"{what}; limits.dnsDeletes lets {allowed} be healed at once"
        return [o for o in odd if o.want is not None], [note]
    return odd, []


def _decided(goal: Goal, facts: Facts, found: Diff, odd: Sequence[Odd], item: Item) -> Item:
    if found.conflicts:
        blocked = Blocked(code="conflict", why="; ".join(found.conflicts[:3]))
        return replace(item, action=ActionKind.BLOCKED, blocked=blocked)
    pairs: list[tuple[RecordSet | None, RecordSet | None]] = [
        *((r, None) for r in (*found.prune, *found.convert, *found.replaced)),
        *((None, w.record) for w in found.create),
        *((now, w.record) for now, w in found.change),
        *((o.now, o.want.record if o.want else None) for o in odd),
    ]
    try:
        writes = batches(facts.live, pairs)
    except TooLargeError as error:
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code="batch", why=str(error)))
    marks = _marks(goal, facts, found, changed=item.was != item.to)
    if isinstance(marks, Wait):
        return replace(item, action=ActionKind.UPDATE, wait=marks)
    steps: list[Step] = [*([marks] if marks else []), *writes]
    if found.waits:
        names = ", ".join(sorted({w.record.name for w in found.waits})[:3])
        item = replace(item, wait=Wait(why=f"{names} points at a name that has no record yet"))
    changes = item.was != item.to or item.because
    if not changes or not (steps or item.wait):
        return replace(item, now=tuple(steps), steps=_lines(steps))
    return replace(item, action=ActionKind.UPDATE, now=tuple(steps), steps=_lines(steps))


def _lines(steps: Sequence[Step]) -> tuple[PlannedStep, ...]:
    return tuple(planned(s, "now", None) for s in steps if isinstance(s, ChangeRecords))


def _marks(goal: Goal, facts: Facts, found: Diff, *, changed: bool) -> TagZone | Wait | None:
    """Return the tag to write: `writing` before the first batch, `applied` once all reads back equal.

    While a commit can't be read, what it declared is not known: its name stays until it can be.
    """
    live, owner = facts.live, goal.keeper.owner
    applied, writing = _tags(live, owner)
    if found.pending:
        if goal.commit in writing or not changed:
            return None
        kept = [c for c, r in facts.writing if _needed(facts, c, r)]
        if len(kept) >= MOST_WRITING:
            return Wait(why=f"{len(kept)} commits are half written in {live.domain}; one has to be read back")
        put = ((writing_tag(owner), " ".join([*kept, goal.commit])),)
        return TagZone(
            zone=live.zone, zone_id=live.id, put=put, because="records of this commit are being written"
        )
    blind = any(r is None for _, r in facts.writing) or (applied and applied not in dict(_read(live)))
    if blind or not (changed or writing):
        return None
    mark: Tags = ((applied_tag(owner), goal.commit),) if changed else ()
    drop = (writing_tag(owner),) if writing else ()
    because = "all records read back as declared"
    return TagZone(zone=live.zone, zone_id=live.id, put=mark, drop=drop, because=because)


def _read(live: LiveZone) -> list[tuple[str, tuple[RecordSet, ...]]]:
    return [(c, r) for c, r in live.ancestry if r is not None]


def _needed(facts: Facts, commit: Commit, records: dict[tuple[str, str, str], RecordSet] | None) -> bool:
    """Is a live record ours, or as it is, only because this half written commit says so."""
    if records is None:
        return True
    others = [facts.applied, *(r for c, r in facts.writing if c != commit and r is not None)]
    for now in facts.live.records:
        if now.key not in records or now.key in facts.wanted:
            continue
        if not any(now.key in o for o in others):
            return True
    return any(
        facts.applied.get(now.key) == facts.wanted[now.key].record != now
        and not any(o.get(now.key) == now for o in others)
        for now in facts.live.records
        if records.get(now.key) == now and now.key in facts.wanted
    )


def _because(goal: Goal, zone: DesiredZone, found: Diff) -> tuple[Because, ...]:
    pairs: list[tuple[RecordSet | None, RecordSet | None, str]] = [
        *((None, w.record, w.at) for w in (*found.create, *found.waits)),
        *((now, w.record, w.at) for now, w in found.change),
        *((r, None, "") for r in (*found.prune, *found.convert, *found.replaced)),
    ]
    redactor = goal.reasons.redactor
    made = []
    for now, want, at in pairs:
        record = want or now
        place = zone.where(at) if at else None
        if record is None:
            continue
        identifier = f" {record.identifier}" if record.identifier else ""
        made.append(
            Because(
                path=f"records[{record.name} {record.type}{identifier}]",
                old=shown(now, redactor) if now else "",
                new=shown(want, redactor) if want else "not in git",
                at=f"{place.file}:{place.line}" if place else "",
                secret=record.type == "TXT",
            )
        )
    return tuple(sorted(made, key=lambda b: (b.path, b.old, b.new)))


def shown(record: RecordSet, redactor: Redactor) -> str:
    """Return what a record answers. TXT may hold secrets: only a keyed hash of it is told."""
    return " ".join(v if f in ("values", "alias") else f"{f} {v}" for f, v in _told(record, redactor))


def _told(record: RecordSet, redactor: Redactor) -> list[tuple[str, str]]:
    secret = record.type == "TXT"
    return [(f, redactor.secret(v.encode()) if secret and f == "values" else v) for f, v in fields(record)]


def _rows(item: Item, odd: Odd, redactor: Redactor, *, heals: bool) -> list[Drift]:
    record = odd.want.record if odd.want else odd.now
    if record is None:
        return []
    rows: list[tuple[str, str, str]] = []
    if odd.want is None or odd.now is None:
        there = shown(record, redactor)
        rows.append(("record", there, "not there") if odd.want else ("record", "not there", there))
    else:
        want, live = dict(_told(odd.want.record, redactor)), dict(_told(odd.now, redactor))
        names = dict.fromkeys([*want, *live])
        rows += [(n, want.get(n, "none"), live.get(n, "none")) for n in names if want.get(n) != live.get(n)]
    return [
        Drift(
            kind=KIND,
            name=item.name,
            target=item.target,
            resource=f"record/{record.name} {record.type} {record.identifier}".strip(),
            field=field,
            want=want_text,
            live=live_text,
            heals=heals,
        )
        for field, want_text, live_text in rows
    ]


def refusals(target: TargetName, plan: ZonePlan, limits: Limits) -> tuple[Refusal, ...]:
    """Return the limits that one zone's plan is over; none once its commit is being written."""
    if plan.item.begun or plan.item.action is not ActionKind.UPDATE:
        return ()
    if plan.ours and plan.deletes == plan.ours:
        why = f"all {plan.ours} declared records of zone {plan.item.name} would go"
        return (Refusal(target=target, limit="empty", count=plan.deletes, of=plan.ours, allowed=0, why=why),)
    found: list[Refusal] = []
    for name, count, percent in (
        ("dnsDeletes", plan.deletes, limits.dns_deletes),
        ("dnsChanges", plan.changes, limits.dns_changes),
    ):
        allowed = max(1, plan.ours * percent // 100)
        if plan.ours >= COUNTED_FROM and count > allowed:
            of = f"{count} of {plan.ours} records of zone {plan.item.name}"
            why = f"{of}; limits.{name} ({percent}%) is {allowed}"
            found.append(
                Refusal(target=target, limit=name, count=count, of=plan.ours, allowed=allowed, why=why)
            )
    return tuple(found)


def held(plan: ZonePlan, hold: Hold | None) -> Item:
    """Return the zone's item, held back where records may not change now. What is half written goes on."""
    if plan.suspended:
        return replace(suspended.hold(plan.item, plan.suspended), steps=())
    item = plan.item
    if hold is None or item.begun or not item.now:
        return item
    if item.action is ActionKind.NONE:
        return replace(item, now=(), steps=(), notes=(*item.notes, hold.why))
    return replace(
        item, action=ActionKind.BLOCKED, blocked=Blocked(code=hold.code, why=hold.why), now=(), steps=()
    )
