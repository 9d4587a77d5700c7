"""What a document may say of a rollout, alone, over profiles and in each target."""

from datetime import timedelta

import pytest

from reconciler.source.load import load
from reconciler.spec.desired import Desired
from reconciler.spec.rollout import Rollout, RolloutStep
from tests.plan.house import IMAGE, LISTENER, TARGET, TRAFFIC, desired, fleet, zone

CANARY = "{strategy: canary, steps: [{weight: 10, hold: 5m}]}"

FITS = {
    "balancer": {"blue-green", "canary", "recreate"},
    "listener": {"blue-green", "canary", "recreate"},
    "attach": {"blue-green", "rolling", "recreate"},
    "none": {"blue-green", "rolling", "recreate"},
}
"""The table of strategies by kind of traffic."""

STRATEGIES = {
    "blue-green": "{}",
    "canary": CANARY,
    "rolling": "{strategy: rolling, surge: 10%}",
    "recreate": "{strategy: recreate}",
}


def told(*documents: str) -> list[str]:
    """What is wrong with these documents."""
    found = load({"all.yaml": "---\n".join(documents).encode()})
    return [] if isinstance(found, Desired) else [str(p) for p in found]


def rollout(text: str, traffic: str = "listener") -> Rollout:
    """A fleet's rollout in these words."""
    made = desired(TARGET, IMAGE, zone(), fleet("web", traffic, f"  rollout: {text}\n"))
    return made.fleets[0].spec.rollout


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("traffic", FITS)
def test_a_strategy_is_taken_where_it_can_move_the_traffic(traffic: str, strategy: str) -> None:
    problems = told(TARGET, IMAGE, zone(), fleet("web", traffic, f"  rollout: {STRATEGIES[strategy]}\n"))
    assert (problems == []) is (strategy in FITS[traffic])


def step(weight: int, **hold: int) -> RolloutStep:
    return RolloutStep(weight=weight, hold=timedelta(**hold) if hold else None)


PAUSE = RolloutStep(pause=True)
GOOD: dict[str, tuple[str, tuple[RolloutStep, ...]]] = {
    "the contract's": (
        "[{weight: 10, hold: 5m}, {weight: 50, hold: 10m}, {pause: true}]",
        (step(10, minutes=5), step(50, minutes=10), PAUSE),
    ),
    "a pause before any traffic": ("[{pause: true}, {weight: 1}]", (PAUSE, step(1))),
    "nothing but a pause": ("[{pause: true}]", (PAUSE,)),
    "pauses apart": ("[{pause: true}, {weight: 1}, {pause: true}]", (PAUSE, step(1), PAUSE)),
    "no time and the longest": ("[{weight: 1, hold: 0s}, {weight: 2, hold: 24h}]", ()),
    "all traffic, watched": ("[{weight: 5}, {weight: 100, hold: 1h}]", (step(5), step(100, hours=1))),
    "twenty": (f"[{', '.join(f'{{weight: {n}}}' for n in range(1, 21))}]", ()),
}


@pytest.mark.parametrize(("text", "steps"), GOOD.values(), ids=GOOD)
def test_steps_rise_and_pause(text: str, steps: tuple[RolloutStep, ...]) -> None:
    found = rollout(f"{{strategy: canary, steps: {text}}}").steps
    assert found
    assert found == steps or not steps


@pytest.mark.parametrize(
    ("text", "surge"), [("1%", 1), ("25%", 25), ("100%", 100)], ids=["least", "usual", "all"]
)
def test_surge_is_a_share_of_the_size(text: str, surge: int) -> None:
    assert rollout(f"{{strategy: rolling, surge: {text}}}", "none").surge == surge


@pytest.mark.parametrize("traffic", FITS)
def test_recreate_may_hold_watch_and_keep(traffic: str) -> None:
    text = "{strategy: recreate, onFailure: hold, keepOld: 1h, gates: {alarms: [web-5xx]}}"
    found = rollout(text, traffic)
    assert (found.onFailure, found.keepOld) == ("hold", timedelta(hours=1))


PROFILE = "apiVersion: reconciler/v1\nkind: Profile\nmetadata: {name: careful}\nspec: {rollout: %s}\n"
STEPS = "{steps: [{weight: 10, hold: 5m}], gates: {alarms: [web-5xx]}}"


def over(profile: str, own: str) -> Rollout:
    """The rollout of a fleet over that of its profile."""
    more = f"  profiles: [careful]\n  rollout: {own}\n"
    made = desired(TARGET, IMAGE, PROFILE % profile, fleet("web", "listener", more))
    return made.fleets[0].spec.rollout


@pytest.mark.parametrize("profile", [STEPS, "{surge: 10%}", "{strategy: canary}", "{keepOld: 1h}"])
def test_a_profile_alone_may_hold_any_part_of_a_rollout(profile: str) -> None:
    assert told(TARGET, PROFILE % profile) == []


def test_a_rollout_of_the_profiles_strategy_says_more_of_it() -> None:
    found = over(CANARY, "{keepOld: 1h, strategy: canary}")
    assert (found.steps, found.keepOld) == ((step(10, minutes=5),), timedelta(hours=1))


def test_steps_of_a_fleet_replace_those_of_its_profile() -> None:
    assert over(CANARY, "{steps: [{weight: 50}]}").steps == (step(50),)


def test_a_rollout_of_another_strategy_replaces_the_profiles_as_a_whole() -> None:
    canary = CANARY.replace("}]}", "}], keepOld: 5m}")
    assert over(canary, "{strategy: blue-green}") == Rollout()
    assert over(canary, "{strategy: recreate}") == Rollout(strategy="recreate")


def test_a_target_may_have_a_strategy_of_its_own() -> None:
    dr = TARGET.replace("name: prod", "name: dr").replace("eu-west-1", "eu-central-1")
    more = f"  rollout: {CANARY}\n  overrides: {{dr: {{traffic: null, rollout: {{strategy: rolling}}}}}}\n"
    both = fleet("web", "listener", more).replace("targets: [prod]", "targets: [prod, dr]")
    image = IMAGE.replace("targets: [prod]", "targets: [prod, dr]").replace(
        "ami-0001", "ami-0001, dr: ami-0002"
    )
    found = desired(TARGET, dr, image, both)
    assert [(f.target, f.spec.rollout.strategy, f.spec.rollout.steps) for f in found.fleets] == [
        ("prod", "canary", (step(10, minutes=5),)),
        ("dr", "rolling", None),
    ]


SHARED = "shared-1234567890.eu-west-1.elb.amazonaws.com"
SITE = """\
[{name: site, type: A, failover: [
  {id: a, role: primary, alias: {name: %s, zone: Z32O12XQLNTSW2, evaluateHealth: %s}},
  {id: b, role: secondary, alias: {name: d1.example.net, zone: Z1, evaluateHealth: false}}]}]"""
HARMLESS = {
    "not evaluated": SITE % (SHARED, "false"),
    "another balancer": SITE % (f"another-{SHARED}", "true"),
    "another region": SITE % (SHARED.replace("eu-west-1", "eu-west-2"), "true"),
    "no balancer": SITE % ("files.example.net.", "true"),
    "nowhere else to go": (
        f"[{{name: site, type: A, alias: {{name: {SHARED}, zone: Z32O12XQLNTSW2, evaluateHealth: true}}}}]"
    ),
}


@pytest.mark.parametrize("name", [SHARED, f"internal-{SHARED}", f"dualstack.{SHARED.upper()}."])
def test_a_balancer_that_revisions_enter_says_nothing_of_its_health_by_any_of_its_names(name: str) -> None:
    assert "/app/shared/" in LISTENER
    (problem,) = told(TARGET, IMAGE, zone(SITE % (name, "true")), fleet("web", "listener"))
    assert "evaluateHealth of the balancer shared, in which fleet web has a rule" in problem


@pytest.mark.parametrize("records", HARMLESS.values(), ids=HARMLESS)
def test_health_that_no_rollout_disturbs_may_be_evaluated(records: str) -> None:
    assert told(TARGET, IMAGE, zone(records), fleet("web", "listener")) == []


def test_a_balancer_that_no_fleet_enters_may_be_evaluated() -> None:
    assert told(TARGET, IMAGE, zone(SITE % (SHARED, "true")), fleet("web", TRAFFIC["none"])) == []
