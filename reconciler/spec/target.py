"""Target: one account and region."""

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Literal

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from reconciler.core.base import AccountId, Arn, Duration, Percent, Spec, TagMap, Time, said
from reconciler.core.problem import RefusedError
from reconciler.spec.metadata import Metadata


class DriftMode(Spec):
    """What is done about live differences that no commit explains."""

    mode: Literal["report", "heal"] = Field(
        "report", description="report logs drift; heal also puts it right."
    )
    ignore: tuple[str, ...] = Field((), description="Fields left to others, by path: scaling, tags.team.")


def _mode(value: object) -> object:
    if isinstance(value, str):
        if value not in ("report", "heal"):
            raise RefusedError(
                f"drift is {value!r}", "there are two ways to treat drift", "write report or heal"
            )
        return {"mode": value}
    if not isinstance(value, dict):
        raise RefusedError(
            f"drift is {said(value)}", "it is a word or a map", "write report, heal or {mode: heal}"
        )
    ignore = value.get("ignore")  # strict models take tuples alone from a validator
    return {**value, "ignore": tuple(ignore)} if isinstance(ignore, list) else value


Drift = Annotated[
    DriftMode,
    BeforeValidator(_mode),
    WithJsonSchema(
        {
            "oneOf": [
                {"enum": ["report", "heal"]},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "mode": {"enum": ["report", "heal"]},
                        "ignore": {"type": "array", "items": {"type": "string"}},
                    },
                },
            ]
        }
    ),
]


class Limits(Spec):
    """How much one plan may take away before a person has to approve it."""

    retire: Percent = Field(
        30, description="Share of the live fleets that may leave git at once; at least one."
    )
    dnsDeletes: Percent = Field(
        30, description="Share of a zone's own records deleted; counted from 10 upwards."
    )
    dnsChanges: Percent = Field(
        30, description="Share of a zone's own records changed; counted from 10 upwards."
    )
    rollouts: int = Field(4, ge=1, description="Replacements under way at once; births do not count.")
    failures: int = Field(
        2,
        ge=1,
        description="Failed rollouts of one commit or one AMI, after which no further one of it begins.",
    )
    approved: tuple[str, ...] = Field(
        (), description="Plan digests that pass this Target's limits and freezes."
    )


def check_cron(value: str) -> str:
    """Return a cron expression of five fields, or refuse it."""
    if len(value.split()) == CRON_FIELDS and _parses(value):
        return value
    raise RefusedError(
        f"{value!r} is not a cron expression",
        "five fields are needed: minute, hour, day, month, weekday (0 and 7 are Sunday)",
        'write for example "0 18 * * 5"',
    )


CRON_FIELDS = 5


def _parses(cron: str) -> bool:
    try:
        CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


@cache
def _timezones() -> frozenset[str]:
    """Return the names of all time zones: a walk over hundreds of files."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


def check_timezone(value: str) -> str:
    """Return the name of a time zone, or refuse it."""
    if value not in _timezones():
        raise RefusedError(
            f"{value!r} is not a time zone", "IANA names are read", "write for example Asia/Seoul"
        )
    return value


Cron = Annotated[str, AfterValidator(check_cron)]
Timezone = Annotated[str, AfterValidator(check_timezone)]


class Freeze(Spec):
    """A window in which nothing of a kind begins."""

    from_: Time | None = Field(None, alias="from", description="Start of a single window.")
    to: Time | None = Field(None, description="End of a single window.")
    cron: Cron | None = Field(None, description="Start of a window that recurs; five fields.")
    for_: Duration | None = Field(None, alias="for", description="Length of a window that recurs.")
    timezone: Timezone = Field("UTC", description="Time zone of `cron`.")
    holds: tuple[Literal["start", "retire", "records"], ...] = Field(
        ("start",),
        description="start: births, healing by replacement, pruning; retire: ends; records: zones.",
    )
    reason: str = Field(description="Stands in every plan and log line that this window holds back.")

    @model_validator(mode="after")
    def _one_form(self) -> "Freeze":
        single, again = (self.from_, self.to), (self.cron, self.for_)
        if None not in single and again == (None, None):
            if self.from_ and self.to and self.from_ >= self.to:
                raise RefusedError(
                    "the freeze ends before it begins", "`to` is not after `from`", "swap them"
                )
            return self
        if None not in again and single == (None, None):
            return self
        raise RefusedError(
            "the freeze is not one window",
            "it is either from and to, or cron and for",
            "write one of the two pairs whole",
        )


class TargetSpec(Spec):
    """One account and region, who we are there, and what guards it."""

    account: AccountId = Field(description="Checked against sts before anything is written.")
    region: str = Field(
        pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", description="No two Targets share account and region."
    )
    owner: str = Field(
        pattern=r"^[A-Za-z0-9._/-]{1,64}$",
        description="This desired-state repository's name in that account.",
    )
    assumeRole: Arn | None = Field(None, description="Role that is assumed to reach the account.")
    externalId: str | None = Field(None, description="External id for that role.")
    tags: TagMap = Field((), description="On everything that is made there.")
    drift: Drift = Field(DriftMode(), description="Default for all in it: report | heal | {mode, ignore}.")
    limits: Limits = Field(Limits(), description="What a plan may take away at once.")
    freeze: tuple[Freeze, ...] = Field((), description="Windows in which nothing of a kind begins.")


class Target(Spec):
    """Document of kind Target."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Target"]
    metadata: Metadata
    spec: TargetSpec


__all__ = ["Cron", "Drift", "DriftMode", "Freeze", "Limits", "Target", "TargetSpec", "Timezone"]
