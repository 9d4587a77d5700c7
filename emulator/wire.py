"""Services of the query protocol that answer from our own state: parameters in, botocore's shapes out.

A service here takes the place of moto's: moto parses and authenticates the request, our function
answers in the words of the API model, and what we don't serve is answered as any unknown operation.
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from moto.core.exceptions import ServiceException
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model

from emulator import clock
from emulator.region import Region, region_of

Params = dict[str, Any]
Operation = Callable[[Region, Params], "dict[str, Any] | None"]
_Writer = Callable[[str, Any, list[str]], None]


class Refused(ServiceException):
    """An error as AWS words it: its code, and the message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)


def invalid(message: str) -> Refused:
    """Return AWS's ValidationError."""
    return Refused("ValidationError", message)


def serve(
    response_class: type[BaseResponse],
    service: str,
    operations: Mapping[str, Operation],
    *,
    keep: Sequence[str] = (),
) -> None:
    """Answer these operations of a service by our functions, and take moto's own away but a few."""
    model = get_service_model(service)
    for name in model.operation_names:
        method = camelcase_to_underscores(name)
        if name in operations:
            replace_one(response_class, model, name, operations[name])
        elif name not in keep and method in vars(response_class):
            delattr(response_class, method)


def replace_one(
    response_class: type[BaseResponse], model: ServiceModel, name: str, operation: Operation
) -> None:
    """Answer one operation by our function."""
    answer = _answer(model, name)

    def method(self: Any) -> str:
        region = region_of(self.current_account, self.region)
        region.at = clock.now()
        return answer(operation(region, self._get_params()) or {})

    setattr(response_class, camelcase_to_underscores(name), method)


def _answer(model: ServiceModel, name: str) -> Callable[[dict[str, Any]], str]:
    shape = model.operation_model(name).output_shape
    wrapper = shape.serialization.get("resultWrapper", f"{name}Result") if shape else ""
    head = f'<{name}Response xmlns="{model.metadata["xmlNamespace"]}">'
    tail = f"<ResponseMetadata><RequestId>-</RequestId></ResponseMetadata></{name}Response>"
    write = _writer(shape, {}) if shape else None

    def answer(result: dict[str, Any]) -> str:
        out = [head]
        if write:
            write(wrapper, result, out)
        out.append(tail)
        return "".join(out)

    return answer


def _writer(shape: Shape, known: dict[str, _Writer]) -> _Writer:
    """Return what writes a value of a shape as XML; made once for each shape, for describes are large."""
    if shape.name in known:
        return known[shape.name]

    def later(tag: str, value: Any, out: list[str]) -> None:
        known[shape.name](tag, value, out)

    known[shape.name] = later  # a shape may hold itself
    known[shape.name] = made = _make_writer(shape, known)
    return made


def _make_writer(shape: Shape, known: dict[str, _Writer]) -> _Writer:
    if isinstance(shape, StructureShape):
        members = [
            (key, member.serialization.get("name", key), _writer(member, known))
            for key, member in shape.members.items()
        ]

        def structure(tag: str, value: Any, out: list[str]) -> None:
            out.append(f"<{tag}>")
            for key, inner, write in members:
                if (one := value.get(key)) is not None:
                    write(inner, one, out)
            out.append(f"</{tag}>")

        return structure
    if isinstance(shape, ListShape):
        inner, each = shape.member.serialization.get("name", "member"), _writer(shape.member, known)

        def many(tag: str, value: Any, out: list[str]) -> None:
            out.append(f"<{tag}>")
            for one in value:
                each(inner, one, out)
            out.append(f"</{tag}>")

        return many
    return _scalar


def _scalar(tag: str, value: Any, out: list[str]) -> None:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, datetime):
        text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    else:
        text = escape(str(value))
    out.append(f"<{tag}>{text}</{tag}>")


def page(
    items: Mapping[str, Any] | Iterable[tuple[str, Any]], token: str | None, size: int, *, bad: Refused
) -> tuple[list[Any], str | None]:
    """Return one page of items in the order of their keys, and the token of the next page, if any.

    The token names the last key of the page before it, so that a page never shows a thing twice.
    Raises: `bad` for a token that is none of ours.
    """
    pairs: Sequence[tuple[str, Any]] = sorted(
        items.items() if isinstance(items, Mapping) else items, key=lambda pair: pair[0]
    )
    start = 0
    if token is not None:
        try:
            last = base64.urlsafe_b64decode(token.encode()).decode()
        except (binascii.Error, UnicodeError):
            raise bad from None
        if not last.startswith("after "):
            raise bad
        start = bisect_right([k for k, _ in pairs], last.removeprefix("after "))
    part = pairs[start : start + size]
    more = start + size < len(pairs)
    after = base64.urlsafe_b64encode(f"after {part[-1][0]}".encode()).decode() if more else None
    return [value for _, value in part], after
