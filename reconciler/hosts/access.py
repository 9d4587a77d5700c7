"""How a git host is reached: kind, repository, address and credentials."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from reconciler.hosts import github, gitlab
from reconciler.hosts.github import GitHub
from reconciler.hosts.github_app import AppToken
from reconciler.hosts.gitlab import GitLab
from reconciler.hosts.model import HostError

AnyHost = GitHub | GitLab


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an operator says of the host."""

    kind: Literal["github", "gitlab"]
    url: str  # of the repository, as git takes it
    repository: str = ""  # owner/name; else from the URL
    api: str = ""  # base address; else the public one
    token: str = field(default="", repr=False)
    app: str = ""  # id of a GitHub App
    app_key: str = ""  # path of its private key, PEM


def open_host(access: Access) -> AnyHost:
    """Return the host. Nothing is sent yet. Raises: HostError for what is missing."""
    repository = access.repository or repository_of(access.url)
    if access.kind == "gitlab":
        return GitLab(repository, _token(access), access.api or gitlab.API)
    base = access.api or github.API
    if not access.app:
        return GitHub(repository, _token(access), base)
    try:
        key = Path(access.app_key).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"the App's private key can't be read: {type(error).__name__}") from None
    token = AppToken(repository, access.app, key, base)
    return GitHub(repository, token, base, app=token)


def _token(access: Access) -> "Constant":
    if not access.token:
        raise HostError(f"{access.kind} needs a token: set RECONCILER_HOST_TOKEN")
    return Constant(access.token)


@dataclass(frozen=True, slots=True)
class Constant:
    """A token that does not change."""

    value: str = field(repr=False)

    def __call__(self) -> str:
        """Return it."""
        return self.value


def repository_of(url: str) -> str:
    """Return `owner/name` from a git URL. Raises: HostError where it names none."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    name = path.strip("/").removesuffix(".git")
    if "/" not in name:
        raise HostError(
            f"{url} does not say which repository it is on the host; set RECONCILER_HOST_REPOSITORY"
        )
    return name
