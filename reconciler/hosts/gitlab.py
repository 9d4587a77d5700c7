"""GitLab: merge requests, plain notes, commit statuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from reconciler.core.ids import Commit
from reconciler.hosts.http import Api
from reconciler.hosts.model import CONTEXT, DESCRIPTION, Author, HostError, Note, Pull, State, Status

PAGE: Final = 100
API: Final = "https://gitlab.com/api/v4"
DEVELOPER: Final = 30  # access level from which an account may push
STATES: Final = {
    State.SUCCESS: "success",
    State.FAILURE: "failed",
    State.PENDING: "pending",
    State.ERROR: "failed",  # GitLab knows no error; the description says that something was not read
}


@dataclass(slots=True)
class GitLab:
    """One project on GitLab. `token` gives the token to use now."""

    repository: str  # group/name
    token: Callable[[], str]
    base: str = API
    transport: httpx.BaseTransport | None = None
    api: Api = field(init=False)
    _me: Author | None = None

    def __post_init__(self) -> None:
        """Open the API."""
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
            self._me = to_author(self.api.get("user"))
        return self._me

    def pulls(self) -> tuple[Pull, ...]:
        """Return every open merge request. Source: GET /projects/:id/merge_requests, 100 a page."""
        raws = self.api.pages(
            self._at("merge_requests"), state="opened", order_by="updated_at", sort="desc", per_page=PAGE
        )
        return tuple(map(to_pull, raws))

    def pulls_of(self, commit: Commit) -> tuple[Pull, ...]:
        """Return merge requests of a commit.

        Source: GET /projects/:id/repository/commits/:sha/merge_requests.
        """
        raws = self.api.pages(self._at(f"repository/commits/{commit}/merge_requests"), per_page=PAGE)
        return tuple(map(to_pull, raws))

    def notes(self, number: int) -> tuple[Note, ...]:
        """Return a merge request's notes. Source: GET /projects/:id/merge_requests/:iid/notes."""
        raws = self.api.pages(
            self._at(f"merge_requests/{number}/notes"), sort="asc", order_by="created_at", per_page=PAGE
        )
        return tuple(to_note(r, number) for r in raws if not r.get("system"))

    def notes_since(self, since: datetime) -> tuple[Note, ...]:
        """Return notes since, of the merge requests that changed since: GitLab has no list of all notes."""
        text = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raws = self.api.pages(self._at("merge_requests"), updated_after=text, per_page=PAGE)
        found = [n for r in raws for n in self.notes(int(r["iid"])) if n.created >= since]
        return tuple(sorted(found, key=lambda n: (n.created, n.id)))

    def add_note(self, number: int, body: str) -> Note:
        """Write a plain note: a thread would block "all threads resolved".

        Source: POST /projects/:id/merge_requests/:iid/notes.
        """
        raw = self.api.send("POST", self._at(f"merge_requests/{number}/notes"), {"body": body})
        return to_note(raw, number)

    def edit_note(self, note: Note, body: str) -> None:
        """Write a note anew. Source: PUT /projects/:id/merge_requests/:iid/notes/:note_id."""
        self.api.send("PUT", self._at(f"merge_requests/{note.pull}/notes/{note.id}"), {"body": body})

    def hide_note(self, note: Note) -> None:
        """Fold a note away: GitLab can't mark one as outdated."""
        folded = f"<details><summary>Superseded</summary>\n\n{note.body}\n\n</details>\n"
        self.edit_note(note, folded)

    def acknowledge(self, note: Note, *, done: bool) -> None:
        """Award an emoji. Source: POST /projects/:id/merge_requests/:iid/notes/:note_id/award_emoji."""
        name = "thumbsup" if done else "confused"
        path = self._at(f"merge_requests/{note.pull}/notes/{note.id}/award_emoji")
        self.api.send("POST", path, {"name": name})

    def set_status(self, commit: Commit, status: Status) -> None:
        """Set the status. Source: POST /projects/:id/statuses/:sha.

        GitLab refuses to set a state that a status has already; that is as good as done.
        """
        body = {
            "state": STATES[status.state],
            "name": CONTEXT,
            "description": status.description[:DESCRIPTION],
        }
        if status.url:
            body["target_url"] = status.url
        try:
            self.api.send("POST", self._at(f"statuses/{commit}"), body)
        except HostError as error:
            if "Cannot transition status" not in str(error):
                raise

    def may_write(self, author: Author) -> bool:
        """Ask for an access level. Source: GET /projects/:id/members/all/:user_id."""
        if author.bot or not author.id:
            return False
        try:
            said = self.api.get(self._at(f"members/all/{author.id}"))
        except HostError:
            return False
        return said.get("state") == "active" and int(said.get("access_level", 0)) >= DEVELOPER

    def labelled_by(self, number: int, label: str) -> Author | None:
        """Return who set a label. Source: GET /projects/:id/merge_requests/:iid/resource_label_events."""
        found: Author | None = None
        for raw in self.api.pages(self._at(f"merge_requests/{number}/resource_label_events"), per_page=PAGE):
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
    return Author(id=int(raw["id"]), login=str(raw["username"]), bot=bool(raw.get("bot")))


def to_pull(raw: Mapping[str, Any]) -> Pull:
    """Return a merge request."""
    merged = (
        (raw.get("merge_commit_sha") or raw.get("squash_commit_sha") or raw.get("sha"))
        if (raw.get("state") == "merged")
        else None
    )
    return Pull(
        number=int(raw["iid"]),
        head=Commit(raw.get("sha") or ""),
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
