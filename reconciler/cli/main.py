"""The `reconciler` command."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import (
    Folder,
    Form,
    Format,
    Plain,
    PlainFormat,
    Ref,
    Repo,
    Targets,
    out,
    settings,
    span,
    told,
)
from reconciler.cli.run import EPILOG, run
from reconciler.core.heap import expect_many

app = typer.Typer(
    name="reconciler",
    help="Bring fleets, images and DNS on AWS to what git says, by replacement only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Data goes to stdout, everything else to stderr."""


@app.command()
def validate(
    path: Annotated[Path, typer.Argument(help="Folder that holds the desired state.")] = Path(
        "desired-state"
    ),
) -> None:
    """Check a folder as it lies on disk; no AWS needed. Exit 0: valid, 1: not."""
    from reconciler.cli.validate import validate as check

    raise typer.Exit(check(path, out))


@app.command()
def schema(
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("schemas"),
    *,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is stale.")] = False,
) -> None:
    """Write the JSON Schemas of the documents, for editors."""
    from reconciler.cli.schema import stale, write

    if check:
        for name in (old := stale(output)):
            out(f"stale: {output / name}")
        raise typer.Exit(1 if old else 0)
    for name in write(output):
        out(str(output / name))


@app.command()
def plan(
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    form: Format = Form.TEXT,
    *,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 when there are changes.")
    ] = False,
    save_world: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was observed, without user data.")
    ] = None,
    offline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Plan on such a file; no call is made.")
    ] = None,
) -> None:
    """Say what a pass would do now, and the whole way of each rollout. Writes nothing."""
    from reconciler.cli import plan as command

    with told():
        asked = settings(repo, ref, path, target)
        code = command.plan(asked, form, detailed=detailed, save=save_world, offline=offline)
    raise typer.Exit(code)


@app.command()
def drift(
    repo: Repo = None, ref: Ref = None, path: Folder = None, target: Targets = None, form: Format = Form.TEXT
) -> None:
    """Compare live against what the last applied commits say. Exit 0: none, 2: drift, 1: not known."""
    from reconciler.cli import plan as command

    with told():
        code = command.drift(settings(repo, ref, path, target), form)
    raise typer.Exit(code)


@app.command()
def apply(
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Pass after pass until converged.")] = False,
    timeout: Annotated[str, typer.Option(help="With --wait: give up after this, with exit code 1.")] = "1h",
    every: Annotated[str, typer.Option(help="With --wait: time between two passes.")] = "10s",
    accept_history: Annotated[
        bool, typer.Option("--accept-history", help="Take up a rewritten history: re-tag, prune nothing.")
    ] = False,
) -> None:
    """Do what is safe now. Exit 0: done, 1: error, 3: blocked (limit, freeze, conflict, failed rollout)."""
    from reconciler.cli.apply import Patience
    from reconciler.cli.apply import apply as command

    patience = Patience(timeout=span(timeout), every=span(every))
    with told():
        asked = settings(repo, ref, path, target)
        code = command(asked, patience if wait else None, accept_history=accept_history)
    raise typer.Exit(code)


Fleet = Annotated[str, typer.Argument(help="Name of the fleet.")]


@app.command()
def status(
    fleet: Annotated[str | None, typer.Argument(help="One fleet; all without it.")] = None,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    form: PlainFormat = Plain.TEXT,
    daemon: Annotated[str | None, typer.Option(metavar="URL", help="Ask a daemon for its last pass.")] = None,
) -> None:
    """Show revisions, traffic, health and rollouts, read from AWS."""
    from reconciler.cli.status import status as command

    with told():
        code = command(settings(repo, ref, path, target), fleet, form, daemon)
    raise typer.Exit(code)


@app.command()
def explain(
    fleet: Fleet,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    form: PlainFormat = Plain.TEXT,
) -> None:
    """Say why nothing (or something) happens to a fleet, and when it next will."""
    from reconciler.cli.fleet import explain as command

    with told():
        code = command(settings(repo, ref, path, target), fleet, form)
    raise typer.Exit(code)


@app.command()
def retry(
    fleet: Annotated[
        str | None, typer.Argument(help="Name of the fleet; without it, all that failed in --target.")
    ] = None,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
) -> None:
    """Let a failed revision be tried again with the next pass; with --target alone, all of that target."""
    from reconciler.cli.retry import retry as command

    with told():
        code = command(settings(repo, ref, path, target), fleet)
    raise typer.Exit(code)


Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why: it is told with it.")]


@app.command()
def pause(
    fleet: Fleet,
    reason: Reason,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    *,
    for_: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="It ends by itself then.")] = None,
) -> None:
    """Suspend a fleet by a tag, without a commit: nothing is written, save that a rollout goes back."""
    from reconciler.cli.hand import hand as command
    from reconciler.plan.hands import pause as ask

    lasts = span(for_) if for_ else None
    with told():
        code = command(settings(repo, ref, path, target), fleet, ask(reason, lasts))
    raise typer.Exit(code)


@app.command()
def resume(
    fleet: Fleet,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    reason: Reason = "",
) -> None:
    """End a suspension by tag."""
    from reconciler.cli.hand import hand as command
    from reconciler.plan.hands import resume as ask

    with told():
        code = command(settings(repo, ref, path, target), fleet, ask(reason))
    raise typer.Exit(code)


@app.command()
def promote(
    fleet: Fleet,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="All traffic: no more holds and pauses.")] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; needed with --full.")] = "",
) -> None:
    """Let a rollout go past the pause, or the wave, that it waits at."""
    from reconciler.cli.hand import hand as command
    from reconciler.plan import hands

    with told():
        ask = hands.full(reason) if full else hands.promote()
        code = command(settings(repo, ref, path, target), fleet, ask)
    raise typer.Exit(code)


@app.command()
def abort(
    fleet: Fleet,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
    reason: Reason = "",
) -> None:
    """Go back to the revision before, until that one is retired."""
    from reconciler.cli.hand import hand as command
    from reconciler.plan.hands import abort as ask

    with told():
        code = command(settings(repo, ref, path, target), fleet, ask(reason))
    raise typer.Exit(code)


@app.command()
def replace(
    instance: Annotated[str, typer.Argument(help="Id of the instance.")],
    reason: Reason,
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
) -> None:
    """Have the group of an instance replace it; its size stays."""
    from reconciler.cli.hand import replace as command

    with told():
        code = command(settings(repo, ref, path, target), instance, reason)
    raise typer.Exit(code)


app.command(epilog=EPILOG)(run)


@app.command("pr")
def pull_request(
    number: Annotated[int, typer.Argument(min=1, help="Number of the pull request.")],
    repo: Repo = None,
    ref: Ref = None,
    path: Folder = None,
    target: Targets = None,
) -> None:
    """Print the comment of one pull request: what its merge would do."""
    from reconciler.cli.pull import pull

    with told():
        code = pull(settings(repo, ref, path, target), number)
    raise typer.Exit(code)


@app.command("iam-policy")
def iam_policy(
    *,
    read_only: Annotated[bool, typer.Option("--read-only", help="For plans and drift: no write.")] = False,
) -> None:
    """Print the least IAM policy, from the gateway's own allow-list, with the explicit denies."""
    from reconciler.cli.iam_policy import iam_policy_json

    out(iam_policy_json(read_only=read_only))


@app.command()
def demo() -> None:
    """Tell the whole story on an embedded AWS: merge, rollout, drift, heal, refusal, a kill."""
    from reconciler.cli.demo import demo as command

    raise typer.Exit(command())


def main() -> None:
    """Run the command line."""
    expect_many()
    app()


if __name__ == "__main__":
    main()
