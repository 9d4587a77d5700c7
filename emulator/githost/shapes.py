"""GitHub's JSON: what the forge holds, in the fields that GitHub's own description asks for."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from emulator.githost.forge import Account, Check, Comment, Forge, Labelling, Pull, Status, sha

_USER: Final = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}
_REPOSITORY: Final = (  # each an address: archive_url, assignees_url and so on
    *("archive", "assignees", "blobs", "branches", "clone", "collaborators", "comments", "commits"),
    *("compare", "contents", "contributors", "deployments", "downloads", "events", "forks", "git"),
    *("git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issue_events", "issues", "keys"),
    *("labels", "languages", "merges", "milestones", "notifications", "pulls", "releases", "ssh"),
    *("stargazers", "statuses", "subscribers", "subscription", "svn", "tags", "teams", "trees"),
)
_FLAGS: Final = (
    *("private", "fork", "has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages"),
    *("archived", "disabled"),
)
_COUNTS: Final = (
    *("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count"),
    *("watchers", "watchers_count"),
)
_NOTHING: Final = (
    *("description", "homepage", "language", "mirror_url", "license", "pushed_at"),
    *("created_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Shapes:
    """The forge's things as GitHub shows them below one address."""

    forge: Forge
    base: str

    def user(self, account: Account | None) -> dict[str, Any] | None:
        """Return an account; one that was deleted is null."""
        if account is None:
            return None
        url = f"{self.base}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node("User", account.id),
            "avatar_url": f"{self.base}/avatars/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.base}/{account.login}",
            **{k: url + v for k, v in _USER.items()},
            "type": "Bot" if account.bot else "User",
            "site_admin": False,
        }

    def profile(self, account: Account) -> dict[str, Any]:
        """Return an account as its own page shows it."""
        nothing = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
        numbers = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        times = dict.fromkeys(("created_at", "updated_at"), "2020-01-01T00:00:00Z")
        return {**(self.user(account) or {}), **nothing, **numbers, **times, "user_view_type": "public"}

    def repository(self, name: str) -> dict[str, Any]:
        """Return a repository."""
        owner, _, short = name.partition("/")
        url = f"{self.base}/repos/{name}"
        number = int(sha(name)[:6], 16)
        return {
            "id": number,
            "node_id": node("Repository", number),
            "name": short,
            "full_name": name,
            "owner": self.user(Account(int(sha(owner)[:6], 16), owner)),
            "url": url,
            "html_url": f"{self.base}/{name}",
            "default_branch": "main",
            **{f"{k}_url": f"{url}/{k}" for k in _REPOSITORY},
            **dict.fromkeys(_FLAGS, False),
            **dict.fromkeys(_COUNTS, 0),
            **dict.fromkeys(_NOTHING),
        }

    def pull(self, pull: Pull) -> dict[str, Any]:
        """Return a pull request as lists show it. An open one has a trial merge, made some time later."""
        name, number = self.forge.repository, pull.number
        url, issue = f"{self.base}/repos/{name}/pulls/{number}", f"{self.base}/repos/{name}/issues/{number}"
        links = {
            "html": f"{self.base}/{name}/pull/{number}",
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{url}/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{self.base}/repos/{name}/statuses/{pull.head}",
        }
        trial = sha("trial", pull.head) if pull.updated < self.forge.now() else None
        closed = pull.updated if pull.state != "open" else None
        return {
            "url": url,
            "id": number + 7_000,
            "node_id": node("PullRequest", number),
            "diff_url": f"{links['html']}.diff",
            "patch_url": f"{links['html']}.patch",
            **{f"{k}_url": v for k, v in links.items()},
            "number": number,
            "state": "open" if pull.state == "open" else "closed",
            "locked": False,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body or None,
            "labels": [self._label(x) for x in pull.labels],
            "milestone": None,
            "created_at": moment(pull.created),
            "updated_at": moment(pull.updated),
            "closed_at": moment(closed),
            "merged_at": moment(pull.merged_at),
            "merge_commit_sha": pull.merged_as or trial,
            "assignee": None,
            "head": self._side(pull.branch, pull.head, pull.fork),
            "base": self._side(pull.base, sha("base", pull.base), name),
            "_links": {"self": {"href": url}, **{k: {"href": v} for k, v in links.items()}},
            "author_association": "NONE",
            "auto_merge": None,
            "draft": pull.draft,
        }

    def _side(self, ref: str, commit: str, name: str | None) -> dict[str, Any]:
        repository = self.repository(name) if name else None
        owner = repository["owner"] if repository else None
        label = f"{(name or 'unknown').partition('/')[0]}:{ref}"
        return {"label": label, "ref": ref, "sha": commit, "user": owner, "repo": repository}

    def _label(self, name: str) -> dict[str, Any]:
        number = int(sha(name)[:6], 16)
        url = f"{self.base}/repos/{self.forge.repository}/labels/{number}"
        plain = {"id": number, "node_id": node("Label", number), "url": url, "name": name}
        return {**plain, "description": "", "color": "ededed", "default": False}

    def comment(self, comment: Comment) -> dict[str, Any]:
        """Return a comment."""
        at = f"{self.base}/repos/{self.forge.repository}/issues"
        kind = "issues" if comment.on_issue else "pull"
        page = f"{self.base}/{self.forge.repository}/{kind}/{comment.pull}"
        return {
            "url": f"{at}/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{at}/{comment.pull}",
            "id": comment.id,
            "node_id": node("IssueComment", comment.id),
            "user": self.user(comment.author),
            "created_at": moment(comment.created),
            "updated_at": moment(comment.updated),
            "author_association": "NONE",
            "body": comment.body,
            "performed_via_github_app": None,
        }

    def labelling(self, one: Labelling) -> dict[str, Any]:
        """Return the event of a label."""
        return {
            "id": one.id,
            "node_id": node("LabeledEvent", one.id),
            "url": f"{self.base}/repos/{self.forge.repository}/issues/events/{one.id}",
            "actor": self.user(one.actor),
            "event": "labeled" if one.on else "unlabeled",
            "commit_id": None,
            "commit_url": None,
            "created_at": moment(one.at),
            "label": {"name": one.label, "color": "ededed"},
            "performed_via_github_app": None,
        }

    def status(self, status: Status) -> dict[str, Any]:
        """Return a status of a commit."""
        return {
            "url": f"{self.base}/repos/{self.forge.repository}/statuses/{status.commit}",
            "avatar_url": None,
            "id": status.id,
            "node_id": node("StatusContext", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.url or None,
            "context": status.context,
            "created_at": moment(status.at),
            "updated_at": moment(status.at),
            "creator": self.user(status.by),
        }

    def check(self, check: Check, slug: str, permissions: Mapping[str, str]) -> dict[str, Any]:
        """Return a check run."""
        url = f"{self.base}/repos/{self.forge.repository}/check-runs/{check.id}"
        done = check.status == "completed"
        return {
            "id": check.id,
            "node_id": node("CheckRun", check.id),
            "head_sha": check.commit,
            "external_id": check.external_id or "",
            "url": url,
            "html_url": f"{self.base}/{self.forge.repository}/runs/{check.id}",
            "details_url": None,
            "status": check.status,
            "conclusion": check.conclusion if done else None,
            "started_at": moment(check.at),
            "completed_at": moment(check.at) if done else None,
            "output": {
                "title": check.title,
                "summary": check.summary,
                "text": None,
                "annotations_count": len(check.annotations),
                "annotations_url": f"{url}/annotations",
            },
            "name": check.name,
            "check_suite": {"id": check.id},
            "app": self.app(slug, permissions),
            "pull_requests": [],
        }

    def permission(self, account: Account) -> dict[str, Any]:
        """Return what an account may do: the old words fold maintain and triage away."""
        folded = {"maintain": "write", "triage": "read"}.get(account.role, account.role)
        user = {**(self.user(account) or {}), "role_name": account.role}
        return {"permission": folded, "role_name": account.role, "user": user}

    def app(self, slug: str, permissions: Mapping[str, str]) -> dict[str, Any]:
        """Return a GitHub App."""
        number = int(sha(slug)[:6], 16)
        return {
            "id": number,
            "slug": slug,
            "node_id": node("App", number),
            "owner": self.user(Account(1, self.forge.repository.partition("/")[0])),
            "name": slug,
            "description": None,
            "external_url": self.base,
            "html_url": f"{self.base}/apps/{slug}",
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
            "permissions": dict(permissions),
            "events": [],
        }

    def installation(self, number: int, slug: str, permissions: Mapping[str, str]) -> dict[str, Any]:
        """Return an App's installation."""
        url = f"{self.base}/app/installations/{number}"
        return {
            "id": number,
            "account": self.user(Account(1, self.forge.repository.partition("/")[0])),
            "access_tokens_url": f"{url}/access_tokens",
            "repositories_url": f"{self.base}/installation/repositories",
            "html_url": f"{self.base}/settings/installations/{number}",
            "app_id": int(sha(slug)[:6], 16),
            "app_slug": slug,
            "target_id": 1,
            "target_type": "Organization",
            "permissions": dict(permissions),
            "events": [],
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2020-01-01T00:00:00Z",
            "single_file_name": None,
            "repository_selection": "selected",
            "suspended_by": None,
            "suspended_at": None,
        }


def node(kind: str, number: int) -> str:
    """Return an id as GraphQL knows it."""
    return b64encode(f"{kind}:{number}".encode()).decode()


def moment(time: datetime | None) -> str | None:
    """Return a time as GitHub writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
