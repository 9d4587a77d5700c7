"""Follows one repository: which commit is in force, and why not the newest."""

from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.report.event import Event
from reconciler.report.events import CommitAdopted, CommitRejected, CommitStale, HistoryRewritten
from reconciler.source.repository import Adopted, Library
from reconciler.source.signatures import Unsigned


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the repository stands, as far as it was followed."""

    newest: Commit | None = None  # what the ref named last, good or not
    adopted: Adopted | None = None  # what is in force
    policy: str = ""  # what stands for the keys that it was judged by
    problems: tuple[Problem, ...] = ()  # of the newest, where it is not in force
    left: tuple[Commit, ...] = ()  # commits that were in force before history was rewritten


UNKNOWN: Final = Standing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """Looks at a repository. Holds nothing: the standing is handed in and returned."""

    library: Library
    ref: str | None

    def look(self, before: Standing) -> tuple[Standing, tuple[Event, ...]]:
        """Return the standing now, and what is to be told of how it changed.

        The newest commit is in force if it validates and is signed as it must be. Else the newest
        first-parent ancestor of it that does, of at most 100, unless that would leave what is in force
        now: a restarted process comes to the same. Raises: SourceError.
        """
        repository = self.library.repository
        newest = repository.head(self.ref)
        policy = self.library.policy()
        if (newest, policy) == (before.newest, before.policy):
            return before, ()
        before = replace(before, newest=newest, policy=policy)
        repository.fetch(newest, self.ref)
        found = self.library.adopt(newest)
        if isinstance(found, Adopted):
            return self._adopt(replace(before, problems=()), found, ())
        told: tuple[Event, ...] = tuple(
            CommitRejected(
                commit=newest,
                at=str(p.at),
                what=p.what,
                why=p.why,
                fix=p.fix,
                number=n,
                problems=len(found),
                unsigned=p.by if isinstance(p, Unsigned) else "",
            )
            for n, p in enumerate(found, 1)
        )
        stands = replace(before, problems=found)
        good = self.library.last_good(newest)
        if good and (before.adopted is None or self._is_before(before.adopted.commit, good.commit)):
            stands, more = self._adopt(stands, good, told)
        else:
            more = told
        force = stands.adopted.commit if stands.adopted else ""
        return stands, (*more, CommitStale(commit=force, newest=newest))

    def _adopt(
        self, stands: Standing, found: Adopted, told: tuple[Event, ...]
    ) -> tuple[Standing, tuple[Event, ...]]:
        old = stands.adopted
        if old is not None and old.commit == found.commit:
            return stands, told
        left = stands.left
        if old is not None and not self._is_before(old.commit, found.commit):
            left = (*left, old.commit)
            told = (*told, HistoryRewritten(commit=found.commit, before=old.commit))
        desired = found.desired
        adopted = CommitAdopted(
            commit=found.commit,
            before=old.commit if old else "",
            targets=len(desired.targets),
            fleets=len(desired.fleet_names),
            images=len(desired.images),
            zones=len(desired.zones),
            records=sum(len(z.spec.records) for z in desired.zones),
        )
        return replace(stands, adopted=found, left=left), (*told, adopted)

    def _is_before(self, old: Commit, new: Commit) -> bool:
        return old in self.library.repository.ancestors(new, (old,))
