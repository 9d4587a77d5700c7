"""What a person asks of a fleet by hand -> the write that says it, or why it means nothing now. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

from reconciler.core.errors import ReconcilerError
from reconciler.core.facts import COMMIT, FAILED, HAND, Keeper, Unread
from reconciler.core.ids import FleetName, InstanceId, Revision, resource_name
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import ReplaceInstance, TagGroup
from reconciler.kinds.register import Step, World
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.model import ActionKind, Item, SuspendedBy, TargetPlan
from reconciler.strategies.back import HELD
from reconciler.strategies.hand import Hand, Verb
from reconciler.strategies.slice import Live, bare, fleets_of
from reconciler.strategies.staged import PAUSE

REASON: Final = 200  # characters: a tag holds 256 with verb and times
NO_REASON: Final = "no reason was given"
WAVE: Final = "wave"  # code of one that waits for the same fleet in an earlier target
BY_GIT: Final = (SuspendedBy.TARGET, SuspendedBy.DOCUMENT)


class NoMeaningError(ReconcilerError):
    """Who asked must act: what was asked for means nothing now. The sentence says why."""


class NothingFailedError(NoMeaningError):
    """`retry` of a fleet that has nothing to try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one fleet in one target when something is asked of it."""

    fleet: FleetName
    target: str
    item: Item | None  # what the plan says of it
    revisions: tuple[Live, ...]  # oldest first
    as_of: datetime
    targets: tuple[str, ...]  # of the fleet in git, in this order; none: git does not have it here

    @property
    def up(self) -> tuple[Live, ...]:
        """Revisions with a group that stays, oldest first."""
        return tuple(r for r in self.revisions if r.up)

    @property
    def new(self) -> Live | None:
        """The revision that git wants, if it has a group."""
        to = Revision(self.item.to) if self.item else Revision("")
        return next((r for r in self.up if r.revision == to), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is written, and what is told of it. Nothing is written where it was said already."""

    steps: tuple[Step, ...]
    told: str


Ask: TypeAlias = Callable[[Facts], Answer]


def facts_of(world: World, plan: TargetPlan, keeper: Keeper, fleet: str, targets: tuple[str, ...]) -> Facts:
    """Return what is known of a fleet. Raises: NoMeaningError where its groups could not be read."""
    for facts in (world.groups, world.templates):
        if isinstance(facts, Unread):
            raise NoMeaningError(str(facts))
    name = FleetName(fleet)
    item = next((i for i in plan.items if (i.kind, i.name) == ("Fleet", fleet)), None)
    revisions = fleets_of(world, keeper).get(name, ())
    return Facts(
        fleet=name, target=plan.target, item=item, revisions=revisions, as_of=world.as_of, targets=targets
    )


def because(reason: str) -> str:
    """Return a reason as a tag holds it. Raises: NoMeaningError where there is none, or too much of it."""
    text = " ".join(reason.split())
    if not text:
        raise NoMeaningError("a reason is needed: it is told wherever something is held")
    if len(text) > REASON or not text.isprintable():
        raise NoMeaningError(f"a reason has at most {REASON} characters that can be printed")
    return text


def pause(reason: str, span: timedelta | None = None) -> Ask:
    """Suspend a fleet by a tag, for a while or until `resume`.

    The tag stands on every group that works, so that it outlives a rollout that goes back; a group
    that was promoted or aborted keeps that word.
    """
    why = because(reason)
    if span is not None and span <= timedelta():
        raise NoMeaningError("a pause of no time suspends nothing; leave it out for one until `resume`")

    def ask(facts: Facts) -> Answer:
        if not facts.up:
            raise NoMeaningError(
                f"no group of {facts.fleet} runs in {facts.target}; suspend it in git by metadata.suspend"
            )
        working = [r for r in facts.up if r.idle is None] or [facts.up[-1]]
        free = [r for r in working if r.hand is None or r.hand.verb is Verb.PAUSE] or working[-1:]
        known = bare(facts.revisions, facts.as_of).paused()
        until = facts.as_of + span if span else None
        if known and span is None and known.until is None and known.text == why:
            hand = known
        else:
            hand = Hand(verb=Verb.PAUSE, since=known.since if known else facts.as_of, until=until, text=why)
        end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        way = "" if until else f"; `reconciler resume {facts.fleet}` ends it"
        told = f"{facts.fleet} is suspended{end}: {why}{way}. A rollout in flight still goes back if it fails"
        return Answer(steps=_tags(free, hand), told=told)

    return ask


def resume(reason: str = "") -> Ask:
    """End a suspension by tag. A reason may be left out: that of the pause has ended."""
    why = because(reason or NO_REASON)

    def ask(facts: Facts) -> Answer:
        paused = [r for r in facts.up if r.hand and r.hand.verb is Verb.PAUSE and r.hand.holds(facts.as_of)]
        by_git = facts.item.suspended if facts.item else None
        still = by_git if by_git and by_git.said in BY_GIT else None
        if not paused:
            where = f"; it is suspended in git ({still.where}): take that out" if still else ""
            raise NoMeaningError(f"{facts.fleet} is not paused in {facts.target}{where}")
        steps = tuple(TagGroup(name=r.name, drop=(HAND,), because=f"resumed: {why}") for r in paused)
        if still:
            return Answer(
                steps=steps,
                told=f"{facts.fleet} is not paused any more, and still suspended in git ({still.where})",
            )
        return Answer(steps=steps, told=f"{facts.fleet} goes on")

    return ask


def promote() -> Ask:
    """Go past the pause that a rollout stands at, or past the wave that holds it."""

    def ask(facts: Facts) -> Answer:
        item, new = _moving(facts), facts.new
        code = item.blocked.code if item.blocked else ""
        said = new.hand if new else None
        if new and new.stage and said and (said.verb, said.text) == (Verb.PROMOTE, str(new.stage.step)):
            return Answer(steps=(), told=f"{facts.fleet} was promoted already: it goes on")
        if code == PAUSE and new and new.stage:
            hand = Hand(verb=Verb.PROMOTE, since=facts.as_of, text=str(new.stage.step))
            return Answer(steps=_tags([new], hand), told=f"{facts.fleet} goes past its pause")
        if code == WAVE or (
            facts.target in facts.targets[1:] and new is None and item.action is ActionKind.REPLACE
        ):
            return _past_wave(facts, item)
        why = item.blocked or item.wait
        now = f": {why.why}" if why else ""
        raise NoMeaningError(f"{facts.fleet} waits for nobody in {facts.target}{now}")

    return ask


def _past_wave(facts: Facts, item: Item) -> Answer:
    """Say on the group that serves that this one revision does not wait for the earlier targets."""
    serving = next((r for r in facts.up if r.revision == item.was), None)
    if serving is None:
        raise NoMeaningError(
            f"{facts.fleet} has no group in {facts.target} that could hold the word; "
            "mend the earlier target, or take it out of the fleet's targets"
        )
    name = resource_name(facts.fleet, Revision(item.to))
    hand = Hand(verb=Verb.PROMOTE, since=facts.as_of, text=f"{WAVE} {name}")
    if serving.hand and (serving.hand.verb, serving.hand.text) == (hand.verb, hand.text):
        return Answer(steps=(), told=f"{name} was promoted past its wave already")
    return Answer(steps=_tags([serving], hand), told=f"{name} does not wait for the earlier targets")


def full(reason: str) -> Ask:
    """Give the new revision all traffic without holds and pauses; gates and health still count."""
    why = because(reason)

    def ask(facts: Facts) -> Answer:
        _moving(facts)
        new = facts.new
        if new is None or not _before(facts, new):
            raise NoMeaningError(f"no rollout of {facts.fleet} is under way in {facts.target}")
        if new.hand and new.hand.verb is Verb.ABORT:
            raise NoMeaningError(f"{new.name} goes back: {new.hand.text}")
        if new.hand and new.hand.verb is Verb.FULL:
            return Answer(steps=(), told=f"{new.name} takes all traffic already, as soon as its gates hold")
        hand = Hand(verb=Verb.FULL, since=facts.as_of, text=why)
        return Answer(
            steps=_tags([new], hand), told=f"{new.name} takes all traffic as soon as its gates hold"
        )

    return ask


def abort(reason: str = "") -> Ask:
    """Go back to the revision before, as if the new one had failed, until that one is retired.

    A reason may be left out: nobody who sees errors rise has to think of words first.
    """
    why = because(reason or NO_REASON)

    def ask(facts: Facts) -> Answer:
        item, new = facts.item, facts.new
        if item is None or not facts.targets or not item.to:
            raise NoMeaningError(f"{facts.fleet} has no revision that git wants in {facts.target}")
        dead = next((r for r in facts.revisions if r.revision == item.to and _failed(r)), None)
        if dead:
            raise NoMeaningError(f"{dead.name} has failed and goes back already")
        old = [r for r in facts.up if new and r.revision != new.revision]
        if new and new.hand and new.hand.verb is Verb.ABORT:
            return Answer(steps=(), told=f"{new.name} goes back already: {new.hand.text}")
        if new is None or not old:
            state = "no rollout is under way" if new is None else "the revision before is retired"
            raise NoMeaningError(
                f"there is nothing to go back to in {facts.target}: {state}; revert the commit"
            )
        hand = Hand(verb=Verb.ABORT, since=facts.as_of, text=why)
        told = f"traffic goes back to {old[-1].name}; {new.name} is not tried again until its spec changes"
        return Answer(steps=_tags([new], hand), told=told)

    return ask


def retry(commit: str) -> Ask:
    """Try again what failed: tombstones lose their mark, and a group that is still there gets its time anew.

    The word on the group goes first: a mark taken off alone would be set again, its time being over. What is
    tried again counts for this commit from now on.
    """

    def ask(facts: Facts) -> Answer:
        dead = [r for r in facts.revisions if _failed(r)]
        held = facts.new if facts.item and facts.item.blocked and facts.item.blocked.code == HELD else None
        again = [r for r in facts.revisions if r in dead or r is held]
        if not again:
            where = f"no revision of {facts.fleet} failed in {facts.target}"
            raise NothingFailedError(f"{where}; see `reconciler explain {facts.fleet}`")
        said = Hand(verb=Verb.RETRY, since=facts.as_of)
        marks = tuple(
            TagTemplate(
                name=r.template.name,
                id=r.template.id,
                put=((COMMIT, commit),),
                drop=(FAILED,),
                because="`retry` was said",
            )
            for r in dead
            if r.template
        )
        words = _tags([r for r in again if r.up], said)
        names = " and ".join(r.name for r in again)
        told = f"{names} {'is' if len(again) == 1 else 'are'} tried again"
        return Answer(steps=(*words, *marks), told=told)

    return ask


def replace_instance(instance: str, reason: str) -> Ask:
    """Have the group of an instance replace it.

    While a rollout is under way only one of the revision that serves: the new one is judged by its own.
    """
    why = because(reason)

    def ask(facts: Facts) -> Answer:
        live = next(r for r in facts.up if InstanceId(instance) in r.own)
        group = live.group
        one = next(i for i in group.instances if i.id == instance) if group else None
        if group is None or one is None:
            raise NoMeaningError(f"no group of ours has {instance}")
        if one.lifecycle.startswith("Terminat"):
            return Answer(steps=(), told=f"{instance} of {group.name} is ending already")
        _may_replace(facts, live, group)
        last = one.in_service and group.in_service == 1
        alone = "; it is the only one in service, so nothing serves until the next one is" if last else ""
        told = f"{group.name} replaces {instance}: {why}{alone}"
        return Answer(
            steps=(ReplaceInstance(name=group.name, instance=InstanceId(instance), because=why),), told=told
        )

    return ask


def _may_replace(facts: Facts, live: Live, group: LiveGroup) -> None:
    """Raise NoMeaningError where an instance of this group may not be replaced now."""
    if facts.item and facts.item.suspended:
        raise NoMeaningError(f"{facts.fleet} is suspended: {facts.item.suspended.reason}; resume it first")
    halted = next((p for p, _ in group.suspended if p in ("Launch", "Terminate")), None)
    if halted:
        raise NoMeaningError(
            f"process {halted} of {group.name} is suspended: nothing would come in its place"
        )
    new = facts.new
    if new and _before(facts, new) and live.revision == new.revision:
        raise NoMeaningError(
            f"{live.name} is in a rollout, which is judged by its instances; wait, or say "
            f"`reconciler abort {facts.fleet}`"
        )


def word(hand: Hand) -> str:
    """Return in words what somebody said to a group, and when."""
    since = f"since {hand.since:%Y-%m-%d %H:%M} UTC"
    match hand.verb:
        case Verb.PAUSE:
            return f"is paused {since}: {hand.text}"
        case Verb.PROMOTE if hand.text.startswith(WAVE):
            return f"lets {hand.text.removeprefix(WAVE).strip() or 'the next one'} go past its wave {since}"
        case Verb.PROMOTE:
            return f"is promoted past stage {hand.text} {since}"
        case Verb.FULL:
            return f"takes all traffic, past holds and pauses, {since}: {hand.text}"
        case Verb.ABORT:
            return f"is aborted {since}: {hand.text}"
        case Verb.RETRY:
            return f"is tried again {since}"
        case _:
            assert_never(hand.verb)


def fleet_of_instance(world: World, keeper: Keeper, instance: str) -> FleetName | None:
    """Return whose instance this is, if a group of ours has it."""
    if isinstance(world.groups, Unread):
        raise NoMeaningError(str(world.groups))
    for name, revisions in fleets_of(world, keeper).items():
        if any(InstanceId(instance) in r.own for r in revisions if r.up):
            return name
    return None


def _moving(facts: Facts) -> Item:
    """Return the plan's entry of a fleet that may be promoted. Raises: NoMeaningError."""
    item = facts.item
    if item is None or not facts.targets:
        raise NoMeaningError(f"{facts.fleet} is not in git for {facts.target}")
    if item.suspended:
        raise NoMeaningError(f"{facts.fleet} is suspended: {item.suspended.reason}; resume it first")
    if item.action is ActionKind.UNREAD and item.blocked:
        raise NoMeaningError(item.blocked.why)
    return item


def _before(facts: Facts, new: Live) -> tuple[Live, ...]:
    """Return the revisions that still serve beside the new one."""
    return tuple(r for r in facts.up if r.revision != new.revision and r.idle is None)


def _failed(live: Live) -> bool:
    return bool(live.template and live.template.failed)


def _tags(where: list[Live], hand: Hand) -> tuple[TagGroup, ...]:
    value = hand.value()
    return tuple(
        TagGroup(name=r.name, put=((HAND, value),), because=f"{hand.verb}: {hand.text}")
        for r in where
        if r.group and r.group.tag(HAND) != value
    )
