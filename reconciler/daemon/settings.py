"""Settings: an option of the command line, a `RECONCILER_*` variable, or a key of `reconciler.toml`."""

import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from reconciler.core.base import Duration
from reconciler.core.errors import ReconcilerError
from reconciler.source.policy import Rule

FILE: Final = "reconciler.toml"
PREFIX: Final = "RECONCILER_"


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(w for part in value.split(",") if (w := part.strip()))
    return tuple(value) if isinstance(value, list) else value


def _rules(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("it is no JSON; write a list of rules, see docs/signatures.md") from None


class SettingsError(ReconcilerError):
    """An operator must act: a setting is not what it may be."""


def cache_folder() -> Path:
    """Return where the mirror is kept: it is only ever a copy, and may be deleted at any time."""
    home = os.environ.get("XDG_CACHE_HOME") or (Path("~").expanduser() / ".cache")
    folder = Path(home) / "reconciler"
    writable = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    return folder if os.access(writable, os.W_OK) else Path(tempfile.gettempdir()) / "reconciler"


class Settings(BaseSettings):
    """How the program runs. The command line goes before the environment, that before the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    repo: str = Field(".", description="Git repository of the desired state: a URL or a local path.")
    ref: str | None = Field(None, description="Branch, tag or commit; the remote's HEAD without it.")
    path: str = Field("", description="Folder of the repository that holds the desired state.")
    target: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="Targets to look at, comma-separated; all without it."
    )
    cache: Path = Field(default_factory=cache_folder, description="Folder for the mirror of the repository.")
    poll: Duration = Field(
        timedelta(seconds=15), gt=timedelta(0), description="How often the repository is asked."
    )
    interval: Duration = Field(
        timedelta(seconds=60), gt=timedelta(0), description="How often each target is reconciled."
    )
    audit: Duration = Field(
        timedelta(hours=1), gt=timedelta(0), description="Within this, every fleet is looked at in full."
    )
    listen: str = Field("127.0.0.1:8080", description="Address of health, readiness and metrics.")
    read_only: bool = Field(default=False, description="Never write.")
    git_token: SecretStr = Field(SecretStr(""), description="Token for the repository over HTTPS.")
    ssh_key: str = Field("", description="Path of the key for the repository over SSH.")
    known_hosts: str = Field("", description="Path of the known hosts for SSH.")
    verify_signatures: Annotated[tuple[Rule, ...], NoDecode, BeforeValidator(_rules)] = Field(
        (),
        description="Whose signature a commit needs, by path: tables `paths`, `signers`, `keyring`, `since`; "
        "JSON in the variable ([signatures](../signatures.md)).",
    )
    redaction_key: SecretStr = Field(
        SecretStr(""), description="Key of the hashes that stand for secrets; else random for each process."
    )
    host: Literal["none", "github", "gitlab"] = Field(
        "none", description="Git host whose pull requests are planned."
    )
    host_repository: str = Field("", description="owner/name on the host; from the URL without it.")
    host_api: str = Field("", description="Base address of the host's API; the public one without it.")
    host_token: SecretStr = Field(SecretStr(""), description="Token for the host's API.")
    host_app: str = Field("", description="Id of a GitHub App, instead of a token.")
    host_app_key: str = Field("", description="Path of the App's private key.")
    host_poll: Duration = Field(timedelta(seconds=30), description="How often pull requests are asked for.")
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Secret of POST /hooks/github and /hooks/gitlab; without it there are none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level told.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: console on a terminal, JSON elsewhere."
    )

    def __init__(self, **values: Any) -> None:
        """Take what the command line said; None, or no target, means it said nothing.

        Raises: SettingsError, which names the setting and where it was looked for.
        """
        try:
            super().__init__(**{k: v for k, v in values.items() if v is not None and v not in ((), [])})
        except ValidationError as error:
            found = error.errors()[0]
            name, *inner = map(str, found["loc"] or ("?",))
            why = str(found["ctx"]["error"]) if "error" in found.get("ctx", {}) else found["msg"]
            why = f"{'.'.join(inner)}: {why}" if inner else why
            places = f"{PREFIX}{name.upper()}, --{name.replace('_', '-')}, or a key of {FILE}"
            raise SettingsError(f"setting {name} ({places}): {why}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))
