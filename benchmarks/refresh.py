"""What an instance refresh would take, by its documented defaults: a formula, not a measurement.

Documented in the Amazon EC2 Auto Scaling User Guide: "Understand the default values for an instance refresh",
"How an instance refresh works in an Auto Scaling group" and "Set the health check grace period for an Auto
Scaling group".
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final

from reconciler.plan.settle import Physics

MIN_HEALTHY: Final = 90  # percent, where there is no instance maintenance policy
MAX_HEALTHY: Final = 100
BY_API: Final = timedelta()  # grace period of a group that the CLI or an SDK made: the warmup by default
BY_CONSOLE: Final = timedelta(minutes=5)  # and of one that the console made
CHECKPOINT: Final = timedelta(hours=1)  # the wait at a checkpoint, where there are any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """An instance refresh of a group behind a balancer: its preferences."""

    least: int = MIN_HEALTHY  # percent
    most: int = MAX_HEALTHY
    warmup: timedelta = BY_API
    checkpoints: int = 0  # before the end

    def batch(self, instances: int) -> int:
        """Return how many are replaced at a time: what the range leaves free, and never fewer than one."""
        down = instances - ceil(instances * self.least / 100)
        up = instances * self.most // 100 - instances
        return max(1, down + up)

    def batches(self, instances: int) -> int:
        """Return how many batches that makes."""
        return ceil(instances / self.batch(instances))

    def each(self, physics: Physics) -> timedelta:
        """Return how long one batch takes.

        Old ones end while new ones boot, where fewer than all may serve; else they end once the new ones
        are ready. That the next batch waits for their end is not documented: it is not counted.
        """
        return physics.boot + physics.healthy + self.warmup

    def whole(self, instances: int, physics: Physics) -> timedelta:
        """Return the time until every instance is a new one."""
        return self.batches(instances) * self.each(physics) + self.checkpoints * CHECKPOINT

    def back(self, instances: int, physics: Physics, *, batches: int | None = None) -> timedelta:
        """Return the time to replace the first batches, or all, once more: by the old configuration."""
        return min(batches or self.batches(instances), self.batches(instances)) * self.each(physics)

    def surge(self, instances: int) -> int:
        """Return how many run beside the size of the group: those that are launched before others end."""
        return (
            self.batch(instances) if self.least == 100 else max(0, instances * self.most // 100 - instances)
        )

    def hours(self, instances: int, physics: Physics) -> float:
        """Return the instance-hours beside what runs without it."""
        return self.surge(instances) * self.whole(instances, physics) / timedelta(hours=1)

    def serving(self, instances: int) -> int:
        """Return the least that serves while it runs, in percent of the group's size."""
        if self.least == 100:
            return 100
        return 100 * (instances - self.batch(instances)) // instances
