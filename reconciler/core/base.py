"""One base for all desired state, frozen, closed and strict, and the scalar types that it is made of."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from reconciler.core.duration import PATTERN, format_duration, parse_duration
from reconciler.core.problem import RefusedError


class Spec(BaseModel):
    """A part of a document: unknown fields are errors, values are what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _duration(value: object) -> timedelta:
    try:
        return (
            value if isinstance(value, timedelta) else parse_duration(value if isinstance(value, str) else "")
        )
    except ValueError:
        raise RefusedError(
            f"{value!r} is not a duration",
            "durations are strings of hours, minutes and seconds",
            "write 90s, 5m or 1h30m",
        ) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]

PERCENT: Final = r"^(100|[0-9]{1,2})%$"


def _percent(value: object) -> int:
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit() and int(value[:-1]) <= 100:
        return int(value[:-1])
    raise RefusedError(
        f"{value!r} is not a percentage", "limits are shares of what is live", "write 0% to 100%"
    )


Percent = Annotated[int, BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": PERCENT})]


def _strings(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise RefusedError(
            f"{said_of_secret(value)} is not a map", "keys and values are needed here", "write {key: value}"
        )
    odd = next((k for k, v in value.items() if not isinstance(v, str)), None)
    if odd is not None:
        text = "..." if isinstance(value[odd], dict | list) else value[odd]
        raise RefusedError(
            f"the value of `{odd}` is {_short(value[odd])}",
            "values here are strings",
            f'write {odd}: "{text}"',
        )
    return tuple(sorted(value.items()))


StringMap = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(_strings),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
"""A map of strings, held as sorted pairs: a dict in a frozen model would stay mutable."""

TAG_KEY, TAG_VALUE = 128, 256  # characters (EC2 User Guide, Tag restrictions)


def _tags(value: object) -> tuple[tuple[str, str], ...]:
    pairs = _strings(value)
    for key, text in pairs:
        if key.startswith(("aws:", "reconciler:")):
            raise RefusedError(
                f"tag `{key}` has a reserved prefix",
                "aws: belongs to AWS and reconciler: to this program",
                "rename the tag",
            )
        if not 1 <= len(key) <= TAG_KEY or len(text) > TAG_VALUE:
            raise RefusedError(
                f"tag `{key[:30]}` is too long",
                "AWS takes 128 characters of key and 256 of value",
                "shorten it",
            )
    return pairs


TAGS_FREE: Final = (
    50 - 16
)  # AWS takes 50 on a resource; at most 16 are ours (ARCHITECTURE, Where state lives)
TagMap = Annotated[
    tuple[tuple[str, str], ...],
    BeforeValidator(_tags),
    Field(max_length=TAGS_FREE),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": TAGS_FREE}
    ),
]


def _time(value: object) -> object:
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            parsed = None
        if parsed is None or parsed.tzinfo is None:
            raise RefusedError(
                f"{value!r} is not a point in time",
                "a time needs its date and its offset from UTC",
                "write 2026-12-20T00:00:00Z",
            )
        return parsed
    raise RefusedError(
        f"{_short(value)} is not a point in time", "it is a string", "write 2026-12-20T00:00:00Z"
    )


Time = Annotated[
    AwareDatetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})
]


LATER: Final = "Refused for now: "
"""Opens the description of a field of the contract whose type is None: what it waits for stands behind it."""


def _short(value: object) -> str:
    words = {dict: "a map", list: "a list", bool: "true or false", type(None): "nothing"}
    return words.get(type(value), repr(value)[:60])


def said(value: object) -> str:
    """Return a value from a document as an error message names it."""
    return _short(value)


def said_of_secret(value: object) -> str:
    """Return what kind of value stands where a secret may: errors go into comments and logs."""
    return "text" if isinstance(value, str) else _short(value)


Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$")]
AmiId = Annotated[str, Field(pattern=r"^ami-[0-9a-f]{3,32}$")]
AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-z]+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Port = Annotated[int, Field(ge=1, le=65535)]

INSTANCE_TYPE: Final = r"^[a-z0-9-]+\.[a-z0-9-]+$"
WORDS: Final = {
    INSTANCE_TYPE: ("an instance type", "for example m7g.large"),
    r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$": (
        "an ARN",
        "arn:aws:service:region:account:resource",
    ),
    r"^ami-[0-9a-f]{3,32}$": ("an AMI id", "ami- and hex digits"),
    r"^[0-9]{12}$": ("an account id", 'twelve digits in quotes: "123456789012"'),
    r"^subnet-[0-9a-z]+$": ("a subnet id", "subnet-0123, or {tag: {Name: app}}"),
    r"^[a-z][a-z0-9-]{0,30}$": ("a name", "a lower-case letter, then at most 30 letters, digits and hyphens"),
}
"""What each pattern means, for errors."""
