"""Pages of EC2's describes: `MaxResults` within its bounds, and tokens that end."""

from collections.abc import Iterable
from typing import Any

from emulator.wire import Refused, page


def paged(
    response: Any, items: Iterable[tuple[str, Any]], *, least: int, most: int
) -> tuple[list[Any], str | None]:
    """Return the page of items (by key) that a request asks for, and the token of the next.

    Raises: Refused, InvalidParameterValue or InvalidNextToken.
    """
    size = response._get_int_param("MaxResults", most)
    if not least <= size <= most:
        raise Refused(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid."
            f" Expecting a value between {least} and {most}.",
        )
    bad = Refused("InvalidNextToken", "The specified NextToken is not valid.")
    return page(items, response._get_param("NextToken"), size, bad=bad)
