"""`reconciler plan` and `reconciler drift`: what a pass would do, and what differs by somebody's hand."""

from pathlib import Path

from reconciler.cli.options import Form, err, on_terminal, out
from reconciler.daemon.session import ChoiceError, Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.plan.model import Plan
from reconciler.plan.released import released
from reconciler.report.summary import has_changes
from reconciler.spec.desired import Desired


def plan(settings: Settings, form: Form, *, detailed: bool, save: Path | None, offline: Path | None) -> int:
    """Print the plan of the named commit. Return the exit code.

    `save` writes what was observed to a file, without user data; `offline` plans on such a file.
    """
    with open_session(settings, writes=False) as session:
        looks = _offline(session, offline) if offline else session.look()
        made = session.plan_of(looks)
    out(render(made, form))
    tell_errors(looks)
    for line in released(session.adopted.parent or Desired(), session.adopted.desired):
        err(f"note: {line}")
    if save:
        from reconciler.plan.saved import dump_worlds

        worlds = {x.target.name: x.seen.world for x in looks if x.seen}
        _write(save, dump_worlds(worlds, session.redactor))
    if not made.complete:
        return 1
    return 2 if detailed and has_changes(made) else 0


def _offline(session: Session, file: Path) -> tuple[Look, ...]:
    from reconciler.plan.saved import load_worlds

    return session.offline(load_worlds(_read(file)))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ChoiceError(f"{file} can't be read: {error}") from None


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        raise ChoiceError(f"{file} can't be written: {error}") from None


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
