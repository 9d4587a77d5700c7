"""A small company to plan for: documents from YAML, a world beside them, and passes as the daemon makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.apply.executor import Done, Failed, Sure, execute
from reconciler.core.facts import Keeper
from reconciler.core.ids import AmiId, ChangeId, Commit, FleetName, ImageName, TargetName, ZoneId, ZoneName
from reconciler.core.redact import Redactor
from reconciler.daemon.observe import rules_of
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.receipt import Receipt
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Needs, Step, World
from reconciler.plan import settle
from reconciler.plan.again import Ground
from reconciler.plan.freeze import Freeze
from reconciler.plan.limits import Limits
from reconciler.plan.model import Item, TargetPlan
from reconciler.plan.needs import needs
from reconciler.plan.planner import Goal, plan_target
from reconciler.plan.reach import Reports
from reconciler.plan.reasons import Reasons
from reconciler.plan.simulate import do
from reconciler.plan.zone_records import wanted_records
from reconciler.source.load import load
from reconciler.spec.desired import Desired
from reconciler.strategies.wanted import Hold
from tests.gated import answered
from tests.strategies.writes import moved
from tests.worlds import NOON, ami

PROD = TargetName("prod")
KEEPER = Keeper(owner="shop", source="aabbccddeeff", target=PROD)
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/1/2"
SHARED = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shared/9"
SHARED_TOO = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/other/8"
HEAD = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}{more}}}\nspec:\n"

TARGET = HEAD.format(kind="Target", name="prod", more="") + (
    '  {account: "123456789012", region: eu-west-1, owner: shop, tags: {env: prod}, drift: report}\n'
)
IMAGE = HEAD.format(kind="Image", name="base", more="") + (
    "  {targets: [prod], architecture: arm64, ami: {prod: ami-0001}}\n"
)
NEWEST = HEAD.format(kind="Image", name="base", more="") + (
    '  {targets: [prod], architecture: arm64, newest: {owner: "137112412989", name: "al2023-*"}}\n'
)
BALANCED = """\
  traffic:
    balancer:
      listeners: [{port: 80, protocol: HTTP}]
      securityGroups: [{name: lb}]
      targetGroup: {port: 8080, protocol: HTTP, drain: 60s}
    dns: {zone: example-com, name: %s}
"""
RULE = f"""\
  traffic:
    listener: {{arn: "{LISTENER}", priority: 10, hosts: [api.example.com]}}
    targetGroup: {{port: 8080, protocol: HTTP, drain: 60s}}
"""
ATTACHED = f'  traffic: {{attach: {{targetGroups: ["{SHARED}"]}}}}\n'
TRAFFIC = {"balancer": BALANCED % "web", "listener": RULE, "attach": ATTACHED, "none": ""}


def target(**members: str) -> str:
    """A Target document with some members of its spec in other words."""
    text = TARGET
    for key, value in members.items():
        text = text.replace("drift: report}", f"{key}: {value}, drift: report}}") if key != "drift" else text
    return text.replace("drift: report", f"drift: {members['drift']}") if "drift" in members else text


def fleet(
    name: str = "web", traffic: str = "", more: str = "", *, generation: str = "1", meta: str = ""
) -> str:
    """A Fleet document: the traffic of the table above or its own words, and what else is in its spec."""
    spec = f"""\
  targets: [prod]
  image: base
  launch: {{instanceTypes: [m7g.large], generation: "{generation}", securityGroups: [{{name: web}}]}}
  placement: {{subnets: [{{tag: {{tier: app}}}}]}}
"""
    if "capacity:" not in more:
        spec += "  capacity: {min: 2, max: 6, desired: 3}\n"
    head = HEAD.format(kind="Fleet", name=name, more=f", {meta}" if meta else "")
    return head + spec + TRAFFIC.get(traffic, traffic) + more


def zone(records: str = "[]", **members: str) -> str:
    """A Zone document with these records in YAML."""
    more = "".join(f", {k}: {v}" for k, v in members.items())
    head = HEAD.format(kind="Zone", name="example-com", more="")
    return head + f"  {{target: prod, domain: example.com, records: {records}{more}}}\n"


def desired(*documents: str) -> Desired:
    """What these documents ask for, by the real loader."""
    found = load({"all.yaml": "---\n".join(documents).encode()})
    assert isinstance(found, Desired), [str(p) for p in found]
    return found


def empty_world() -> World:
    """A world with a network, an image and a zone, and nothing of ours."""
    return World(
        target=PROD,
        as_of=NOON,
        zones=(
            LiveZone(
                zone=ZoneName("example-com"),
                id=ZoneId("Z1"),
                domain="example.com.",
                private=False,
                records=(),
                tags=(),
            ),
        ),
        subnets=tuple(
            Subnet(id=f"subnet-{x}", vpc="vpc-1", zone=x, free=100, tags=(("tier", "app"),)) for x in "ab"
        ),
        security_groups=tuple(
            SecurityGroup(id=f"sg-{n}", name=n, vpc="vpc-1") for n in ("web", "lb", "worker")
        ),
        amis=tuple(ami(f"ami-0{n}") for n in ("001", "002", "100", "777", "999")),
        images=(Resolved(image=ImageName("base"), ami=AmiId("ami-0100")),),
    )


def commit(n: int) -> Commit:
    """The n-th commit of a history."""
    return Commit(f"{n:040x}")


@dataclass
class House:
    """One target from commit to commit. Passes look twice, as the daemon does."""

    at: TargetName = PROD
    waves: Reports | None = None  # what is known of other targets
    world: World = field(default_factory=empty_world)
    history: list[Desired] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    freezes: tuple[Freeze, ...] = ()
    pruning: Hold | None = None
    lost: frozenset[Commit] = frozenset()  # commits that can't be read any more
    foreign: frozenset[Commit] = frozenset()  # commits that are no ancestors
    failing: Callable[[Step], bool] | None = None
    audited: frozenset[str] = frozenset()  # fleets that every pass looks at in full
    told: list[Step] = field(default_factory=list)

    def merge(self, *documents: str) -> "House":
        """The next commit."""
        self.history.append(desired(*documents))
        return self

    @property
    def keeper(self) -> Keeper:
        """Who we are in this target."""
        return replace(KEEPER, target=self.at)

    @property
    def head(self) -> Commit:
        """The commit in hand."""
        return commit(len(self.history))

    def goal(self) -> Goal:
        """What the head is planned for."""
        now = self.history[-1]
        found = now.target(self.at)
        assert found
        past = {commit(n + 1) for n in range(len(self.history))}
        return Goal(
            desired=now,
            target=found,
            keeper=self.keeper,
            commit=self.head,
            ancestors=frozenset(past - self.lost - self.foreign),
            limits=self.limits,
            freezes=self.freezes,
            reasons=Reasons(Redactor(b"key")),
            pruning=self.pruning,
            waves=self.waves,
        )

    def whole(self) -> World:
        """Everything that can be looked at, with the zones' history."""
        zones = tuple(self._aged(z) if isinstance(z, LiveZone) else z for z in self.world.zones)
        return replace(self.world, zones=zones)

    def bulk(self) -> World:
        """What the bulk reads give: of rules, those of the listeners that git names."""
        whole, places = self.whole(), rules_of(self.history[-1], self.at)
        named = {listener for listener, _ in places}
        rules = _each(whole.rules, lambda r: r if (r.listener, r.priority) in places else replace(r, tags=()))
        rules = tuple(r for r in rules if r.listener in named) if isinstance(rules, tuple) else rules
        return replace(bulk_of(whole), rules=rules)

    def _aged(self, live: LiveZone) -> LiveZone:
        commits = [c for k, v in live.tags if k.startswith("reconciler:shop:") for c in v.split()]
        return replace(
            live, ancestry=tuple((c, self.declared(Commit(c), live)) for c in dict.fromkeys(commits))
        )

    def declared(self, one: Commit, live: LiveZone) -> tuple[RecordSet, ...] | None:
        """What a commit declared in a zone."""
        if one in self.lost or not 1 <= int(one, 16) <= len(self.history):
            return None
        then = self.history[int(one, 16) - 1]
        document = then.zone(live.zone)
        return tuple(w.record for w in wanted_records(then, document, live.id)) if document else ()

    def plan(self, *, ahead: bool = False) -> TargetPlan:
        """Plan as a pass does: the bulk reads, then what they leave open."""
        goal, whole = self.goal(), self.whole()
        bulk = self.bulk()
        wanted = needs(plan_target(goal, bulk, ahead=False), bulk, self.keeper, self.audited)
        return plan_target(goal, looked(bulk, whole, wanted), ahead=ahead)

    def apply(self) -> TargetPlan:
        """One pass: plan, and do what is safe now."""
        plan = self.plan()
        for told in execute(plan, self._write, self._sure(), lambda _error: False):
            assert isinstance(told, Done) or self.failing, told
            if isinstance(told, Failed):
                continue
            self.told.append(told.step)
        return plan

    def _sure(self) -> Sure:
        """Nobody else writes here, so nothing is ever another one than was planned on."""
        seen = self.world

        def sure(item: Item, step: Step, done: Sequence[Step]) -> None:
            if item.kind == "Fleet":
                ground = Ground(fleet=FleetName(item.name), keeper=self.keeper, world=seen)
                assert not moved(ground, step, done, self.world)

        return sure

    def _write(self, step: Step) -> Receipt:
        if self.failing and self.failing(step):
            raise OSError("a write failed")
        self.world, change = do(self.world, step)
        return Receipt(change=change)

    def wait(self, until: datetime | None = None) -> None:
        """Let the world settle, and time pass."""
        self.world = settle.settle(self.world, settle.USUAL, until)

    def converge(self, most: int = 60) -> "House":
        """Passes until there is nothing to do and nothing to wait for."""
        for _ in range(most):
            plan = self.apply()
            if quiet(plan) and quiet(self.plan()):
                return self
            waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
            self.wait(min(waits) if waits else self.world.as_of + timedelta(minutes=1))
        raise AssertionError(
            f"did not converge: {[(i.name, i.action, i.wait, i.blocked) for i in plan.items]}"
        )

    def pass_time(self, span: timedelta) -> None:
        """Move the clock."""
        self.world = settle.pass_time(self.world, span)


def quiet(plan: TargetPlan) -> bool:
    """Nothing is done, and nothing is waited for."""
    return not any(i.now or i.wait for i in plan.items)


def bulk_of(world: World) -> World:
    """What the bulk reads alone give."""
    return replace(
        world,
        groups=_each(world.groups, lambda g: replace(g, hooks=None)),
        balancers=_each(
            world.balancers, lambda b: replace(b, tags=None, listeners=None, attributes=None, web_acl=None)
        ),
        target_groups=_each(world.target_groups, lambda t: replace(t, tags=None, attributes=None)),
        health=(),
        changes=(),
        instances=(),
        alarms=(),
        metrics=(),
        probes=(),
        launches=(),
    )


def _each(facts, change):
    return tuple(map(change, facts)) if isinstance(facts, tuple) else facts


def looked(bulk: World, whole: World, wanted: Needs) -> World:
    """The bulk reads, with what was asked for beside them."""
    groups = _pick(bulk.groups, whole.groups, wanted.hooks)
    places = {str(p) for p in (*wanted.health, *wanted.classic_health)}
    have = {h.group: h for h in whole.health} if isinstance(whole.health, tuple) else {}
    changes = {c.id: c for c in whole.changes} if isinstance(whole.changes, tuple) else {}
    live = whole.groups if isinstance(whole.groups, tuple) else ()
    asked = {i.id for g in live if g.name in wanted.instances for i in g.instances}
    return replace(
        bulk,
        groups=groups,
        rules=(
            *(r for r in bulk.rules if r.listener not in wanted.listeners),
            *(r for r in whole.rules if r.listener in wanted.listeners),
        )
        if isinstance(bulk.rules, tuple)
        else bulk.rules,
        instances=tuple(i for i in whole.instances if i.id in asked),
        **answered(whole, wanted),
        balancers=_pick(bulk.balancers, whole.balancers, wanted.balancers),
        target_groups=_pick(bulk.target_groups, whole.target_groups, wanted.target_groups),
        health=tuple(have[p] for p in sorted(places) if p in have)
        if isinstance(whole.health, tuple)
        else whole.health,
        changes=tuple(changes[ChangeId(c)] for c in sorted(wanted.changes) if c in changes)
        if isinstance(whole.changes, tuple)
        else whole.changes,
    )


def _pick(bulk, whole, names):
    if not isinstance(bulk, tuple):
        return bulk
    full = {x.name: x for x in whole}
    return tuple(full[x.name] if x.name in names else x for x in bulk)


def item(plan: TargetPlan, name: str = "web", kind: str = "Fleet") -> Item:
    """One document's entry in a plan."""
    return next(i for i in plan.items if (i.kind, i.name) == (kind, name))


def ops(plan: TargetPlan, name: str = "web", kind: str = "Fleet") -> list[str]:
    """What is done now for one document."""
    return [s.op for s in item(plan, name, kind).now]


def group(world: World, name: str = "web") -> LiveGroup:
    """The only group of a fleet."""
    found = [g for g in world.groups if g.tag("reconciler:fleet") == name]
    assert len(found) == 1, [g.name for g in found]
    return found[0]


def altered(world: World, **changes: object) -> World:
    """The world after a person changed the group of fleet web."""
    one = group(world)
    return replace(world, groups=tuple(replace(g, **changes) if g is one else g for g in world.groups))


def actions(plan: TargetPlan) -> dict[str, str]:
    """Each document's action, by name."""
    return {i.name: i.action.value for i in plan.items}


def live_zone(world: World) -> LiveZone:
    """The zone as it is."""
    found = world.zones[0]
    assert not isinstance(found, ZoneProblem)
    return found


def with_records(world: World, *records: RecordSet) -> World:
    """The world with these records in its zone, over those of the same key."""
    live = live_zone(world)
    kept = {r.key: r for r in (*live.records, *records)}
    made = tuple(sorted(kept.values(), key=lambda r: r.key))
    return replace(world, zones=(replace(live, records=made), *world.zones[1:]))
