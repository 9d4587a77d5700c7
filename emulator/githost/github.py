"""GitHub's API over a forge: REST, the one GraphQL mutation that hides a comment, and the page for people."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from emulator.githost.forge import PUSHERS, Account, Check, Comment, Forge, Pull
from emulator.githost.page import render
from emulator.githost.shapes import Shapes, moment
from emulator.githost.wire import Reply, Request, page

BODY: Final = 65_536  # characters of a comment
DESCRIPTION: Final = 140  # characters of a status' description
ANNOTATIONS: Final = 50  # of one request about a check run
STATUSES: Final = 1_000  # of one commit and context
LIFE: Final = timedelta(hours=1)  # of an installation's token
JWT: Final = 600  # seconds that an App's own token may hold
HOURLY: Final = 5_000  # requests of one token


@dataclass(slots=True)
class Token:
    """Who acts with a token, and until when."""

    account: Account
    ends: datetime | None = None  # None: it is a user's, and does not end
    reads: bool = False  # it may only read
    may: Mapping[str, str] | None = None  # an installation's permissions


@dataclass(slots=True)
class App:
    """A GitHub App, installed in the repository."""

    id: str
    slug: str
    key: str  # public, PEM
    account: Account
    installation: int = 77
    permissions: dict[str, str] = field(
        default_factory=lambda: {
            "contents": "read",
            "metadata": "read",
            "pull_requests": "write",
            "statuses": "write",
            "checks": "write",
        }
    )


class RefusedError(Exception):
    """The API says no."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.reply = Reply(
            status, {"message": message, "documentation_url": "", "status": str(status), **more}
        )


class GitHub:
    """Answers requests for one repository. `url` is where it is served, set once that is known."""

    def __init__(self, forge: Forge, app: App | None = None) -> None:
        self.forge = forge
        self.app = app
        self.tokens: dict[str, Token] = {}
        self.spent: dict[str, int] = {}
        self.limit = HOURLY
        self.url: Callable[[], str] = lambda: ""
        here = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
        self.routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", r"/user", self._user),
            ("GET", r"/users/(?P<login>[^/]+)", self._users),
            ("GET", r"/app", self._app),
            ("GET", rf"{here}/installation", self._installation),
            ("POST", r"/app/installations/(?P<number>\d+)/access_tokens", self._access),
            ("POST", r"(?:/api)?/graphql", self._graphql),
            ("GET", rf"{here}/pulls", self._pulls),
            ("GET", rf"{here}/commits/(?P<commit>\w+)/pulls", self._pulls_of),
            ("GET", rf"{here}/issues/(?P<number>\d+)/comments", self._comments),
            ("POST", rf"{here}/issues/(?P<number>\d+)/comments", self._add),
            ("GET", rf"{here}/issues/(?P<number>\d+)/events", self._events),
            ("GET", rf"{here}/issues/comments", self._all_comments),
            ("GET", rf"{here}/issues/comments/(?P<at>\d+)", self._comment),
            ("PATCH", rf"{here}/issues/comments/(?P<at>\d+)", self._edit),
            ("POST", rf"{here}/issues/comments/(?P<at>\d+)/reactions", self._react),
            ("POST", rf"{here}/statuses/(?P<commit>\w+)", self._status),
            ("GET", rf"{here}/commits/(?P<commit>\w+)/check-runs", self._checks),
            ("POST", rf"{here}/check-runs", self._check),
            ("PATCH", rf"{here}/check-runs/(?P<at>\d+)", self._check_more),
            ("GET", rf"{here}/collaborators/(?P<login>[^/]+)/permission", self._permission),
        ]

    @property
    def shapes(self) -> Shapes:
        """What is shown, below our address."""
        return Shapes(self.forge, self.url())

    def grant(self, token: str, account: Account, *, reads: bool = False) -> str:
        """Make a user's token."""
        self.tokens[token] = Token(account, reads=reads)
        return token

    def __call__(self, request: Request) -> Reply:
        """Answer."""
        path = self.plain(request.path)
        shown = re.fullmatch(rf"/{self.forge.repository}/pull/(\d+)", path)
        if shown and (pull := self.forge.pulls.get(int(shown[1]))):
            return Reply(200, render(self.forge, pull))
        try:
            return self._api(request, path)
        except RefusedError as error:
            return error.reply

    def plain(self, path: str) -> str:
        """Return a path as the documents have it: of github.com, with names and not numbers."""
        if not path.endswith("/graphql"):  # which an Enterprise host serves beside v3, not below it
            path = path.removeprefix("/api/v3")
        number = self.shapes.repository(self.forge.repository)["id"]
        return re.sub(rf"^/repositories/{number}/", f"/repos/{self.forge.repository}/", path)

    def _api(self, request: Request, path: str) -> Reply:
        for method, pattern, do in self.routes:
            found = re.fullmatch(pattern, path)
            if not found or method != request.method:
                continue
            words = found.groupdict()
            if "owner" in words and f"{words.pop('owner')}/{words.pop('repo')}" != self.forge.repository:
                raise RefusedError(404, "Not Found")
            by_app = do in (self._app, self._installation, self._access)
            who = self._signed(request) if by_app else self._who(request)
            reply = do(request, who, **words)
            left = self.limit - self.spent.get(request.token, 0)
            reply.headers["X-RateLimit-Remaining"] = str(left)
            return reply
        raise RefusedError(404, "Not Found")

    def _who(self, request: Request) -> Token:
        known = self.tokens.get(request.token)
        if known is None or (known.ends and known.ends <= self.forge.now()):
            raise RefusedError(401, "Bad credentials")
        if known.reads and request.method != "GET":
            raise RefusedError(403, "Resource not accessible by personal access token")
        return known

    def _signed(self, request: Request) -> Token:
        now = self.forge.now().timestamp()
        try:
            if self.app is None:
                raise RefusedError(401, "A JSON web token could not be decoded")
            claims = jwt.decode(
                request.token, self.app.key, ["RS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.PyJWTError:
            raise RefusedError(401, "A JSON web token could not be decoded") from None
        if str(claims["iss"]) != self.app.id:
            raise RefusedError(401, "Integration not found")
        if not claims["iat"] <= now < claims["exp"] <= now + JWT:
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future")
        return Token(self.app.account)

    def _app(self, _: Request, __: Token) -> Reply:
        app = self._installed()
        return Reply(200, self.shapes.app(app.slug, app.permissions))

    def _installation(self, _: Request, __: Token) -> Reply:
        app = self._installed()
        return Reply(200, self.shapes.installation(app.installation, app.slug, app.permissions))

    def _access(self, request: Request, who: Token, number: str) -> Reply:
        app, said = self._installed(), request.json()
        if int(number) != app.installation:
            raise RefusedError(404, "Not Found")
        if said.get("repositories") != [self.forge.repository.partition("/")[2]]:
            raise RefusedError(422, "There is at least one repository that does not exist")
        if not said.get("permissions", {}).items() <= app.permissions.items():
            raise RefusedError(422, "The permissions requested are not granted to this installation.")
        token = f"ghs_{len(self.tokens):036d}"
        granted = said.get("permissions") or app.permissions
        self.tokens[token] = made = Token(who.account, ends=self.forge.now() + LIFE, may=granted)
        return Reply(201, {"token": token, "expires_at": moment(made.ends), "permissions": granted})

    def _installed(self) -> App:
        if self.app is None:
            raise RefusedError(404, "Not Found")
        return self.app

    def _user(self, _: Request, who: Token) -> Reply:
        if who.ends:
            raise RefusedError(403, "Resource not accessible by integration")
        return Reply(200, self.shapes.profile(who.account))

    def _users(self, _: Request, __: Token, login: str) -> Reply:
        return Reply(200, self.shapes.profile(self._named(login)))

    def _named(self, login: str) -> Account:
        account = self.forge.named(login.replace("%5B", "[").replace("%5D", "]"))
        if account is None:
            raise RefusedError(404, "Not Found")
        return account

    def _pulls(self, request: Request, _: Token) -> Reply:
        asked = request.query
        wanted = {"open": ("open",), "closed": ("closed", "merged")}.get(asked.get("state", "open"))
        found = [p for p in self.forge.pulls.values() if wanted is None or p.state in wanted]
        found.sort(key=lambda p: p.updated if asked.get("sort") == "updated" else p.created)
        if asked.get("direction", "desc") == "desc":
            found.reverse()
        return self._page(request, [self.shapes.pull(p) for p in found])

    def _pulls_of(self, request: Request, _: Token, commit: str) -> Reply:
        if not self.forge.has(commit):
            raise RefusedError(422, f"No commit found for SHA: {commit}")
        found = [p for p in self.forge.pulls.values() if commit in (p.merged_as, p.head)]
        return self._page(request, [self.shapes.pull(p) for p in found])

    def _page(self, request: Request, rows: list[Any]) -> Reply:
        """Return a page; the next one is named by the repository's number, as GitHub does."""
        number = self.shapes.repository(self.forge.repository)["id"]
        rest = self.plain(request.path).removeprefix(f"/repos/{self.forge.repository}")
        prefix = "/api/v3" if request.path.startswith("/api/v3") else ""
        return page(request, rows, f"{self.url()}{prefix}/repositories/{number}{rest}")

    def _pull(self, number: str) -> Pull:
        if int(number) not in self.forge.pulls:
            raise RefusedError(404, "Not Found")
        return self.forge.pulls[int(number)]

    def _comments(self, request: Request, _: Token, number: str) -> Reply:
        found = self.forge.comments_of(self._pull(number).number)
        return self._page(request, [self.shapes.comment(c) for c in found])

    def _all_comments(self, request: Request, _: Token) -> Reply:
        since = request.query.get("since", "")
        found = [c for c in self.forge.comments.values() if (moment(c.updated) or "") >= since]
        found.sort(key=lambda c: c.updated if request.query.get("sort") == "updated" else c.created)
        if request.query.get("direction") == "desc":
            found.reverse()
        return self._page(request, [self.shapes.comment(c) for c in found])

    def _events(self, request: Request, _: Token, number: str) -> Reply:
        return self._page(request, [self.shapes.labelling(x) for x in self._pull(number).labellings])

    def _comment(self, _: Request, __: Token, at: str) -> Reply:
        return Reply(200, self.shapes.comment(self._noted(at)))

    def _noted(self, at: str) -> Comment:
        if int(at) not in self.forge.comments:
            raise RefusedError(404, "Not Found")
        return self.forge.comments[int(at)]

    def _add(self, request: Request, who: Token, number: str) -> Reply:
        made = self.forge.comment(self._pull(number), who.account, self._body(request))
        return Reply(201, self.shapes.comment(made))

    def _edit(self, request: Request, who: Token, at: str) -> Reply:
        comment = self._noted(at)
        if comment.author is not who.account and who.account.role not in PUSHERS:
            raise RefusedError(403, "Must have admin rights to Repository.")
        self.forge.edit(comment, self._body(request))
        return Reply(200, self.shapes.comment(comment))

    def _body(self, request: Request) -> str:
        body = str(request.json().get("body") or "")
        if not body or len(body) > BODY:
            why = f"Body is too long (maximum is {BODY} characters)" if body else "Body can't be blank"
            raise RefusedError(422, "Validation Failed", errors=[{"code": "unprocessable", "message": why}])
        return body

    def _react(self, request: Request, who: Token, at: str) -> Reply:
        comment, said = self._noted(at), (who.account, str(request.json()["content"]))
        status = 200 if said in comment.reactions else 201
        if status == 201:
            comment.reactions.append(said)
        made = {"id": comment.id, "node_id": "", "content": said[1]}
        user, now = self.shapes.user(who.account), moment(self.forge.now())
        return Reply(status, {**made, "user": user, "created_at": now})

    def _status(self, request: Request, who: Token, commit: str) -> Reply:
        said = request.json()
        context, text = str(said.get("context", "default")), str(said.get("description") or "")
        if not self.forge.has(commit):
            raise RefusedError(422, f"No commit found for SHA: {commit}")
        if len(text) > DESCRIPTION:
            raise RefusedError(
                422, "Validation Failed", errors=[{"field": "description", "code": "too_long"}]
            )
        if sum((s.commit, s.context) == (commit, context) for s in self.forge.statuses) >= STATUSES:
            why = "This SHA and context has reached the maximum number of statuses."
            raise RefusedError(422, "Validation Failed", errors=[{"message": why}])
        url = str(said.get("target_url") or "")
        made = self.forge.set_status(
            commit, who.account, state=str(said["state"]), context=context, description=text, url=url
        )
        return Reply(201, self.shapes.status(made))

    def _checks(self, request: Request, who: Token, commit: str) -> Reply:
        if who.may is not None and "checks" not in who.may:
            raise RefusedError(403, "Resource not accessible by integration")
        found = self.forge.checks_of(commit, request.query["check_name"])
        return Reply(200, {"total_count": len(found), "check_runs": [self._shown(c) for c in found]})

    def _shown(self, check: Check) -> dict[str, Any]:
        slug, app = check.by.login.removesuffix("[bot]"), self.app
        return self.shapes.check(check, slug, app.permissions if app else {})

    def _check(self, request: Request, who: Token) -> Reply:
        said = request.json()
        if not self.forge.has(str(said["head_sha"])):
            raise RefusedError(422, f"No commit found for SHA: {said['head_sha']}")
        self._may_check(who, said)
        made = self.forge.check(str(said["head_sha"]), who.account, str(said["name"]))
        return Reply(201, self._checked(made, said))

    def _check_more(self, request: Request, who: Token, at: str) -> Reply:
        known = self.forge.checks.get(int(at))
        if known is None or known.by is not who.account:
            raise RefusedError(404, "Not Found")
        self._may_check(who, request.json())
        return Reply(200, self._checked(known, request.json()))

    def _may_check(self, who: Token, said: Mapping[str, Any]) -> None:
        """Let an App alone, and what is complete with an end, and no more at once than is taken."""
        if who.may is None:
            raise RefusedError(403, "You must authenticate via a GitHub App.")
        if who.may.get("checks") != "write":
            raise RefusedError(403, "Resource not accessible by integration")
        more = said.get("output", {}).get("annotations", [])
        if len(more) > ANNOTATIONS:
            why = f"No more than {ANNOTATIONS} items are allowed; {len(more)} were supplied."
            raise RefusedError(422, f"Invalid request.\n\n{why}")
        if said.get("status") == "completed" and "conclusion" not in said:
            missing = '"conclusion"'
            raise RefusedError(422, f"Invalid request.\n\n{missing} wasn't supplied.")

    def _checked(self, check: Check, said: Mapping[str, Any]) -> dict[str, Any]:
        output = said.get("output", {})
        check.status, check.conclusion = said.get("status", check.status), said.get("conclusion")
        check.external_id = said.get("external_id", check.external_id)
        check.title, check.summary = output.get("title"), output.get("summary")
        check.annotations += output.get("annotations", [])
        return self._shown(check)

    def _permission(self, _: Request, __: Token, login: str) -> Reply:
        return Reply(200, self.shapes.permission(self._named(login)))

    def _graphql(self, request: Request, _: Token) -> Reply:
        """Mark a comment as outdated: the one mutation that is known here."""
        said = request.json()
        words = b64decode(str(said.get("variables", {}).get("id", ""))).decode().partition(":")
        comment = self.forge.comments.get(int(words[2] or 0))
        if "minimizeComment" not in said.get("query", "") or comment is None:
            why = {"type": "NOT_FOUND", "message": "Could not resolve to a node with the global id"}
            return Reply(200, {"data": {"minimizeComment": None}, "errors": [why]})
        comment.hidden = True
        return Reply(200, {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})
