"""One zone's records: declared against live, sorted by what each difference means."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.core.ids import Commit
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.want import Key, RecordSet, Wanted

ADDRESSES = ("A", "AAAA", "CNAME")
FLEET_RECORD = re.compile(r"^[a-z0-9-]+\.[a-z][a-z0-9-]*-[0-9a-f]{10}$")
Records = dict[Key, RecordSet]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a zone is to hold, what it holds, and what earlier commits declared there."""

    live: LiveZone
    wanted: dict[Key, Wanted]
    applied: Records  # of the commit whose records are all in place; empty where it can't be read
    writing: tuple[tuple[Commit, Records | None], ...]  # of commits that may be half written
    fleets: frozenset[str]  # names that belong to fleets
    prune: bool
    whole: bool  # authority: whole

    @property
    def ours(self) -> frozenset[Key]:
        """Each name, type and identifier that one of these commits declares."""
        return frozenset(self.applied).union(*(r for _, r in self.writing if r is not None))

    def settled(self, record: RecordSet) -> bool:
        """Did every one of these commits declare this same record: another live value is then drift."""
        return self.applied.get(record.key) == record and all(
            r is not None and r.get(record.key) == record for _, r in self.writing
        )

    def of_a_fleet(self, record: RecordSet) -> bool:
        """Is this a weighted record of some fleet's revision."""
        return record.weight is not None and bool(FLEET_RECORD.match(record.identifier))

    def aside(self, record: RecordSet) -> bool:
        """Is this record no matter of the zone: the apex's own, or at a fleet's name."""
        apex = record.name == self.live.domain and record.type in ("NS", "SOA")
        at_fleet = record.name in self.fleets and record.type in ADDRESSES
        return apex or at_fleet or self.of_a_fleet(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One drifted record: what is live, what git says, and whether our calls put it right."""

    now: RecordSet | None
    want: Wanted | None
    mends: bool = True


@dataclass(slots=True)
class Diff:
    """One zone's differences."""

    create: list[Wanted] = field(default_factory=list)
    change: list[tuple[RecordSet, Wanted]] = field(default_factory=list)
    convert: list[RecordSet] = field(default_factory=list)  # ours, in the way of another routing policy
    prune: list[RecordSet] = field(default_factory=list)
    replaced: list[RecordSet] = field(default_factory=list)  # not ours, given up by takeOver
    kept: list[RecordSet] = field(default_factory=list)  # ours, until a fleet takes over their name
    waits: list[Wanted] = field(default_factory=list)  # aliases to what is not there yet
    conflicts: list[str] = field(default_factory=list)
    drift: list[Odd] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """Is a record not as this commit declares it, for another reason than drift."""
        return bool(self.create or self.change or self.convert or self.prune or self.waits or self.kept)


def diff(facts: Facts) -> Diff:
    """Return how a zone differs from what is declared."""
    found = Diff()
    have = {r.key: r for r in facts.live.records}
    missing = _dangling(facts)
    ours = facts.ours
    for key, want in facts.wanted.items():
        now = have.get(key)
        if now == want.record:
            continue
        if key in missing:
            found.waits.append(want)
        elif facts.settled(want.record):
            found.drift.append(Odd(now=now, want=want))
        elif now is None:
            found.create.append(want)
        elif key in ours or want.take_over:
            found.change.append((now, want))
        else:
            what = f"{key[0]} {key[1]} {key[2]}".strip()
            found.conflicts.append(
                f"{what} exists with other values and is not ours (takeOver: true replaces it)"
            )
    _leaving(facts, found, have)
    _in_the_way(facts, found)
    _foreign(facts, found)
    return found


def _leaving(facts: Facts, found: Diff, have: Records) -> None:
    policies = {key[:2]: want.record.policy for key, want in facts.wanted.items()}
    for key in sorted(facts.ours - set(facts.wanted)):
        now = have.get(key)
        if now is None or facts.of_a_fleet(now):
            continue
        if now.name in facts.fleets and now.type in ADDRESSES:
            found.kept.append(now)
        elif facts.prune:
            converts = policies.get(key[:2], now.policy) != now.policy
            (found.convert if converts else found.prune).append(now)


def _in_the_way(facts: Facts, found: Diff) -> None:
    """A name and type has one routing policy and one TTL, and a CNAME stands alone at its name."""
    at: dict[str, list[RecordSet]] = defaultdict(list)
    going = {r.key for r in (*found.prune, *found.convert)}
    for record in facts.live.records:
        if record.key not in going and record.key not in facts.wanted:
            at[record.name].append(record)
    for want in [*found.create, *(w for _, w in found.change)]:
        for other in at[want.record.name]:
            if other in found.replaced or not (why := _clash(want.record, other)):
                continue
            if want.take_over and not facts.of_a_fleet(other) and other.key not in facts.ours:
                found.replaced.append(other)
            else:
                found.conflicts.append(f"{other.name} {other.type} {why}")
    found.drift = [
        Odd(
            now=o.now,
            want=o.want,
            mends=facts.whole or not any(_clash(o.want.record, x) for x in at[o.want.record.name]),
        )
        if o.want
        else o
        for o in found.drift
    ]


def _clash(want: RecordSet, other: RecordSet) -> str:
    if want.type != other.type:
        alone = "CNAME" in (want.type, other.type)
        return f"is not ours, and stands beside no other type than {want.type}" if alone else ""
    if want.policy != other.policy or want.policy == "simple":
        return f"has a {other.policy} record that is not ours"
    if None not in (want.ttl, other.ttl) and want.ttl != other.ttl:
        return f"{other.identifier} is not ours and has ttl {other.ttl}, and the set has one ttl"
    return ""


def _foreign(facts: Facts, found: Diff) -> None:
    sets = {key[:2] for key in facts.wanted}
    known = facts.ours | set(facts.wanted) | {r.key for r in found.replaced}
    for record in facts.live.records:
        if record.key in known or facts.aside(record):
            continue
        if facts.whole or record.key[:2] in sets:
            found.drift.append(Odd(now=record, want=None, mends=facts.whole))


def _dangling(facts: Facts) -> frozenset[Key]:
    """Return the aliases within this zone that point at a name which is neither there nor to be made."""
    inside = {
        k: w.record.alias.name
        for k, w in facts.wanted.items()
        if w.record.alias and w.record.alias.zone == facts.live.id
    }
    there = {r.name for r in facts.live.records}
    there |= {k[0] for k in facts.wanted if k not in inside}
    while reached := {k for k, name in inside.items() if name in there}:
        there |= {k[0] for k in reached}
        inside = {k: n for k, n in inside.items() if k not in reached}
    return frozenset(inside)


def fields(record: RecordSet) -> Iterable[tuple[str, str]]:
    """Return the members of a record by the words of the documents."""
    alias = record.alias
    if alias:
        yield "alias", f"{alias.name}{' evaluateHealth' if alias.evaluate_health else ''}"
    else:
        yield "values", ", ".join(record.values)
    members: tuple[tuple[str, object], ...] = (
        ("ttl", record.ttl),
        ("weight", record.weight),
        ("role", record.failover.lower() or None),
        ("region", record.region or None),
        ("geo", " ".join(v for _, v in record.geo) or None),
        ("multivalue", "yes" if record.multivalue else None),
        ("healthCheck", record.health_check or None),
        ("other", record.other or None),
    )
    yield from ((name, str(value)) for name, value in members if value is not None)
