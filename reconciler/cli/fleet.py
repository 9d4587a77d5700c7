"""`reconciler explain FLEET`."""

import json

from reconciler.cli.options import Plain, out
from reconciler.cli.plan import tell_errors
from reconciler.cli.status import as_json, found_of
from reconciler.daemon.hands import having
from reconciler.daemon.passes import Manner
from reconciler.daemon.session import open_session
from reconciler.daemon.settings import Settings
from reconciler.plan.explain import explain as explained


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
