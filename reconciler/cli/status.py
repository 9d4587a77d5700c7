"""`reconciler status`: what is live of each fleet, and the daemon's last passes if it answers."""

import json
from datetime import datetime

from reconciler.cli.options import Plain, err, on_terminal, out
from reconciler.cli.plan import tell_errors
from reconciler.daemon.passes import Manner
from reconciler.daemon.session import ChoiceError, Look, open_session
from reconciler.daemon.settings import Settings
from reconciler.plan.hands import word
from reconciler.plan.status import FleetStatus, overdue, status_of
from reconciler.plan.suspended import CODE, told
from reconciler.report.as_json import suspended_json


def status(settings: Settings, fleet: str | None, form: Plain, daemon: str | None) -> int:
    """Print the status of all fleets, or of one. Return the exit code. Raises: ChoiceError."""
    audited = frozenset({fleet} if fleet else set())
    with open_session(settings, writes=False) as session:
        looks = session.look(Manner(ahead=False, audited=audited))
        found = found_of(looks, fleet)
    if fleet and not found and all(x.seen for x in looks):
        raise ChoiceError(
            f"no fleet {fleet} is in git or on AWS in {', '.join(x.target.name for x in looks)}"
        )
    passes = last_passes(daemon) if daemon else None
    if form is Plain.JSON:
        out(json.dumps(as_json(found, passes), indent=2))
    else:
        out(as_text(found, looks))
        for one in passes or ():
            out(f"daemon: {one}")
    tell_errors(looks)
    return 0 if all(x.plan.complete for x in looks) else 1


def found_of(looks: tuple[Look, ...], fleet: str | None) -> tuple[FleetStatus, ...]:
    """Return the status that several targets give."""
    return tuple(s for x in looks if x.seen for s in status_of(x.seen.world, x.plan, x.seen.keeper, fleet))


def as_json(found: tuple[FleetStatus, ...], passes: list[str] | None) -> dict[str, object]:
    """Return the status as JSON."""
    rows: list[dict[str, object]] = []
    for one in found:
        item = one.item
        rows.append(
            {
                "fleet": one.fleet,
                "target": one.target,
                "action": str(item.action) if item else "none",
                "waiting": item.wait.why if item and item.wait else None,
                "blocked": item.blocked.why if item and item.blocked else None,
                "suspended": suspended_json(item.suspended) if item and item.suspended else None,
                "hands": [
                    {"name": name, "verb": str(h.verb), "since": stamp(h.since), "text": h.text}
                    for name, h in one.hands
                ],
                "drift": one.drift,
                "revisions": [
                    {
                        "name": r.name,
                        "revision": r.revision,
                        "state": r.state,
                        "image": r.image,
                        "commit": r.commit,
                        "born": stamp(r.born),
                        "inService": r.in_service,
                        "size": {"min": r.min, "desired": r.desired, "max": r.max},
                        "traffic": r.traffic,
                        "healthyTargets": r.healthy,
                        "floor": {"min": r.floor.least, "until": stamp(r.floor.until)} if r.floor else None,
                    }
                    for r in one.revisions
                ],
            }
        )
    return {"version": 1, "fleets": rows, "passes": passes}


def as_text(found: tuple[FleetStatus, ...], looks: tuple[Look, ...]) -> str:
    """Return the status as a table, with what each fleet waits for below it."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reconciler.report.escape import visible

    headings = ("TARGET", "FLEET", "REVISION", "STATE", "READY", "MIN/MAX", "TRAFFIC", "IMAGE", "BORN")
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    notes: list[str] = []
    for one in found:
        for r in one.revisions or ():
            traffic = "-" if r.traffic is None else f"{r.traffic}%"
            healthy = "" if r.healthy is None else f" ({r.healthy} healthy)"
            cells = (
                one.target, one.fleet, r.name, r.state, f"{r.in_service}/{r.desired}{healthy}",
                f"{r.min}/{r.max}", traffic, r.image, stamp(r.born),
            )  # fmt: skip
            table.add_row(*(Text(visible(c)) for c in cells))
        if not one.revisions:
            table.add_row(one.target, Text(visible(one.fleet)), "-", "not there", "", "", "", "", "")
        notes += _notes(one)
    buffer = StringIO()
    console = Console(file=buffer, width=200, force_terminal=on_terminal(), highlight=False)
    console.print(table)
    lines = [*(line.rstrip() for line in buffer.getvalue().splitlines()), *([""] if notes else []), *notes]
    times = ", ".join(f"{x.target.name} at {stamp(x.plan.as_of)}" for x in looks)
    return "\n".join([*lines, "", f"seen: {times}"])


def _notes(one: FleetStatus) -> list[str]:
    head, item = f"{one.target} {one.fleet}", one.item
    notes = []
    if item and item.wait:
        notes.append(f"{head}: waiting: {item.wait.why}")
    if item and item.suspended:
        notes.append(f"{head}: {told(item.suspended)}")
    if item and item.blocked and not (item.suspended and item.blocked.code == CODE):
        notes.append(f"{head}: {item.action}: {item.blocked.why}")
    notes += [f"{head}: {name} {word(hand)}" for name, hand in one.hands]
    notes += [f"{head}: {why}" for why in overdue(one)]
    if one.drift:
        notes.append(f"{head}: {one.drift} fields drifted (`reconciler drift` names them)")
    return notes


def stamp(at: datetime) -> str:
    """Return a time as it is printed."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def last_passes(url: str) -> list[str] | None:
    """Return what the daemon says of its last passes, a line for each target; None if it does not answer."""
    from urllib.request import urlopen

    if not url.startswith(("http://", "https://")):
        raise ChoiceError(f"--daemon {url} is not a URL; write http://127.0.0.1:8080")
    try:
        with urlopen(f"{url.rstrip('/')}/api/v1/passes", timeout=5) as reply:  # noqa: S310  # checked above
            said = json.load(reply)
    except (OSError, ValueError) as error:
        err(f"the daemon at {url} does not answer: {error}")
        return None
    return [json.dumps(one, sort_keys=True) for one in said.get("passes", [])]
