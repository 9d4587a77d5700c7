"""Whose signatures are asked for, from the settings: never from what a pull request could change."""

from reconciler.daemon.settings import Settings, SettingsError
from reconciler.report.guarded import Guarded
from reconciler.source.git import Repository, checked_url
from reconciler.source.policy import SETTING
from reconciler.source.repository import Library
from reconciler.source.signatures import Signatures


def guarded(library: Library, files: tuple[str, ...]) -> tuple[Guarded, ...]:
    """Return what a pull request that changes these files is to be told."""
    return tuple(Guarded(rule=n, paths=r.paths, files=own) for n, r, own in library.guarded(files))


def signatures_of(settings: Settings, repository: Repository) -> Signatures | None:
    """Return what judges commits, or None where nothing is asked for.

    Raises: SettingsError for keys that lie in the repository; SourceError for what is missing.
    """
    if not settings.verify_signatures:
        return None
    url, protocol = checked_url(settings.repo)
    files = [f for rule in settings.verify_signatures for f in rule.files]
    inside = [f for f in files if protocol == "file" and f.resolve().is_relative_to(url)]
    if inside:
        why = "a change of the repository could change it; keep it elsewhere"
        raise SettingsError(f"{SETTING}: {inside[0]} lies in the repository that it guards; {why}")
    found = Signatures(
        repository=repository, rules=settings.verify_signatures, cache=settings.cache, path=settings.path
    )
    found.check()
    return found
