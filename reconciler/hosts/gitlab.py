"""GitLab: merge requests, plain notes, commit statuses."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from reconciler.core.ids import Commit
from reconciler.hosts.http import PAGE, Api, understood
from reconciler.hosts.model import (
    CONTEXT,
    DESCRIPTION,
    Annotation,
    Author,
    HostError,
    MissingError,
    Note,
    Pull,
    State,
    Status,
    folded,
)

API: Final = "https://gitlab.com/api/v4"
DEVELOPER: Final = 30  # access level from which an account may push
SETTLED: Final = 60  # seconds after which what was read of a merge request holds until its `updated_at` moves
BOT: Final = re.compile(r"(project|group)_\d+_bot(_|\d|$)")  # users of access tokens: notes don't say it
STATES: Final = {
    State.SUCCESS: "success",
    State.FAILURE: "failed",
    State.PENDING: "pending",
    State.ERROR: "failed",  # GitLab knows no error; the description says that something was not read
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The notes of a merge request, as they were when it had changed last."""

    updated: str  # its `updated_at`, which a note moves
    since: float  # when they were read first at that time
    notes: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class GitLab:
    """One project on GitLab. `token` gives the token to use now."""

    repository: str  # group/name
    token: Callable[[], str]
    base: str = API
    transport: httpx.BaseTransport | None = None
    api: Api = field(init=False)
    _me: Author | None = None
    _readings: dict[int, Reading] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Open the API."""
        self.base = self.base.rstrip("/")
        self.api = Api(self.base, self._headers, self.transport)

    def close(self) -> None:
        """Let go of the connections."""
        self.api.close()

    def _headers(self) -> Mapping[str, str]:
        return {"PRIVATE-TOKEN": self.token()}

    def _at(self, path: str) -> str:
        return f"projects/{quote(self.repository, safe='')}/{path}"

    def me(self) -> Author:
        """Return who we are. Source: GET /user."""
        if self._me is None:
            with understood("our account"):
                self._me = to_author(self.api.get("user"))
        return self._me

    def pulls(self) -> tuple[Pull, ...]:
        """Return every open merge request. Source: GET /projects/:id/merge_requests, 100 a page."""
        raws = self.api.pages(
            self._at("merge_requests"), state="opened", order_by="updated_at", sort="desc", per_page=PAGE
        )
        return _pulls(raws)

    def pulls_of(self, commit: Commit) -> tuple[Pull, ...]:
        """Return merge requests of a commit.

        Source: GET /projects/:id/repository/commits/:sha/merge_requests.
        """
        raws = self.api.pages(self._at(f"repository/commits/{commit}/merge_requests"), per_page=PAGE)
        return _pulls(raws)

    def notes(self, number: int) -> tuple[Note, ...]:
        """Return a merge request's notes. Source: GET /projects/:id/merge_requests/:iid/notes."""
        with understood("notes"):
            return tuple(to_note(r, number) for r in self._notes(number))

    def _notes(self, number: int) -> list[dict[str, Any]]:
        raws = self.api.pages(
            self._at(f"merge_requests/{number}/notes"), sort="asc", order_by="created_at", per_page=PAGE
        )
        return [r for r in raws if not r.get("system")]

    def notes_since(self, since: datetime) -> tuple[Note, ...]:
        """Return notes since, of the merge requests that changed since: GitLab has no list of all notes.

        Those of one that did not change since its last reading are not asked for again: GitLab counts each
        request, whatever the answer.
        """
        text = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raws = self.api.pages(self._at("merge_requests"), updated_after=text, per_page=PAGE)
        with understood("notes"):
            changed = {int(r["iid"]): str(r["updated_at"]) for r in raws}
            self._readings = {n: self._reading(n, at) for n, at in changed.items()}
            found = [(r, n) for n, reading in self._readings.items() for r in reading.notes]
            new = [(r, n) for r, n in found if datetime.fromisoformat(r["updated_at"]) >= since]
            new.sort(key=lambda x: (x[0]["updated_at"], x[0]["id"]))
            return tuple(to_note(r, n) for r, n in new)

    def _reading(self, number: int, updated: str) -> Reading:
        known, now = self._readings.get(number), self.api.now()
        if known is None or known.updated != updated:
            return Reading(updated, now, tuple(self._notes(number)))
        if now - known.since >= SETTLED:
            return known
        # A second note within the same moment would move nothing.
        return Reading(updated, known.since, tuple(self._notes(number)))

    def add_note(self, number: int, body: str) -> Note:
        """Write a plain note: a thread would block "all threads resolved".

        Source: POST /projects/:id/merge_requests/:iid/notes.
        """
        raw = self.api.send("POST", self._at(f"merge_requests/{number}/notes"), {"body": body})
        with understood("our note"):
            return to_note(raw, number)

    def edit_note(self, note: Note, body: str) -> None:
        """Write a note anew. Source: PUT /projects/:id/merge_requests/:iid/notes/:note_id."""
        self.api.send("PUT", self._at(f"merge_requests/{note.pull}/notes/{note.id}"), {"body": body})

    def hide_note(self, note: Note) -> None:
        """Fold a note away: GitLab can't mark one as outdated."""
        self.edit_note(note, folded(note))

    def acknowledge(self, note: Note, *, done: bool) -> None:
        """Award an emoji to what was not taken. Source: POST .../notes/:note_id/award_emoji.

        An emoji moves the note's `updated_at`, so that it would count as edited, and an approval as void:
        what was taken is told by its effect alone.
        """
        if not done:
            path = self._at(f"merge_requests/{note.pull}/notes/{note.id}/award_emoji")
            self.api.send("POST", path, {"name": "confused"})

    def set_status(self, commit: Commit, status: Status) -> None:
        """Set the status. Source: GET .../repository/commits/:sha; POST /projects/:id/statuses/:sha.

        It goes into the newest pipeline of the commit, since GitLab picks any if there are several.
        GitLab refuses to set a state that a status has already; that is as good as done.
        """
        state = STATES[status.state]
        body: dict[str, Any] = {
            "state": state,
            "name": CONTEXT,
            "description": status.description[:DESCRIPTION],
        }
        if status.url:
            body["target_url"] = status.url
        with understood("a commit"):
            said = self.api.get(self._at(f"repository/commits/{commit}"))
            if pipeline := said.get("last_pipeline"):
                body["pipeline_id"] = int(pipeline["id"])
        try:
            self.api.send("POST", self._at(f"statuses/{commit}"), body)
        except HostError as error:
            if not _needless(str(error), state):
                raise

    def annotate(self, commit: Commit, found: Sequence[Annotation]) -> None:
        """Show nothing: GitLab takes errors at lines from files of its own jobs alone."""

    def may_write(self, author: Author) -> bool:
        """Ask for an access level. Source: GET /projects/:id/members/all/:user_id."""
        if author.bot or not author.id:
            return False
        try:
            said = self.api.get(self._at(f"members/all/{author.id}"))
        except MissingError:
            return False
        with understood("a member"):
            return said["state"] == "active" and int(said["access_level"]) >= DEVELOPER

    def labelled_by(self, number: int, label: str) -> Author | None:
        """Return who set a label. Source: GET /projects/:id/merge_requests/:iid/resource_label_events."""
        found: Author | None = None
        raws = self.api.pages(self._at(f"merge_requests/{number}/resource_label_events"), per_page=PAGE)
        with understood("labels"):
            for raw in raws:
                if (raw.get("label") or {}).get("name") == label:
                    found = to_author(raw.get("user")) if raw.get("action") == "add" else None
        return found

    def head_ref(self, number: int) -> str:
        """Heads stand in the target project, those of forks too."""
        return f"refs/merge-requests/{number}/head"


def to_author(raw: Mapping[str, Any] | None) -> Author:
    """Return an account; one that was deleted is nobody."""
    if not raw:
        return Author(id=0, login="")
    login = str(raw["username"])
    return Author(id=int(raw["id"]), login=login, bot=bool(raw.get("bot") or BOT.match(login)))


def _pulls(raws: Iterable[Mapping[str, Any]]) -> tuple[Pull, ...]:
    """Return merge requests; one that was opened a moment ago has no head yet."""
    with understood("merge requests"):
        return tuple(to_pull(r) for r in raws if r["sha"])


def _needless(refusal: str, state: str) -> bool:
    """Tell a status that is as asked already, or can't be shown: a fork's head is on no branch here."""
    same = "Cannot transition status" in refusal and f"from :{state}" in refusal
    return same or "References for commit" in refusal


def to_pull(raw: Mapping[str, Any]) -> Pull:
    """Return a merge request."""
    merged = (
        (raw.get("merge_commit_sha") or raw.get("squash_commit_sha") or raw.get("sha"))
        if (raw.get("state") == "merged")
        else None
    )
    return Pull(
        number=int(raw["iid"]),
        head=Commit(raw["sha"]),
        base_ref=raw["target_branch"],
        author=to_author(raw.get("author")),
        fork=raw.get("source_project_id") != raw.get("target_project_id"),
        draft=bool(raw.get("draft")),
        labels=tuple(sorted(raw.get("labels", []))),
        merged=Commit(merged) if merged else None,
    )


def to_note(raw: Mapping[str, Any], number: int) -> Note:
    """Return a note."""
    return Note(
        id=int(raw["id"]),
        pull=number,
        author=to_author(raw.get("author")),
        body=raw.get("body") or "",
        created=datetime.fromisoformat(raw["created_at"]),
        edited=raw["created_at"] != raw["updated_at"],
    )
