"""The desk for pull requests: polls heads, plans what is new, keeps one comment and one status each.

Nothing is remembered that can't be found again. A call that the host does not take is made with the
next look.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import count
from time import monotonic
from typing import Final

from reconciler.core.digest import sha
from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.daemon.pull_checks import Checks
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.pull_plans import PullPlans, ours
from reconciler.daemon.pull_rests import Rests, Subject
from reconciler.daemon.signing import guarded
from reconciler.hosts.commands import commands_of
from reconciler.hosts.model import Host, Note, Pull, State, Status
from reconciler.plan.model import Item, TargetPlan
from reconciler.plan.pulls import Risk, Verdict
from reconciler.plan.released import released
from reconciler.report.pull import Planned, Stamp, Told, conflict, invalid, not_planned, planned
from reconciler.source.git import Conflict, SourceError
from reconciler.source.repository import Adopted, Library

RENEW: Final = timedelta(minutes=5)  # a plan is renewed for a change of the live world no more often
LIST: Final = timedelta(seconds=60)  # the list is asked for now and then, even if no head moved
QUEUE: Final = "refs/heads/gh-readonly-queue/"
LABEL: Final = "reconciler-plan"
MOST: Final = 20  # plans, and refusals, in one look: the next one takes the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a plan of a pull request is valid for."""

    head: str
    base: str
    live: str
    draft: bool
    approved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What reviewers saw last of a pull request."""

    tree: str = ""  # the merge result that was planned; empty: that is not known
    items: tuple[Item, ...] = ()  # what its plan said of every document


@dataclass(slots=True)
class Held:
    """What is known of one open pull request."""

    pull: Pull
    key: Key | None = None
    planned_at: float = float("-inf")
    turn: int = 0  # of the last look at it: who waited longest is next
    touches: frozenset[str] = frozenset()  # documents that it changes
    status: tuple[str, Status] | None = None
    approved: tuple[str, ...] | None = None  # None: not asked yet
    shown: Shown = Shown()
    problems: tuple[Problem, ...] | None = None  # of it; None: it was not read


@dataclass(slots=True, kw_only=True)
class Desk:
    """Open pull requests of one repository on one host. One look at a time."""

    host: Host
    library: Library
    plans: PullPlans
    notes: Notes
    rests: Rests
    engine: str
    only: tuple[str, ...] = ()
    label: str = LABEL
    now: Callable[[], float] = monotonic
    held: dict[int, Held] = field(default_factory=dict)
    closed: dict[int, Shown] = field(default_factory=dict)
    checks: Checks = field(init=False)
    _heads: dict[str, Commit] = field(default_factory=dict)
    _queue: dict[str, Commit] = field(default_factory=dict)
    _judged: set[str] = field(default_factory=set)
    _listed: float = float("-inf")
    _base: Commit | None = None
    _turns: Iterator[int] = field(default_factory=partial(count, 1))

    def __post_init__(self) -> None:
        """Know where errors are shown."""
        self.checks = Checks(host=self.host, path=self.library.path)

    def look(self, base: Adopted, branch: str, live: str) -> Iterator[tuple[Pull, Told]]:
        """Look once; yield every pull request that was planned, once it was told.

        `live` stands for the live world: another value renews plans. What the host refuses of one pull
        request rests; the others go on. Raises: SourceError, HostError, HostBusyError, where the host or
        the repository as a whole can't be asked; what was not done by then is done by the next look.
        """
        self._list(branch, base.commit)
        left = MOST
        for one in sorted(self.held.values(), key=lambda h: (h.turn, h.pull.number)):
            subject = Subject(part="plan", pull=one.pull.number)
            if left == 0 or self.rests.resting(subject):
                continue
            one.turn = next(self._turns)
            told = self.rests.attempt(subject, partial(self._tend, one, base, live))
            left -= told is not None or self.rests.resting(subject)
            self._show(one)
            if told:
                yield one.pull, told
        for ref, commit in sorted(self._queue.items()):
            subject = Subject(part="queue", of=commit)
            if commit not in self._judged and not self.rests.resting(subject):
                self.rests.attempt(subject, partial(self._judge, ref, commit, base))

    def _list(self, branch: str, base: Commit) -> None:
        """Ask the host for its list where a head or the base moved, or now and then.

        A merge moves the base alone: the plan of what was merged must stay as it was told before.
        """
        pattern = self.host.head_ref(0).replace("/0/", "/*/")
        refs = self.library.repository.refs(pattern, f"{QUEUE}{branch}/*")
        heads = {k: v for k, v in refs.items() if not k.startswith(QUEUE)}
        self._queue = {k: v for k, v in refs.items() if k.startswith(QUEUE)}
        same = heads == self._heads and base == self._base
        if same and self.now() - self._listed < LIST.total_seconds():
            return
        found = {p.number: p for p in self.host.pulls() if p.base_ref == branch}
        self._heads, self._base, self._listed = heads, base, self.now()
        for number in [n for n in self.held if n not in found]:
            self.closed[number] = self.held.pop(number).shown
        for number, pull in found.items():
            head = heads.get(self.host.head_ref(number), pull.head)
            known = self.held.setdefault(number, Held(pull=pull))
            if known.pull.head != head:
                self.rests.forget(Subject(part="plan", pull=number))
            known.pull = replace(pull, head=head)

    def _tend(self, one: Held, base: Adopted, live: str) -> Told | None:
        """Plan one pull request, if its plan is not valid any more, tell it, and return what was told."""
        pull = one.pull
        if pull.fork and not self._trusted(pull):
            say = f"a fork: label {self.label}:{pull.head[:12]} has it planned"
            self._set(one, Status(state=State.PENDING, description=say))
            return None
        if one.approved is None:
            one.approved = self._approved(pull.number, self.notes.load(pull.number))
        key = Key(head=pull.head, base=base.commit, live=live, draft=pull.draft, approved=one.approved)
        if one.key is not None and replace(one.key, live=live) == key:
            soon = self.now() - one.planned_at < RENEW.total_seconds()
            if one.key.live == live or soon:
                return None
        told = self._told(one, base, key)
        self.notes.plan(pull.number, told, f"{key.head}:{key.base}")
        self._set(one, Status(state=State(told.verdict.value), description=told.title))
        self.notes.tidy(pull.number)
        one.key, one.planned_at = key, self.now()
        return told

    def _show(self, one: Held) -> None:
        """Show what is wrong at its lines: beside the comment, which is there whatever comes of this."""
        subject = Subject(part="check", pull=one.pull.number)
        if one.problems is not None and not self.rests.resting(subject):
            show = partial(self.checks.show, one.pull.number, one.pull.head, one.problems)
            self.rests.attempt(subject, show)

    def _trusted(self, pull: Pull) -> bool:
        """A fork is planned for a label that names this head, set by somebody who may push."""
        name = f"{self.label}:{pull.head[:12]}"
        author = self.host.labelled_by(pull.number, name) if name in pull.labels else None
        return author is not None and self.host.may_write(author)

    def _approved(self, number: int, notes: tuple[Note, ...]) -> tuple[str, ...]:
        """Return the digests approved by people who may push now, in comments that nobody edited."""
        found = {
            c.word
            for c in commands_of(notes, self.host.me())
            if c.verb == "approve" and c.note.pull == number and self.host.may_write(c.note.author)
        }
        return tuple(sorted(found))

    def _told(self, one: Held, base: Adopted, key: Key) -> Told:
        repository, pull = self.library.repository, one.pull
        stamp = Stamp(head=pull.head, base=base.commit, tree="", engine=self.engine)
        one.problems = None
        try:
            if not repository.has(pull.head):
                ref = self.host.head_ref(pull.number)
                repository.bring({ref: f"refs/reconciler/pull/{pull.number}"})
            merged = repository.merged(base.commit, pull.head)
            if isinstance(merged, Conflict):
                return conflict(merged.files, stamp)
            one.shown = Shown(tree=merged)
            return self._planned(one, base, replace(stamp, tree=merged), key)
        except SourceError as error:
            return not_planned(str(error), stamp)

    def _planned(self, one: Held, base: Adopted, stamp: Stamp, key: Key) -> Told:
        merged = Commit(stamp.tree)
        adopted = self.library.propose(merged)
        one.problems = () if isinstance(adopted, Adopted) else adopted
        if not isinstance(adopted, Adopted):
            return invalid(adopted, stamp)
        files = ours(self.library, base, adopted)
        if not files:
            verdict = Verdict.PENDING if key.draft else Verdict.SUCCESS
            return Told(verdict=verdict, risk=Risk.NONE, title="no fleet files changed", body="")
        found = self.plans.plan(base, adopted, key.approved, self.only)
        one.shown = Shown(tree=stamp.tree, items=tuple(i for c in found for i in c.merged.items))
        one.touches = frozenset(f"{i.kind} {i.name}" for c in found for i in c.caused)
        return planned(
            Planned(
                stamp=stamp,
                found=found,
                files=files,
                draft=key.draft,
                overlaps=self._overlaps(one),
                released=released(base.desired, adopted.desired),
                guarded=guarded(self.library, files),
            )
        )

    def _overlaps(self, one: Held) -> tuple[tuple[int, tuple[str, ...]], ...]:
        others = ((n, tuple(sorted(h.touches & one.touches))) for n, h in sorted(self.held.items()))
        return tuple((n, names) for n, names in others if names and n != one.pull.number)

    def _set(self, one: Held, status: Status) -> None:
        if one.status != (one.pull.head, status):
            self.host.set_status(one.pull.head, status)
            one.status = (one.pull.head, status)

    def _judge(self, ref: str, commit: Commit, base: Adopted) -> None:
        """Tell the status of a tree that a merge queue proposes: a required check is asked for there too."""
        repository = self.library.repository
        if not repository.has(commit):
            repository.bring({ref: f"refs/reconciler/queue/{commit[:12]}"})
        adopted = self.library.propose(commit)
        stamp = Stamp(head=commit, base=base.commit, tree=commit, engine=self.engine)
        if isinstance(adopted, Adopted):
            found = self.plans.plan(base, adopted, (), self.only)
            told = planned(Planned(stamp=stamp, found=found, files=ours(self.library, base, adopted)))
        else:
            told = invalid(adopted, stamp)
        self.host.set_status(commit, Status(state=State(told.verdict.value), description=told.title))
        self._judged.add(commit)

    def shown_of(self, number: int) -> Shown:
        """Return what was planned last, whether the pull request is still open or not."""
        held = self.held.get(number)
        return held.shown if held else self.closed.pop(number, Shown())

    def approvals(self, commit: str) -> tuple[str, ...]:
        """Return the digests approved on the pull requests whose merge made a commit.

        Read from the host's own record each time. Raises: HostError, HostBusyError.
        """
        found: set[str] = set()
        for pull in self.host.pulls_of(Commit(commit)):
            if pull.merged == commit:
                found |= set(self._approved(pull.number, self.host.notes(pull.number)))
        return tuple(sorted(found))


def fingerprint(plans: Mapping[str, TargetPlan]) -> str:
    """Return what stands for the live world of all targets: digests and drift of their last plans."""
    rows = [
        [name, plan.digest, plan.complete, [[d.resource, d.field, d.live] for d in plan.drift]]
        for name, plan in sorted(plans.items())
    ]
    return sha(rows, 16)
