"""After the merge: one comment that says how it goes, and at last how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from reconciler.core.ids import Commit, TargetName
from reconciler.daemon.desk import Desk
from reconciler.daemon.pull_rests import Subject
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.plan.touched import Touched, touched
from reconciler.report.ended import OPEN, Ended, ended
from reconciler.source.repository import Adopted, Library

MOST: Final = 20  # merges that one step of the repository may bring and be told of
LONGEST: Final = timedelta(hours=48)  # after which a merge is not followed any more
LATE: Final = "not done two days after the merge; it is not followed any more"


@dataclass(slots=True)
class Ending:
    """One merged pull request that is followed."""

    number: int
    commit: Commit
    rows: dict[Touched, Ended]
    since: datetime
    as_planned: bool  # the tree is the one that was planned, and so far live did what that plan said
    planned: Mapping[Touched, Item] = field(default_factory=dict)  # what reviewers saw
    began: dict[str, datetime] = field(default_factory=dict)  # of a target: its first plan, by AWS's clock


@dataclass(slots=True, kw_only=True)
class Endings:
    """Follows merged pull requests by the plans of the commit in force.

    `log` returns the last log lines about a document, without secrets.
    """

    desk: Desk
    library: Library
    log: Callable[[str, str, str], tuple[str, ...]] = lambda _kind, _name, _target: ()
    _open: list[Ending] = field(default_factory=list)
    _unasked: dict[Commit, datetime] = field(default_factory=dict)  # merges whose pull requests are not known

    def merged(self, before: Commit | None, now: Adopted, at: datetime) -> None:
        """Take note of what came between two commits in force. Raises: SourceError."""
        line = self.library.repository.first_parents(now.commit, MOST)
        new = line[: line.index(before)] if before in line else line[:1]
        self._unasked |= dict.fromkeys(new, at)

    def _find(self, now: datetime) -> None:
        """Begin to follow the pull requests of merges. A commit that the host does not know yet rests."""
        for commit, at in tuple(self._unasked.items()):
            subject = Subject(part="merge", of=commit)
            if now - at > LONGEST:
                del self._unasked[commit]
            elif not self.desk.rests.resting(subject):
                self.desk.rests.attempt(subject, partial(self._ask, commit, at))

    def _ask(self, commit: Commit, at: datetime) -> None:
        for pull in self.desk.host.pulls_of(commit):
            if pull.merged == commit:
                self._follow(pull.number, commit, at)
        del self._unasked[commit]

    def _follow(self, number: int, commit: Commit, at: datetime) -> None:
        adopted = self.library.propose(commit)
        if not isinstance(adopted, Adopted) or adopted.parent is None:
            return
        keys = touched(adopted.parent, adopted.desired)
        rows = {key: Ended(item=_item(key), result="going on") for key in keys}
        if not rows or any(e.number == number for e in self._open):
            return
        shown = self.desk.shown_of(number)
        self._open.append(
            Ending(
                number=number,
                commit=commit,
                rows=rows,
                since=at,
                as_planned=self._same(shown.tree, commit),
                planned={(i.kind, i.name, i.target): i for i in shown.items},
            )
        )

    def _same(self, planned: str, commit: Commit) -> bool:
        """Is the tree that was merged the one that was planned: by its content, squashed or not."""
        repository, path = self.library.repository, self.library.path
        if not planned or not repository.has(planned):
            return False
        return repository.tree_id(Commit(planned), path) == repository.tree_id(commit, path)

    def look(self, plans: Mapping[str, TargetPlan], now: datetime) -> int:
        """Tell how every followed merge stands, by plans of the commit in force; return how many go on.

        Raises: HostBusyError.
        """
        self._find(now)
        for one in tuple(self._open):
            for key, row in one.rows.items():
                plan = plans.get(key[2])
                if row.result in OPEN and plan is not None:
                    one.as_planned = one.as_planned and as_shown(one.planned.get(key), key, plan)
                    spent = plan.as_of - one.began.setdefault(key[2], plan.as_of)
                    new = judged(row, key, plan)
                    one.rows[key] = replace(new, at=new.at and one.since + spent)
            late = now - one.since > LONGEST
            over = late or all(r.result not in OPEN for r in one.rows.values())
            subject = Subject(part="end", pull=one.number)
            if not self.desk.rests.resting(subject):
                self.desk.rests.attempt(subject, partial(self._tell, one, over=over, late=late))
            if late or (over and not self.desk.rests.resting(subject)):
                self._open.remove(one)
        return len(self._open)

    def _tell(self, one: Ending, *, over: bool, late: bool) -> None:
        rows = tuple(self._last(one.rows[k], late=late) for k in sorted(one.rows))
        told = ended(one.commit, rows, as_planned=one.as_planned, since=one.since)
        self.desk.notes.end(one.number, told, over=over)

    def _last(self, row: Ended, *, late: bool) -> Ended:
        """Return a row as it is told: with its log where it went wrong, and not as open for ever."""
        if late and row.result in OPEN:
            row = replace(row, result="blocked", why=row.why or LATE)
        if row.result in ("done", *OPEN):
            return row
        return replace(row, log=self.log(row.item.kind, row.item.name, row.item.target))


def judged(row: Ended, key: Touched, plan: TargetPlan) -> Ended:
    """Return how one document stands by the last plan of its target.

    What is blocked is held, not ended: freezes pass, and people mend what stands in the way. What could not
    be read tells nothing new.
    """
    found = next((i for i in plan.items if (i.kind, i.name) == key[:2]), None)
    if found is None:
        return replace(row, result="done", at=plan.as_of, why="") if plan.complete else row
    if found.action is ActionKind.UNREAD:
        return row
    row = replace(row, item=_clearer(row.item, found), result="going on", why="")
    if found.blocked is not None and not found.now:
        if found.blocked.code == "failed":
            return replace(row, result="rolled back", at=plan.as_of, why=found.blocked.why)
        return replace(row, result="held", why=found.blocked.why)
    if found.action is ActionKind.NONE and found.wait is None and not found.now:
        return replace(row, result="done", at=plan.as_of)
    return row


def as_shown(planned: Item | None, key: Touched, plan: TargetPlan) -> bool:
    """Does a plan after the merge go from and to where reviewers were shown: live had not moved on.

    What is held or could not be read says nothing against it, and what is there already came from there.
    """
    found = next((i for i in plan.items if (i.kind, i.name) == key[:2]), None)
    if planned is None or planned.action is ActionKind.UNREAD:
        return False
    if found is None or found.action in (ActionKind.UNREAD, ActionKind.BLOCKED):
        return True
    return found.to == planned.to and found.was in (planned.was, planned.to)


def _clearer(old: Item, new: Item) -> Item:
    """Keep from what to what it went: once it is there, the plan does not say so any more."""
    return replace(new, was=new.was if new.was != new.to else old.was)


def _item(key: Touched) -> Item:
    kind, name, target = key
    return Item(kind=kind, name=name, target=TargetName(target), action=ActionKind.NONE)
