"""What is to be looked at."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.core.ids import ResourceName


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Launches:
    """The launches of one group since it was born."""

    group: ResourceName
    born: datetime
