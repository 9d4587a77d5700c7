"""The `reconciler` command."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="reconciler",
    help="Bring fleets, images and DNS on AWS to what git says, by replacement only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


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

    raise typer.Exit(check(path, _print))


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
            _print(f"stale: {output / name}")
        raise typer.Exit(1 if old else 0)
    for name in write(output):
        _print(str(output / name))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
