"""Verbs on one fleet: `explain` and `retry`."""

import json

from reconciler.cli.options import Plain, out
from reconciler.cli.plan import tell_errors
from reconciler.cli.retry import again
from reconciler.cli.status import as_json, found_of
from reconciler.daemon.hands import having, the_one
from reconciler.daemon.passes import Manner, writer
from reconciler.daemon.session import ChoiceError, Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.gateway.session import for_commit
from reconciler.plan.explain import explain as explained
from reconciler.strategies.slice import fleets_of


def explain(settings: Settings, fleet: str, form: Plain) -> int:
    """Print why nothing, or something, happens to a fleet. Return the exit code. Raises: ChoiceError."""
    with open_session(settings, writes=False) as session:
        looks = having(session, session.look(Manner(audited=frozenset({fleet}))), fleet)
    found = found_of(looks, fleet)
    plans = {x.target.name: x.plan for x in looks}
    if form is Plain.JSON:
        lines = {s.target: list(explained(s, plans[s.target])) for s in found}
        out(json.dumps({**as_json(found, None), "explained": lines}, indent=2))
    else:
        for one in found:
            out("\n".join(explained(one, plans[one.target])))
    tell_errors(looks)
    return 0 if all(x.plan.complete for x in looks) else 1


def retry(settings: Settings, fleet: str) -> int:
    """Let a failed revision be tried again. Return the exit code. Raises: ChoiceError."""
    with open_session(settings, writes=True) as session:
        return _forget(session, the_one(session, fleet), fleet)


def _forget(session: Session, look: Look, fleet: str) -> int:
    assert look.seen is not None  # noqa: S101  # the caller has checked it
    live = fleets_of(look.seen.world, look.seen.keeper)
    dead = [t for r in next((v for k, v in live.items() if k == fleet), ()) if (t := r.template) and t.failed]
    if not dead:
        raise ChoiceError(
            f"no revision of {fleet} failed in {look.target.name}; `reconciler explain {fleet}`"
        )
    write = writer(session.runtime(look.target).aws, look.seen.keeper)
    with for_commit(session.adopted.commit):
        for template in dead:
            write(again(template, session.adopted.commit))
            out(f"{look.target.name}  {fleet}  {template.name} is tried again with the next pass")
    return 0
