"""`reconciler pr N`: prints the comment of one pull request, without asking the git host for anything."""

from dataclasses import replace

from reconciler.cli.options import err, out
from reconciler.daemon.pull_plans import PullPlans, ours
from reconciler.daemon.session import ChoiceError, open_library, redactor_of
from reconciler.daemon.settings import Settings
from reconciler.daemon.signing import guarded
from reconciler.gateway.gate import program_version
from reconciler.plan.pulls import Verdict
from reconciler.plan.released import released
from reconciler.report.pull import Planned, Stamp, Told, conflict, invalid, planned
from reconciler.source.git import Conflict
from reconciler.source.repository import Adopted, Library


def pull(settings: Settings, number: int) -> int:
    """Print the comment for the merge of a pull request's head and its base. Return the exit code.

    Raises: ChoiceError where the repository has no such head; SourceError.
    """
    library = open_library(settings)
    told = _told(settings, library, number)
    out(told.body or f"{told.title}\n")
    err(f"status: {told.verdict}: {told.title}")
    return 1 if told.verdict is Verdict.ERROR else 0


def _told(settings: Settings, library: Library, number: int) -> Told:
    repository = library.repository
    refs = repository.refs(f"refs/pull/{number}/head", f"refs/merge-requests/{number}/head")
    if not refs:
        raise ChoiceError(f"the repository has no head of a pull request {number}")
    ref, head = next(iter(refs.items()))
    base = repository.head(settings.ref)
    repository.fetch(base, settings.ref)
    repository.bring({ref: f"refs/reconciler/pull/{number}"})
    adopted = library.adopt(base)
    if not isinstance(adopted, Adopted):
        raise ChoiceError(f"the base {base[:12]} does not validate; mend it first")
    stamp = Stamp(head=head, base=base, tree="", engine=program_version())
    merged = repository.merged(base, head)
    if isinstance(merged, Conflict):
        return conflict(merged.files, stamp)
    result = library.propose(merged)
    if not isinstance(result, Adopted):
        return invalid(result, stamp)
    plans = PullPlans(library=library, redactor=redactor_of(settings))
    try:
        found = plans.plan(adopted, result, (), settings.target)
    finally:
        plans.close()
    files = ours(library, adopted, result)
    return planned(
        Planned(
            stamp=replace(stamp, tree=merged),
            found=found,
            files=files,
            released=released(adopted.desired, result.desired),
            guarded=guarded(library, files),
        )
    )
