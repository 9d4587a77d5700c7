"""GitHub, github.com and Enterprise: REST, and GraphQL to mark a comment as outdated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import httpx

from reconciler.core.ids import Commit
from reconciler.hosts.github_checks import show
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
    Status,
    folded,
)

API: Final = "https://api.github.com"
VERSION: Final = "2022-11-28"
WRITERS: Final = ("admin", "write")  # `permission` folds maintain into write; `role_name` can be made up
HIDE: Final = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    " { minimizedComment { isMinimized } } }"
)


class Bot(Protocol):
    """An App's account, and the token that it has at present."""

    def login(self) -> str:
        """Return its login, `slug[bot]`."""

    def may_check(self) -> bool:
        """May it make check runs."""

    def forget(self) -> None:
        """Take another token the next time: the host does not take this one."""

    def close(self) -> None:
        """Let go of the connections."""


@dataclass(slots=True)
class GitHub:
    """One repository on GitHub. `token` gives the token to use now."""

    repository: str  # owner/name
    token: Callable[[], str]
    base: str = API  # https://host/api/v3 on Enterprise
    app: Bot | None = None  # whose token it is, if it is no user's
    transport: httpx.BaseTransport | None = None
    api: Api = field(init=False)
    _me: Author | None = None

    def __post_init__(self) -> None:
        """Open the API."""
        self.base = self.base.rstrip("/")
        self.api = Api(self.base, self._headers, self.transport, self.app.forget if self.app else None)

    def close(self) -> None:
        """Let go of the connections."""
        self.api.close()
        if self.app:
            self.app.close()

    def _headers(self) -> Mapping[str, str]:
        return {
            "Authorization": f"Bearer {self.token()}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }

    def _at(self, path: str) -> str:
        return f"repos/{self.repository}/{path}"

    def me(self) -> Author:
        """Return who we are. Source: GET /user; an App can't ask it, and is a bot with a login.

        Source: GET /users/{username} for the id of an App's bot.
        """
        if self._me is None:
            path = f"users/{quote(self.app.login())}" if self.app else "user"
            with understood("our account"):
                self._me = to_author(self.api.get(path))
        return self._me

    def pulls(self) -> tuple[Pull, ...]:
        """Return every open pull request. Source: GET /repos/{owner}/{repo}/pulls, 100 a page."""
        raws = self.api.pages(
            self._at("pulls"), state="open", sort="updated", direction="desc", per_page=PAGE
        )
        with understood("pull requests"):
            return tuple(map(to_pull, raws))

    def pulls_of(self, commit: Commit) -> tuple[Pull, ...]:
        """Return the pull requests of a commit. Source: GET /repos/{owner}/{repo}/commits/{sha}/pulls."""
        raws = self.api.pages(self._at(f"commits/{commit}/pulls"), per_page=PAGE)
        with understood("pull requests"):
            return tuple(map(to_pull, raws))

    def notes(self, number: int) -> tuple[Note, ...]:
        """Return a pull request's comments. Source: GET /repos/{owner}/{repo}/issues/{n}/comments."""
        raws = self.api.pages(self._at(f"issues/{number}/comments"), per_page=PAGE)
        with understood("comments"):
            return tuple(map(to_note, raws))

    def notes_since(self, since: datetime) -> tuple[Note, ...]:
        """Return comments since. Source: GET /repos/{owner}/{repo}/issues/comments, by last change."""
        text = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raws = self.api.pages(
            self._at("issues/comments"), sort="updated", direction="asc", since=text, per_page=PAGE
        )
        with understood("comments"):
            return tuple(to_note(r) for r in raws if _on_pull(r))

    def add_note(self, number: int, body: str) -> Note:
        """Write a comment. Source: POST /repos/{owner}/{repo}/issues/{n}/comments."""
        raw = self.api.send("POST", self._at(f"issues/{number}/comments"), {"body": body})
        with understood("our comment"):
            return to_note(raw)

    def edit_note(self, note: Note, body: str) -> None:
        """Write a comment anew. Source: PATCH /repos/{owner}/{repo}/issues/comments/{id}."""
        self.api.send("PATCH", self._at(f"issues/comments/{note.id}"), {"body": body})

    def hide_note(self, note: Note) -> None:
        """Mark a comment as outdated, and then fold it: who finds it unfolded marks it again.

        Source: GET /repos/{owner}/{repo}/issues/comments/{id} for its node id; GraphQL minimizeComment.
        """
        root = self.base.removesuffix("/v3") if self.base.endswith("/api/v3") else self.base
        with understood("a comment"):
            node = self.api.get(self._at(f"issues/comments/{note.id}"))["node_id"]
            answer = self.api.send("POST", f"{root}/graphql", {"query": HIDE, "variables": {"id": node}})
            if answer.get("errors"):
                raise HostError(f"comment {note.id} could not be hidden")
        self.edit_note(note, folded(note))

    def acknowledge(self, note: Note, *, done: bool) -> None:
        """React to a comment. Source: POST /repos/{owner}/{repo}/issues/comments/{id}/reactions."""
        content = "+1" if done else "confused"
        self.api.send("POST", self._at(f"issues/comments/{note.id}/reactions"), {"content": content})

    def set_status(self, commit: Commit, status: Status) -> None:
        """Set the status. Source: POST /repos/{owner}/{repo}/statuses/{sha}."""
        body = {
            "state": status.state.value,
            "context": CONTEXT,
            "description": status.description[:DESCRIPTION],
        }
        if status.url:
            body["target_url"] = status.url
        self.api.send("POST", self._at(f"statuses/{commit}"), body)

    def annotate(self, commit: Commit, found: Sequence[Annotation]) -> None:
        """Show errors in the check run `reconciler/validate`: an App's that may write checks, no user's."""
        if self.app is not None and self.app.may_check():
            show(self.api, self.repository, self.me().login, commit, found)

    def may_write(self, author: Author) -> bool:
        """Ask for a permission. Source: GET /repos/{owner}/{repo}/collaborators/{username}/permission."""
        if author.bot or not author.login:
            return False
        try:
            said = self.api.get(self._at(f"collaborators/{quote(author.login, safe='')}/permission"))
        except MissingError:
            return False
        with understood("a permission"):
            # A login can be given up and taken by somebody else, so the id must be the author's.
            same = (said.get("user") or {}).get("id") == author.id
            return same and said["permission"] in WRITERS

    def labelled_by(self, number: int, label: str) -> Author | None:
        """Return who set a label. Source: GET /repos/{owner}/{repo}/issues/{n}/events."""
        found: Author | None = None
        raws = self.api.pages(self._at(f"issues/{number}/events"), per_page=PAGE)
        with understood("labels"):
            for raw in raws:
                if (raw.get("label") or {}).get("name") == label:
                    found = to_author(raw.get("actor")) if raw.get("event") == "labeled" else None
        return found

    def head_ref(self, number: int) -> str:
        """Heads stand in the base repository, those of forks too: an App can't see the fork itself."""
        return f"refs/pull/{number}/head"


def to_author(raw: Mapping[str, Any] | None) -> Author:
    """Return an account; one that was deleted is nobody."""
    if not raw:
        return Author(id=0, login="")
    return Author(id=int(raw["id"]), login=str(raw["login"]), bot=raw.get("type") == "Bot")


def to_pull(raw: Mapping[str, Any]) -> Pull:
    """Return a pull request. An open one has a merge commit too: a trial, which nobody merged."""
    source = (raw["head"].get("repo") or {}).get("full_name")
    merged = raw.get("merge_commit_sha") if raw.get("merged_at") else None
    return Pull(
        number=int(raw["number"]),
        head=Commit(raw["head"]["sha"]),
        base_ref=raw["base"]["ref"],
        author=to_author(raw.get("user")),
        fork=source != raw["base"]["repo"]["full_name"],
        draft=bool(raw.get("draft")),
        labels=tuple(sorted(x["name"] for x in raw.get("labels", []))),
        merged=Commit(merged) if merged else None,
    )


def to_note(raw: Mapping[str, Any]) -> Note:
    """Return a comment."""
    return Note(
        id=int(raw["id"]),
        pull=int(raw["issue_url"].rpartition("/")[2]),
        author=to_author(raw.get("user")),
        body=raw.get("body") or "",
        created=_time(raw["created_at"]),
        edited=raw["created_at"] != raw["updated_at"],
    )


def _on_pull(raw: Mapping[str, Any]) -> bool:
    """The list for a whole repository holds comments on plain issues too."""
    return str(urlsplit(raw["html_url"]).path.split("/")[-2]) == "pull"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
