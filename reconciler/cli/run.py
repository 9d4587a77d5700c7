"""`reconciler run`: its options, each of which is a setting too."""

from pathlib import Path
from typing import Annotated, Final

import typer

from reconciler.cli.options import settings, told

EPILOG: Final = (
    "Settings that are secrets are no options: RECONCILER_GIT_TOKEN (token for the repository over HTTPS), "
    "RECONCILER_REDACTION_KEY (key of the hashes that stand for secrets; random for each process without), "
    "RECONCILER_HOST_TOKEN (token for the git host's API), RECONCILER_WEBHOOK_SECRET (of POST /hooks/...). "
    "RECONCILER_VERIFY_SIGNATURES (whose signature a commit needs) is a list, as JSON or in the file. "
    "Each RECONCILER_NAME in brackets is read from the environment, and `name` from reconciler.toml; "
    "the command line goes before the environment, that before the file."
)


def _also(text: str, name: str) -> str:
    return f"{text} [RECONCILER_{name}]"


def run(  # noqa: PLR0913  # one for each setting
    *,
    repo: Annotated[
        str | None,
        typer.Option(
            metavar="URL|PATH", help=_also("Git repository of the desired state. Default: .", "REPO")
        ),
    ] = None,
    ref: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=_also("Branch, tag or commit. Default: the remote's HEAD.", "REF")),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(metavar="DIR", help=_also("Folder of the repository. Default: its root.", "PATH")),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=_also("Target; repeatable. Default: all.", "TARGET")),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=_also("Folder for the mirror of the repository.", "CACHE")),
    ] = None,
    poll: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help=_also("How often the repository is asked. Default: 15s.", "POLL")),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help=_also("How often each target is reconciled. Default: 60s.", "INTERVAL")
        ),
    ] = None,
    audit: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help=_also("Within this, every fleet is looked at in full. Default: 1h.", "AUDIT")
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help=_also("Address of /healthz, /readyz and /metrics. Default: 127.0.0.1:8080.", "LISTEN"),
        ),
    ] = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only", help=_also("Never write.", "READ_ONLY"))
    ] = None,
    ssh_key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=_also("Key for the repository over SSH.", "SSH_KEY")),
    ] = None,
    known_hosts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=_also("Known hosts for SSH.", "KNOWN_HOSTS")),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help=_also("Plan pull requests of: github, gitlab. Default: none.", "HOST")
        ),
    ] = None,
    host_repository: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME", help=_also("On the host. Default: from the URL.", "HOST_REPOSITORY")
        ),
    ] = None,
    host_api: Annotated[
        str | None,
        typer.Option(metavar="URL", help=_also("Its API. Default: the public one.", "HOST_API")),
    ] = None,
    host_app: Annotated[
        str | None,
        typer.Option(metavar="ID", help=_also("A GitHub App, instead of a token.", "HOST_APP")),
    ] = None,
    host_app_key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=_also("The App's private key.", "HOST_APP_KEY")),
    ] = None,
    host_poll: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help=_also("How often pull requests are asked for. Default: 30s.", "HOST_POLL")
        ),
    ] = None,
    log_level: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL", help=_also("debug, info, warning or error. Default: info.", "LOG_LEVEL")
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help=_also("json, console, or auto: console on a terminal. Default: auto.", "LOG_FORMAT"),
        ),
    ] = None,
) -> None:
    """Run the daemon: follow the repository and reconcile its targets. Exit 0 on SIGTERM."""
    with told():
        chosen = settings(
            repo,
            ref,
            path,
            target,
            cache=cache,
            poll=poll,
            interval=interval,
            audit=audit,
            listen=listen,
            read_only=read_only,
            ssh_key=ssh_key,
            known_hosts=known_hosts,
            host=host,
            host_repository=host_repository,
            host_api=host_api,
            host_app=host_app,
            host_app_key=host_app_key,
            host_poll=host_poll,
            log_level=log_level,
            log_format=log_format,
        )
        from reconciler.daemon.service import run as command

        code = command(chosen)
    raise typer.Exit(code)
