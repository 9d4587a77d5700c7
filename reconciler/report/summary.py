"""The counts of a plan, told alike by every rendering."""

from dataclasses import asdict, dataclass

from reconciler.plan.model import ActionKind, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many documents, each counted once for each of its targets."""

    create: int
    replace: int
    update: int
    retire: int
    unchanged: int
    drifted: int  # documents with any drift; they are counted by their action too
    blocked: int
    unread: int

    def told(self) -> list[str]:
        """Return what is not nothing, as a title tells it: `1 to create`, `2 blocked`."""
        actions = {
            "create": self.create,
            "replace": self.replace,
            "update": self.update,
            "retire": self.retire,
        }
        held = {"blocked": self.blocked, "unread": self.unread}
        return [f"{n} to {what}" for what, n in actions.items() if n] + [
            f"{n} {what}" for what, n in held.items() if n
        ]

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, in the order in which they are told."""
        return asdict(self)


def summary(plan: Plan) -> Summary:
    """Count the documents of a plan by what happens to them."""

    def count(action: ActionKind) -> int:
        return sum(t.count(action) for t in plan.targets)

    return Summary(
        create=count(ActionKind.CREATE),
        replace=count(ActionKind.REPLACE),
        update=count(ActionKind.UPDATE),
        retire=count(ActionKind.RETIRE),
        unchanged=count(ActionKind.NONE),
        drifted=len({(d.kind, d.name, d.target) for t in plan.targets for d in t.drift}),
        blocked=count(ActionKind.BLOCKED),
        unread=count(ActionKind.UNREAD),
    )


def has_changes(plan: Plan) -> bool:
    """Would a pass write something, now or once what holds it back is gone."""
    quiet = (ActionKind.NONE, ActionKind.UNREAD)
    return any(i.action not in quiet or i.now for t in plan.targets for i in t.items)
