"""What a write gives back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to one step. `already`: the effect was there before, so that nothing was written."""

    arn: str = ""
    change: str = ""  # id of a Route 53 change batch
    already: bool = False


DONE = Receipt()
ALREADY = Receipt(already=True)
