"""Every form of the comment on a pull request: real commits, planned over real worlds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.facts import Unread
from reconciler.core.ids import TargetName
from reconciler.core.problem import Problem
from reconciler.daemon.pull_endings import judged
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.record.want import RecordSet
from reconciler.plan.blind import blind_plan
from reconciler.plan.freeze import Freeze
from reconciler.plan.limits import Limits
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.plan.pulls import compare
from reconciler.plan.released import released
from reconciler.plan.settle import gone
from reconciler.plan.touched import Touched, touched
from reconciler.report.ended import OPEN, Ended, ended
from reconciler.report.levels import FITS
from reconciler.report.log import Redaction
from reconciler.report.outcome import Outcome
from reconciler.report.pull import Planned, Stamp, Told, conflict, invalid, not_planned, planned
from reconciler.report.recent import Recent
from reconciler.report.story import NOTHING_TOLD, tell
from reconciler.source.git import Conflict, SourceError
from reconciler.source.load import load
from reconciler.spec.desired import Desired
from tests.plan.house import IMAGE, PROD, TARGET, House, altered, fleet, group, with_records, zone

STAMP: Final = Stamp(
    head="9e1d07c2a4b8f6e3d5c7a9b1e2f4d6c8a0b3e5f7",
    base="4c88a10b2d4f6e8091a3b5c7d9e1f3a5b7c9d1e3",
    tree="29008167c5e3a1f9d7b5c3e1a0f8d6b4c2e0a9f7",
    engine="0.1.0",
)
MERGED: Final = "b2f4e91a7c5d3e1f9b8a6c4d2e0f8a6b4c2d0e1f"
MAIL: Final = '[{name: "@", type: MX, ttl: 300, values: ["10 mail.example.com."]}]'
SHORTER: Final = MAIL.replace("300", "60")
MINUTE: Final = timedelta(minutes=1)
WEB: Final = fleet("web", "balancer")
WEB_2: Final = fleet("web", "balancer", generation="2")

Files = dict[str, str | None]
"""Documents by file; None takes a file away."""

BASE: Final[Files] = {
    "targets/prod.yaml": TARGET,
    "images/base.yaml": IMAGE,
    "fleets/web.yaml": WEB,
    "fleets/batch.yaml": fleet("batch"),
    "fleets/old.yaml": fleet("old"),
    "fleets/mail.yaml": fleet("mail"),
    "zones/example-com.yaml": zone(MAIL),
}


def read(files: Files) -> Desired:
    found = load({name: text.encode() for name, text in files.items() if text})
    assert isinstance(found, Desired), found
    return found


def settled(files: Files | None = None) -> House:
    """The base, converged."""
    house = House()
    house.history.append(read(files or BASE))
    return house.converge()


def proposed(house: House, change: Files, base: Files | None = None, **of: object) -> Planned:
    """The merge result planned beside the base, over one world."""
    before = house.plan()
    house.history.append(read({**(base or BASE), **change}))
    found = compare(before, house.plan(ahead=True))
    lost = released(*house.history[-2:])
    return Planned(stamp=STAMP, found=(found,), files=tuple(sorted(change)), released=lost, **of)


def changes() -> Planned:
    """Fleets that are replaced, made, changed in place and retired, a record, and drift that is none of it."""
    change: Files = {
        "fleets/batch.yaml": fleet("batch", more="  capacity: {min: 2, max: 30, desired: 3}\n"),
        "fleets/old.yaml": None,
        "fleets/search.yaml": fleet("search"),
        "fleets/web.yaml": WEB_2.replace("m7g.large", "m7g.xlarge"),
        "zones/example-com.yaml": zone(SHORTER),
    }
    house = settled()
    by_hand = replace(group(house.world, "mail"), sizes=Sizes(min=2, max=20, desired=3))
    groups = tuple(by_hand if g.name == by_hand.name else g for g in house.world.groups)
    house.world = replace(house.world, groups=groups)
    return proposed(house, change, overlaps=((41, ("Fleet web", "Zone example-com")),))


def small() -> Planned:
    """A size that is raised: nothing dangerous."""
    more = "  capacity: {min: 2, max: 30, desired: 3}\n"
    return proposed(settled(), {"fleets/batch.yaml": fleet("batch", more=more)})


def draft() -> Planned:
    return replace(small(), draft=True)


def no_changes() -> Planned:
    """A comment in the file, and nothing else."""
    return proposed(settled(), {"fleets/web.yaml": f"# the shop itself\n{WEB}"})


def nothing_of_ours() -> Planned:
    return replace(no_changes(), files=())


GONE: Final[Files] = {"fleets/old.yaml": None, "fleets/batch.yaml": None, "fleets/web.yaml": WEB_2}


def over_a_limit() -> Planned:
    """Two of four fleets leave git; a third is replaced."""
    return proposed(settled(), GONE)


def approved() -> Planned:
    """The same, approved by somebody who may push."""
    (held,) = over_a_limit().found
    house = settled()
    house.limits = Limits(approved=(held.merged.digest,))
    return proposed(house, GONE)


def unread() -> Planned:
    """Route 53 denies the zone: the fleet in it is not planned, the other one is."""
    house = settled()
    why = Unread(what="zone example-com", why="AccessDenied on route53:ListResourceRecordSets")
    live = house.world.zones[0]
    house.world = replace(house.world, zones=(ZoneProblem(zone=live.zone, unread=why, why=str(why)),))
    change: Files = {
        "fleets/batch.yaml": fleet("batch", generation="2"),
        "zones/example-com.yaml": zone(SHORTER),
    }
    return proposed(house, change)


def blind() -> Planned:
    """The whole target could not be looked at."""
    house = settled()
    house.history.append(read({**BASE, "fleets/web.yaml": WEB_2}))
    why = "AccessDenied on sts:AssumeRole arn:aws:iam::123456789012:role/reconciler-read"
    plans = [blind_plan(d, d.target(PROD), why, house.world.as_of) for d in house.history[-2:]]
    return Planned(stamp=STAMP, found=(compare(plans[0], plans[1]),), files=("fleets/web.yaml",))


def pending_and_drift() -> Planned:
    """A merge is not applied yet, a person changed a live group and a record; the change is another one."""
    house = settled()
    merged: Files = {**BASE, "fleets/batch.yaml": fleet("batch", generation="2")}
    house.history.append(read(merged))
    house.world = altered(house.world, sizes=Sizes(min=2, max=20, desired=3))
    mail = RecordSet(name="example.com.", type="MX", ttl=300, values=("10 elsewhere.example.net.",))
    house.world = with_records(house.world, mail)
    return proposed(house, {"fleets/search.yaml": fleet("search")}, merged)


def conflicting() -> Planned:
    """A record that is not ours stands where the change wants one."""
    house = settled()
    house.world = with_records(
        house.world, RecordSet(name="www.example.com.", type="A", ttl=60, values=("198.51.100.7",))
    )
    www = MAIL.replace("]}]", ']}, {name: www, type: A, ttl: 60, values: ["192.0.2.7"]}]')
    return proposed(house, {"zones/example-com.yaml": zone(www)})


def released_zone() -> Planned:
    return proposed(settled(), {"zones/example-com.yaml": None, "fleets/web.yaml": None})


def invalid_yaml() -> tuple[Problem, ...]:
    """Four errors, as the loader tells them."""
    files = {
        **BASE,
        "fleets/web.yaml": WEB.replace("capacity: {min: 2, max: 6", "capacity: {min: 8, max: 6"),
        "fleets/batch.yaml": fleet("batch").replace("instanceTypes:", "instanceType:"),
        "zones/example-com.yaml": zone(
            '[{name: "@", type: MX, ttl: soon, values: ["10 mail.example.com."]}]'
        ),
    }
    found = load({name: text.encode() for name, text in files.items()})
    assert not isinstance(found, Desired)
    return found


def merged(change: Files) -> tuple[House, dict[Touched, Ended]]:
    """A world in which a pull request was merged a moment ago."""
    house = settled()
    house.history.append(read({**BASE, **change}))
    rows = {
        key: Ended(
            item=Item(kind=key[0], name=key[1], target=TargetName(key[2]), action=ActionKind.NONE),
            result="going on",
        )
        for key in touched(*house.history[-2:])
    }
    return house, rows


def followed(rows: dict[Touched, Ended], plan: TargetPlan) -> None:
    """Judge what goes on by the plan of a pass, as the daemon does."""
    for key, row in rows.items():
        if row.result in OPEN:
            rows[key] = judged(row, key, plan)


WEB_AND_BATCH: Final[Files] = {
    "fleets/web.yaml": WEB_2,
    "fleets/batch.yaml": fleet("batch", more="  capacity: {min: 2, max: 30, desired: 3}\n"),
}


@dataclass(frozen=True)
class Ending:
    """How a merge ended, or how it goes."""

    rows: tuple[Ended, ...]
    since: datetime
    as_planned: bool = True


Form = Planned | Ending | Conflict | SourceError | tuple[Problem, ...]


def told(form: Form, fits: int = FITS) -> Told:
    """The comment and the status of one form."""
    match form:
        case Planned():
            return planned(form, fits=fits)
        case Ending():
            return ended(MERGED, form.rows, as_planned=form.as_planned, since=form.since, fits=fits)
        case Conflict():
            return conflict(form.files, STAMP)
        case SourceError():
            return not_planned(str(form), STAMP)
        case _:
            return invalid(form, STAMP)


def applied(until: Callable[[Iterable[Ended]], bool] | None = None, *, as_planned: bool = True) -> Ending:
    """Both fleets as git wants them, or as far as `until` lets it come."""
    house, rows = merged(WEB_AND_BATCH)
    since = house.world.as_of
    for _ in range(80):
        followed(rows, house.apply())
        over = all(r.result not in OPEN for r in rows.values())
        if over or (until and until(rows.values())):
            return Ending(rows=tuple(rows.values()), since=since, as_planned=as_planned)
        house.pass_time(MINUTE)
        house.wait()
    raise AssertionError("it does not end")


def applying() -> Ending:
    return applied(lambda rows: any(r.result == "done" for r in rows))


def rolled_back() -> Ending:
    """The new revision's instances never came into service, and its time went by."""
    house, rows = merged(WEB_AND_BATCH)
    since, memory = house.world.as_of, NOTHING_TOLD
    recent = Recent(redaction=Redaction(), clock=lambda: house.world.as_of)
    for _ in range(60):
        before, plan = len(house.told), house.apply()
        made = [Outcome(kind="Fleet", name="web", revision="", step=s) for s in house.told[before:]]
        memory, events = tell(memory, MERGED, plan, made)
        for event in events:
            recent.see(event)
        followed(rows, plan)
        if all(r.result not in OPEN for r in rows.values()):
            failed = (k for k, r in rows.items() if r.result == "rolled back")
            rows |= {k: replace(rows[k], log=recent.of(*k)) for k in failed}
            return Ending(rows=tuple(rows.values()), since=since)
        house.world = gone(house.world)
        house.pass_time(MINUTE)
    raise AssertionError("it does not end")


def held() -> Ending:
    """A freeze that began with the merge; what is changed in place is not held by it."""
    house, rows = merged(WEB_AND_BATCH)
    since = house.world.as_of
    to = since + timedelta(days=3)
    house.freezes = (Freeze(holds=("start",), reason="peak season", since=since, to=to),)
    for _ in range(3):
        followed(rows, house.apply())
        house.pass_time(MINUTE)
    return Ending(rows=tuple(rows.values()), since=since)


FORMS: Final[dict[str, Callable[[], Form]]] = {
    "changes": changes,
    "small": small,
    "draft": draft,
    "no-changes": no_changes,
    "nothing-of-ours": nothing_of_ours,
    "over-a-limit": over_a_limit,
    "approved": approved,
    "unread": unread,
    "blind": blind,
    "pending-and-drift": pending_and_drift,
    "conflicting-record": conflicting,
    "released": released_zone,
    "invalid": invalid_yaml,
    "merge-conflict": lambda: Conflict(files=("fleets/web.yaml", "zones/example-com.yaml")),
    "not-planned": lambda: SourceError("the head 9e1d07c2a4b8 could not be fetched: the remote hung up"),
    "applying": applying,
    "applied": applied,
    "applied-otherwise": lambda: applied(as_planned=False),
    "held": held,
    "rolled-back": rolled_back,
}
