"""A group's minimum, maximum and desired size."""

from collections.abc import Mapping

from emulator.region import Body, Group
from emulator.wire import invalid


def check_sizes(low: int, high: int, desired: int) -> None:
    """Raises: ValidationError for sizes that are out of order or negative."""
    if min(low, high, desired) < 0:
        raise invalid("Min, max and desired sizes must not be negative")
    if low > high:
        raise invalid(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not low <= desired <= high:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


def set_sizes(group: Group, given: Mapping[str, int]) -> None:
    """Change sizes; a desired size that is not given moves into the bounds, as on AWS.

    Raises: ValidationError, with nothing changed.
    """
    body: Body = group.body
    low = given.get("MinSize", body["MinSize"])
    high = given.get("MaxSize", body["MaxSize"])
    desired = given.get("DesiredCapacity", max(low, min(high, body["DesiredCapacity"])))
    check_sizes(low, high, desired)
    body |= {"MinSize": low, "MaxSize": high, "DesiredCapacity": desired}
