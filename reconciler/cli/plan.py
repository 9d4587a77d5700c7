"""`reconciler plan` and `reconciler drift`: what a pass would do, and what differs by somebody's hand."""

from reconciler.cli.options import Form, err, on_terminal, out
from reconciler.daemon.session import Look, open_session
from reconciler.daemon.settings import Settings
from reconciler.plan.model import Plan
from reconciler.report.summary import has_changes


def plan(settings: Settings, form: Form, *, detailed: bool) -> int:
    """Print the plan of the named commit. Return the exit code."""
    with open_session(settings, writes=False) as session:
        looks = session.look()
        made = session.plan_of(looks)
    out(render(made, form))
    tell_errors(looks)
    if not made.complete:
        return 1
    return 2 if detailed and has_changes(made) else 0


def render(made: Plan, form: Form) -> str:
    """Return a plan in one of its forms."""
    match form:
        case Form.TEXT:
            from reconciler.report.text import plan_text

            return plan_text(made, colour=on_terminal())
        case Form.JSON:
            import json

            from reconciler.report.as_json import plan_json

            return json.dumps(plan_json(made), indent=2)
        case Form.MARKDOWN:
            from reconciler.report.markdown import plan_markdown

            return plan_markdown(made)


def drift(settings: Settings, form: Form) -> int:
    """Print drift alone. Return 0 for none, 2 for some, 1 where it is not known."""
    with open_session(settings, writes=False) as session:
        looks = session.look()
        made = session.plan_of(looks)
    out(_drift(made, form))
    tell_errors(looks)
    if not made.complete:
        return 1
    return 2 if any(t.drift for t in made.targets) else 0


def _drift(made: Plan, form: Form) -> str:
    if form is Form.JSON:
        import json

        from reconciler.report.as_json import drift_json

        return json.dumps(drift_json(made), indent=2)
    if form is Form.MARKDOWN:
        from reconciler.report.markdown import drift_markdown

        return drift_markdown(made)
    from reconciler.report.text import drift_text

    return drift_text(made, colour=on_terminal())


def tell_errors(looks: tuple[Look, ...]) -> None:
    """Say on stderr which targets could not be looked at, and why."""
    for look in looks:
        for why in look.plan.unread:
            err(f"error: target {look.target.name}: {why}")
