from datetime import timedelta

import pytest

from reconciler.core.facts import FAILED, IDLE, STAGE
from reconciler.core.ids import Arn, InstanceId, ResourceName, ZoneId, ZoneName
from reconciler.kinds.balancer.steps import CreateRule, SetRule
from reconciler.kinds.group.steps import (
    Attach,
    CreateGroup,
    DeleteGroup,
    DeletePolicy,
    DeleteSchedule,
    Detach,
    PutPolicy,
    PutSchedule,
    ReplaceInstance,
    ResumeProcesses,
    SetSizes,
    TagGroup,
    UpdateGroup,
)
from reconciler.kinds.group.want import Policy, Schedule, Sizes
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Step, Wait
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.told import detail, foreseen, planned, quiet, weight_of
from reconciler.strategies.wanted import TrafficKind
from tests.worlds import NOON, wanted

OLD, NEW = ResourceName("web-1"), ResourceName("web-2")


def arn(name: str) -> Arn:
    return Arn(f"arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/{name}/9")


def record(name: str, weight: int | None) -> RecordSet:
    return RecordSet(name="web.example.com.", type="A", identifier=f"prod.{name}", weight=weight)


def rule(old: int, new: int, mark: ResourceName | None) -> SetRule:
    weights = ((arn(OLD), old), (arn(NEW), new))
    return SetRule(name=NEW, arn=arn("rule"), expect=(), weights=weights, mark=mark, stage="")


def records(old: int, new: int, mark: ResourceName | None) -> ChangeRecords:
    changes = tuple(Change(action=Action.CREATE, record=record(n, w)) for n, w in ((OLD, old), (NEW, new)))
    return ChangeRecords(zone=ZoneName("z"), zone_id=ZoneId("Z1"), changes=changes, mark=mark)


@pytest.mark.parametrize("make", [rule, records])
@pytest.mark.parametrize(
    ("old", "new", "mark", "percent"),
    [
        (0, 100, NEW, 100),
        (90, 10, NEW, 10),
        (100, 0, OLD, 100),
        (0, 0, NEW, None),
        (50, 50, None, None),
    ],
    ids=["all of it", "a canary", "going back", "nobody has any", "nobody is marked"],
)
def test_the_weight_is_that_of_the_revision_that_remembers_it(
    make: object, old: int, new: int, mark: ResourceName | None, percent: int | None
) -> None:
    assert callable(make)
    assert weight_of(make(old, new, mark)) == percent


def test_a_rule_that_is_made_gives_all_traffic() -> None:
    made = wanted(kind=TrafficKind.LISTENER).rule
    assert made is not None
    step = CreateRule(name=NEW, rule=made, weights=((arn(NEW), 100),), mark=NEW, stage="1")
    assert weight_of(step) == 100


DETAILS: list[tuple[str, Step, str]] = [
    (
        "sizes that change",
        SetSizes(name=NEW, expect=Sizes(min=2, max=6, desired=3), sizes=Sizes(min=3, max=6, desired=3)),
        "min 2 -> 3",
    ),
    (
        "where a group is attached",
        Attach(name=NEW, target_groups=(arn("shared"),), classic=("old-lb",)),
        "to shared, old-lb",
    ),
    (
        "what a group is born with",
        CreateGroup(group=wanted().group, sizes=Sizes(min=2, max=6, desired=3), tags=(), attached=True),
        "min 2, desired 3, max 6",
    ),
    (
        "members that are written",
        UpdateGroup(name=NEW, members=(("HealthCheckType", '"ELB"'),)),
        "HealthCheckType",
    ),
    ("tags put and dropped", TagGroup(name=NEW, put=(("team", "shop"),), drop=("env",)), "team, -env"),
    ("a policy", PutPolicy(name=NEW, policy=Policy(name="cpu", body="{}")), "cpu"),
    ("a policy that goes", DeletePolicy(name=NEW, policy="cpu"), "cpu"),
    (
        "a schedule",
        PutSchedule(name=NEW, schedule=Schedule(name="day", cron="0 8 * * *", timezone="UTC", min=1, max=2)),
        "day",
    ),
    ("a schedule that goes", DeleteSchedule(name=NEW, schedule="day"), "day"),
    (
        "where a group is detached",
        Detach(name=NEW, target_groups=(arn("shared"),), classic=()),
        "from shared",
    ),
    ("an instance", ReplaceInstance(name=NEW, instance=InstanceId("i-1")), "i-1"),
    ("processes", ResumeProcesses(name=NEW, processes=("Launch", "Terminate")), "Launch, Terminate"),
    ("nothing more than the name", DeleteGroup(name=NEW), ""),
    ("the shares of a rule", rule(90, 10, NEW), "weights web-1=90, web-2=10"),
    ("the shares of records", records(90, 10, NEW), "weights web-1=90, web-2=10"),
    (
        "records, a changed one once",
        ChangeRecords(
            zone=ZoneName("z"),
            zone_id=ZoneId("Z1"),
            changes=(
                Change(action=Action.DELETE, record=record(OLD, None)),
                Change(action=Action.CREATE, record=record(OLD, None)),
                Change(action=Action.CREATE, record=record(NEW, None)),
            ),
        ),
        "1 to create, 1 to change",
    ),
]


@pytest.mark.parametrize(("step", "text"), [d[1:] for d in DETAILS], ids=[d[0] for d in DETAILS])
def test_a_step_tells_how_much(step: Step, text: str) -> None:
    assert detail(step) == text


@pytest.mark.parametrize(
    ("step", "only_ours"),
    [
        (TagGroup(name=NEW, put=((STAGE, "1"),), drop=(IDLE,)), True),
        (TagGroup(name=NEW, put=((STAGE, "1"), ("team", "shop"))), False),
        (TagGroup(name=NEW, drop=("team",)), False),
        (TagTemplate(name=NEW, id="lt-1", drop=(FAILED,)), True),
        (rule(90, 10, NEW), False),
    ],
)
def test_a_tag_of_git_is_told_and_bookkeeping_is_not(step: Step, only_ours: bool) -> None:
    assert quiet(step) is only_ours


def test_a_wait_tells_how_long_it_is() -> None:
    wait = Wait(why="web-1 is kept", until=NOON + timedelta(minutes=30))
    assert planned(wait, "later", NOON).hold == timedelta(minutes=30)
    assert planned(wait, "later", wait.until).hold is None


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("Route 53 change C0001 is PENDING", "Route 53 spreads the records"),
        ("target health of shared was not read in this pass", "targets of shared become healthy"),
        ("web-1 is kept", "web-1 is kept"),
    ],
)
def test_a_foreseen_wait_names_nothing_that_only_a_read_tells(why: str, told: str) -> None:
    assert foreseen(Wait(why=why, until=NOON)) == Wait(why=told, until=NOON)
    assert planned(Wait(why=why), "later", NOON).why == why
