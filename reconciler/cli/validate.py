"""`reconciler validate`: a folder as it lies on disk, no AWS needed."""

from collections.abc import Callable
from pathlib import Path

from reconciler.source.folder import read_folder
from reconciler.source.load import load
from reconciler.spec.desired import Desired


def validate(path: Path, say: Callable[[str], None]) -> int:
    """Tell every problem of a folder, or what it declares. Return the exit code."""
    if not path.is_dir():
        say(f"{path} is not a folder; name the one that holds the desired state")
        return 1
    try:
        found = load(read_folder(path))
    except (OSError, ValueError) as error:
        say(f"{path} can't be read: {error}")
        return 1
    if isinstance(found, Desired):
        say(f"valid: {counts(found)}")
        return 0
    for problem in found:
        say(str(problem))
    files = len({p.at.file for p in found})
    say(f"{len(found)} {_plural(len(found), 'problem')} in {files} {_plural(files, 'file')}")
    return 1


def counts(desired: Desired) -> str:
    """Return how many documents of each kind there are."""
    kinds = {
        "target": len(desired.targets),
        "image": len(desired.images),
        "profile": len(desired.profiles),
        "fleet": len(desired.fleet_names),
        "zone": len(desired.zones),
        "record": sum(len(z.spec.records) for z in desired.zones),
    }
    return ", ".join(f"{n} {_plural(n, kind)}" for kind, n in kinds.items() if n)


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
