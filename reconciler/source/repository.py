"""What a commit asks for, and which commits are good."""

from dataclasses import dataclass, field

from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.source.git import Repository, SourceError, source_id
from reconciler.source.load import Documents, load
from reconciler.source.policy import Rule
from reconciler.source.signatures import Signatures
from reconciler.spec.desired import Desired

MOST_BACK = 100  # first-parent ancestors that are looked at for a good one
MOST_TREES = 8  # desired states that are kept: the one in force, its parent, and what zones' tags name


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A commit that is good, with what it and its first parent ask for."""

    commit: Commit
    desired: Desired
    parent: Desired | None  # None: no parent, or one that does not validate
    source: str


@dataclass(slots=True)
class Library:
    """Commits by what they ask for; equal trees, and files that a commit left as they were, are read once."""

    repository: Repository
    path: str = ""
    trees: dict[str, Desired | tuple[Problem, ...]] = field(default_factory=dict)  # what was used last, last
    documents: Documents = field(default_factory=Documents)
    signatures: Signatures | None = None
    _ids: dict[Commit, str] = field(default_factory=dict)  # of trees

    def at(self, commit: Commit) -> Desired | tuple[Problem, ...]:
        """Return what a commit asks for, or what is wrong with it. Raises: SourceError."""
        key = self._ids.get(commit) or self.repository.tree_id(commit, self.path)
        self._ids[commit] = key
        found = self.trees.pop(key, None)
        if found is None:
            found = load(self.repository.tree(commit, self.path), self.documents)
        self.trees[key] = found
        for old in list(self.trees)[:-MOST_TREES]:
            self.trees.pop(old, None)
        return found

    def declared(self, commit: str) -> Desired | None:
        """Return what a commit found in AWS asked for; None if it can't be read."""
        try:
            found = self.at(Commit(commit))
        except SourceError:
            return None
        return found if isinstance(found, Desired) else None

    def adopt(self, commit: Commit) -> Adopted | tuple[Problem, ...]:
        """Return a commit as it is to be applied, or its problems: invalid, or not signed as it must be.

        Raises: SourceError.
        """
        found = self.propose(commit)
        unsigned = self.signatures.problems(commit) if self.signatures else ()
        if not unsigned:
            return found
        return (*found, *unsigned) if isinstance(found, tuple) else unsigned

    def policy(self) -> str:
        """Return what stands for the keys that count now: with others a commit is judged anew.

        Raises: SourceError where they can't be read.
        """
        return self.signatures.fingerprint() if self.signatures else ""

    def guarded(self, files: tuple[str, ...]) -> tuple[tuple[int, Rule, tuple[str, ...]], ...]:
        """Return the rules that ask for a signature on these files: number, rule, files."""
        return self.signatures.guarded(files) if self.signatures else ()

    def propose(self, commit: Commit) -> Adopted | tuple[Problem, ...]:
        """Return a commit as it would be applied, or what is invalid; whoever signed it, or nobody.

        Raises: SourceError.
        """
        desired = self.at(commit)
        if not isinstance(desired, Desired):
            return desired
        line = self.repository.first_parents(commit, 2)
        parent = self.declared(line[1]) if len(line) > 1 else None
        source = source_id(self.repository.root(commit), self.path)
        return Adopted(commit=commit, desired=desired, parent=parent, source=source)

    def last_good(self, commit: Commit) -> Adopted | None:
        """Return the newest first-parent ancestor, of at most 100, that validates. Raises: SourceError."""
        for one in self.repository.first_parents(commit, MOST_BACK):
            found = self.adopt(one)
            if isinstance(found, Adopted):
                return found
        return None
