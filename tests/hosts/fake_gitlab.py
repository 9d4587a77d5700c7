"""GitLab's API over a forge, by hand: GitLab publishes no description that a registry has.

Facts of its documents and source that the adapter rests on: a pending or running status takes the next
state and refuses the one it has, any other is followed by a new one; a status needs a pipeline or a
branch; an emoji moves a note's `updated_at`; a merge request has no head in its first moments.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from emulator.githost.forge import Account, Comment, Forge, Pull, Status
from emulator.githost.wire import Reply, Request, page

LEVELS = {"none": 0, "read": 20, "triage": 20, "write": 30, "maintain": 40, "admin": 50}
EVENTS = {"pending": "enqueue", "running": "run", "success": "success", "failed": "drop"}
WORDS = {
    "merge_requests": {"state", "order_by", "sort", "updated_after", "per_page", "page"},
    "notes": {"sort", "order_by", "per_page", "page"},
}


class RefusedError(Exception):
    """The API says no."""


class GitLab:
    """Answers requests for one project, below `/api/v4`."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        self.tokens: dict[str, Account] = {}
        self.url: Callable[[], str] = lambda: ""
        self.pipelines: dict[str, list[int]] = {}  # of commits
        self.unprepared: set[int] = set()  # merge requests that have no head yet
        self.strange: list[str] = []  # what GitLab would pass over in silence
        here = r"/api/v4/projects/(?P<project>[^/]+)"
        mr = rf"{here}/merge_requests/(?P<iid>\d+)"
        self.routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", r"/api/v4/user", self._user),
            ("GET", rf"{here}/merge_requests", self._pulls),
            ("GET", rf"{here}/repository/commits/(?P<commit>\w+)/merge_requests", self._pulls_of),
            ("GET", rf"{here}/repository/commits/(?P<commit>\w+)", self._commit),
            ("GET", rf"{mr}/notes", self._notes),
            ("POST", rf"{mr}/notes", self._add),
            ("PUT", rf"{mr}/notes/(?P<at>\d+)", self._edit),
            ("POST", rf"{mr}/notes/(?P<at>\d+)/award_emoji", self._award),
            ("GET", rf"{mr}/resource_label_events", self._labels),
            ("POST", rf"{here}/statuses/(?P<commit>\w+)", self._status),
            ("GET", rf"{here}/members/all/(?P<at>\d+)", self._member),
        ]

    def grant(self, token: str, account: Account) -> str:
        """Make a token."""
        self.tokens[token] = account
        return token

    def __call__(self, request: Request) -> Reply:
        """Answer."""
        try:
            return self._api(request)
        except RefusedError as error:
            status, _, message = str(error).partition(" ")
            return Reply(int(status), {"message": message})

    def _api(self, request: Request) -> Reply:
        if request.token not in self.tokens:
            raise RefusedError("401 401 Unauthorized")
        for method, pattern, do in self.routes:
            found = re.fullmatch(pattern, request.path)
            if not found or method != request.method:
                continue
            words = found.groupdict()
            if "project" in words and unquote(words.pop("project")) != self.forge.repository:
                raise RefusedError("404 404 Project Not Found")
            known = WORDS.get(request.path.rpartition("/")[2], {"per_page", "page"})
            self.strange += [f"{request.path}: {w}" for w in request.query if w not in known]
            return do(request, self.tokens[request.token], **words)
        raise RefusedError("404 404 Not Found")

    def _page(self, request: Request, rows: list[Any]) -> Reply:
        return page(request, rows, f"{self.url()}{request.path}")

    def _user(self, _: Request, who: Account) -> Reply:
        return Reply(200, {**(self._account(who) or {}), "bot": who.bot})

    def _account(self, account: Account | None) -> dict[str, Any] | None:
        """Notes and merge requests do not say who is a bot."""
        if account is None:
            return None
        return {"id": account.id, "username": account.login, "name": account.login, "state": "active"}

    def _pulls(self, request: Request, _: Account) -> Reply:
        wanted, after = request.query.get("state", "all"), request.query.get("updated_after", "")
        found = [
            p
            for p in self.forge.pulls.values()
            if wanted in ("all", _state(p)) and (not after or p.updated >= datetime.fromisoformat(after))
        ]
        found.sort(key=lambda p: p.updated if request.query.get("order_by") == "updated_at" else p.created)
        if request.query.get("sort", "desc") == "desc":
            found.reverse()
        return self._page(request, [self._shown(p) for p in found])

    def _pulls_of(self, request: Request, _: Account, commit: str) -> Reply:
        found = [p for p in self.forge.pulls.values() if commit in (p.merged_as, p.head)]
        return self._page(request, [self._shown(p) for p in found])

    def _shown(self, pull: Pull) -> dict[str, Any]:
        merged = pull.state == "merged"
        project = {self.forge.repository: 1, None: None}.get(pull.fork, 2)
        return {
            "id": pull.number + 7_000,
            "iid": pull.number,
            "project_id": 1,
            "title": pull.title,
            "state": _state(pull),
            "created_at": _moment(pull.created),
            "updated_at": _moment(pull.updated),
            "target_branch": pull.base,
            "source_branch": pull.branch,
            "author": self._account(pull.author),
            "source_project_id": project,
            "target_project_id": 1,
            "labels": pull.labels,
            "draft": pull.draft,
            "sha": None if pull.number in self.unprepared else pull.head,
            "merge_commit_sha": pull.merged_as if merged else None,
            "squash_commit_sha": None,
        }

    def _commit(self, _: Request, __: Account, commit: str) -> Reply:
        if not self.forge.has(commit):
            raise RefusedError("404 404 Commit Not Found")
        made = self.pipelines.get(commit)
        return Reply(200, {"id": commit, "last_pipeline": {"id": made[-1], "sha": commit} if made else None})

    def _pull(self, iid: str) -> Pull:
        if int(iid) not in self.forge.pulls:
            raise RefusedError("404 404 Not found")
        return self.forge.pulls[int(iid)]

    def _notes(self, request: Request, _: Account, iid: str) -> Reply:
        pull = self._pull(iid)
        system = Comment(1, pull.number, pull.author, "changed the title", pull.created, pull.created)
        found = [self._note(system, system=True), *map(self._note, self.forge.comments_of(pull.number))]
        if request.query.get("sort", "desc") == "desc":
            found.reverse()
        return self._page(request, found)

    def _note(self, comment: Comment, *, system: bool = False) -> dict[str, Any]:
        return {
            "id": comment.id,
            "type": None,
            "body": comment.body,
            "author": self._account(comment.author),
            "created_at": _moment(comment.created),
            "updated_at": _moment(comment.updated),
            "system": system,
            "noteable_iid": comment.pull,
            "noteable_type": "MergeRequest",
        }

    def _add(self, request: Request, who: Account, iid: str) -> Reply:
        return Reply(201, self._note(self.forge.comment(self._pull(iid), who, self._body(request))))

    def _edit(self, request: Request, who: Account, iid: str, at: str) -> Reply:
        comment = self._noted(iid, at)
        if comment.author is not who:
            raise RefusedError("403 403 Forbidden")
        self.forge.edit(comment, self._body(request))
        return Reply(200, self._note(comment))

    def _noted(self, iid: str, at: str) -> Comment:
        comment = self.forge.comments.get(int(at))
        if comment is None or comment.pull != int(iid):
            raise RefusedError("404 404 Note Not Found")
        return comment

    def _body(self, request: Request) -> str:
        body = str(request.json().get("body") or "")
        if not body or len(body) > 1_000_000:
            raise RefusedError("400 note is blank or too long (maximum is 1000000 characters)")
        return body

    def _award(self, request: Request, who: Account, iid: str, at: str) -> Reply:
        comment, name = self._noted(iid, at), str(request.json()["name"])
        comment.reactions.append((who, name))
        comment.updated = self.forge.now()
        return Reply(201, {"id": comment.id, "name": name, "user": self._account(who)})

    def _labels(self, request: Request, _: Account, iid: str) -> Reply:
        rows = [
            {
                "id": x.id,
                "user": self._account(x.actor),
                "created_at": _moment(x.at),
                "label": {"id": 1, "name": x.label},
                "action": "add" if x.on else "remove",
            }
            for x in self._pull(iid).labellings
        ]
        return self._page(request, rows)

    def _status(self, request: Request, who: Account, commit: str) -> Reply:
        said = request.json()
        pipeline, name, state = said.get("pipeline_id"), str(said["name"]), str(said["state"])
        if not self.forge.has(commit):
            raise RefusedError("404 404 Commit Not Found")
        on_branch = any(
            p.fork == self.forge.repository for p in self.forge.pulls.values() if p.head == commit
        )
        if not on_branch and not self.pipelines.get(commit):
            raise RefusedError("404 404 References for commit Not Found")
        if state not in EVENTS or len(str(said.get("description", ""))) > 255:
            raise RefusedError("400 state does not have a valid value")
        if pipeline is not None and pipeline not in self.pipelines.get(commit, []):
            raise RefusedError("404 404 Pipeline Not Found")
        now = self.forge.status_of(commit, name)
        if now and now.state in ("pending", "running") and now.state == state:
            event = EVENTS[state]
            why = f'(Reason(s): Status cannot transition via "{event}")'
            raise RefusedError(f"400 Cannot transition status via :{event} from :{state} {why}")
        made = self.forge.set_status(
            commit,
            who,
            state=state,
            context=name,
            description=str(said.get("description", "")),
            url=str(said.get("target_url", "")),
        )
        if not self.pipelines.get(commit):
            self.pipelines[commit] = [made.id]
        return Reply(201, self._set(made))

    def _set(self, status: Status) -> dict[str, Any]:
        return {"id": status.id, "sha": status.commit, "status": status.state, "name": status.context}

    def _member(self, _: Request, __: Account, at: str) -> Reply:
        account = self.forge.accounts.get(int(at))
        if account is None or not LEVELS[account.role]:
            raise RefusedError("404 404 Not found")
        return Reply(200, {**(self._account(account) or {}), "access_level": LEVELS[account.role]})


def _state(pull: Pull) -> str:
    return "opened" if pull.state == "open" else pull.state


def _moment(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
