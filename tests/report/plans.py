"""Plans to render: any plan that hypothesis makes, hostile text in every field that comes from outside."""

from datetime import timedelta

from hypothesis import strategies as st

from reconciler.core.ids import Commit, TargetName
from reconciler.kinds.register import Blocked, Wait
from reconciler.plan.model import (
    ActionKind,
    Because,
    Drift,
    Item,
    Plan,
    PlannedStep,
    Refusal,
    TargetPlan,
)
from tests.worlds import NOON

HOSTILE = (
    "\x1b[2J\x1b[1;1Hall good",
    "a|b\\|c",
    "``` \n### ✅ approved",
    "`code` @octocat #12",
    "</summary><script>alert(1)</script>",
    "[click](javascript:1) <!-- reconciler:v1 -->",
    "\u202egnp.exe\u2066\u200b",
    "line\r\nline\x00\x85\u2028",
    "`",
    " ",
    "",
    "\ud800",
    "x" * 500,
)
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=4))
times = st.integers(0, 10_000).map(lambda s: NOON + timedelta(seconds=s))
targets = st.sampled_from(("prod", "test")).map(TargetName)
becauses = st.builds(Because, path=texts, old=texts, new=texts, at=texts, secret=st.booleans())
steps = st.builds(
    PlannedStep,
    op=st.sampled_from(("create-group", "wait", "change-records", "blocked")),
    name=texts,
    when=st.sampled_from(("now", "later")),
    at=st.none() | times,
    stage=st.none() | st.integers(1, 3),
    weight=st.none() | st.integers(0, 100),
    hold=st.none() | st.just(timedelta(minutes=5)),
    detail=texts,
    why=texts,
)
items = st.builds(
    Item,
    kind=st.sampled_from(("Fleet", "Image", "Zone")),
    name=texts,
    target=targets,
    action=st.sampled_from(ActionKind),
    was=texts,
    to=texts,
    because=st.lists(becauses, max_size=2).map(tuple),
    steps=st.lists(steps, max_size=2).map(tuple),
    wait=st.none() | st.builds(Wait, why=texts, until=st.none() | times, deadline=st.none() | times),
    blocked=st.none() | st.builds(Blocked, code=st.sampled_from(("freeze", "limit", "conflict")), why=texts),
    begun=st.booleans(),
    notes=st.lists(texts, max_size=2).map(tuple),
)
drifts = st.builds(
    Drift,
    kind=st.sampled_from(("Fleet", "Zone")),
    name=texts,
    target=targets,
    resource=texts,
    field=st.sampled_from(("max", "weight")) | texts,
    want=texts,
    live=texts,
    heals=st.booleans(),
)
refusals = st.builds(
    Refusal,
    target=targets,
    limit=st.sampled_from(("retire", "dnsDeletes")),
    count=st.integers(0, 99),
    of=st.integers(0, 99),
    allowed=st.integers(0, 99),
    why=texts,
)
target_plans = st.builds(
    TargetPlan,
    target=targets,
    as_of=times,
    digest=st.sampled_from(("3f9c21ab07", "00000000ff")),
    complete=st.booleans(),
    items=st.lists(items, max_size=2).map(tuple),
    drift=st.lists(drifts, max_size=2).map(tuple),
    refusals=st.lists(refusals, max_size=2).map(tuple),
    approved=st.booleans(),
    unread=st.lists(texts, max_size=2).map(tuple),
    warnings=st.lists(texts, max_size=2).map(tuple),
)
plans = st.builds(
    Plan,
    commit=st.just(Commit("c" * 40)),
    targets=st.lists(target_plans, max_size=2, unique_by=lambda t: t.target).map(tuple),
)
