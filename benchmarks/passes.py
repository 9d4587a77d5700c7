"""The measured process: passes of the daemon over a replayed AWS, each beside one of the bare reader.

`python -m benchmarks.passes FOLDER URL` prints one line of JSON.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.bounds import Cost, Pair
from benchmarks.documents import AUDITED, NEWER_AMI
from benchmarks.replay import tell
from reconciler.core.facts import Unread
from reconciler.core.heap import expect_many
from reconciler.core.ids import AmiId
from reconciler.core.redact import Redactor
from reconciler.daemon.order import Order, Turn
from reconciler.daemon.passes import Manner, Runtime, goal, look_and_plan, open_target
from reconciler.daemon.passing import AwsPasses
from reconciler.gateway.pace import Paces
from reconciler.gateway.session import Place, open_aws
from reconciler.kinds.register import World
from reconciler.plan.kept import Kept
from reconciler.plan.model import ActionKind
from reconciler.plan.planner import Goal, plan_target
from reconciler.source.git import Repository
from reconciler.source.repository import Adopted, Library

RUNS: Final = 7
LATENCIES: Final = (0, 30)  # milliseconds a call


@contextmanager
def opened(repository: Path, cache: Path) -> Iterator[tuple[AwsPasses, Adopted]]:
    """Return what makes a daemon's passes, and the newest commit.

    Nothing is paced: passes of a daemon are a minute apart, and these follow each other at once.
    """
    library = Library(Repository(str(repository), cache / "bench.git"))
    commit = library.repository.head()
    library.repository.fetch(commit)
    adopted = library.adopt(commit)
    assert isinstance(adopted, Adopted), adopted
    redactor = Redactor(b"bench")
    passes = AwsPasses(library=library, redactor=redactor, writes=False)
    for target in adopted.desired.targets:
        place = Place(target=target.name, account=target.spec.account, region=target.spec.region)
        runtime = Runtime(open_aws(place, writes=False, paces=Paces({})), redactor)
        passes._runtimes[target.name] = (target, runtime)  # noqa: SLF001  # the product has no such option
    try:
        yield passes, adopted
    finally:
        for target in adopted.desired.targets:
            passes.release(target.name)


def look(opened: tuple[AwsPasses, Adopted], *, audited: int = 0) -> Turn:
    """Make one pass of the one target. `audited` fleets are looked at in full."""
    passes, adopted = opened
    (target,) = adopted.desired.targets
    names = frozenset(f.name for f in adopted.desired.fleets[:audited])
    order = Order(adopted=adopted, target=target, deadline=timedelta(minutes=5), audited=names)
    turn = passes.look(order, lambda _: None)
    assert not turn.failure, turn.why
    assert turn.plan is not None
    assert turn.plan.complete, turn.plan.unread
    return turn


def peak() -> int:
    """Return the most memory that this process ever held, in KiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def cost(work: Callable[[], object]) -> Cost:
    """Return what a piece of work takes of this process, all threads together."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def paired(product: Callable[[], object], reader: Callable[[], object]) -> list[Pair]:
    """Measure both, one after the other, the one that begins by turns."""
    found = []
    for run in range(RUNS):
        if run % 2:
            bare = cost(reader)
            found.append(Pair(product=cost(product), reader=bare))
        else:
            ours = cost(product)
            found.append(Pair(product=ours, reader=cost(reader)))
    return found


def calls_of(url: str, work: Callable[[], object]) -> list[str]:
    """Return the calls that a piece of work makes. Raises: AssertionError for one that was not recorded."""
    tell(url, "calls")
    work()
    told = tell(url, "calls")
    assert not told["refused"], told["refused"]
    return list(told["calls"])


def world_of(opened: tuple[AwsPasses, Adopted]) -> tuple[Goal, World]:
    """Return what the planner gets, apart from any pass."""
    passes, adopted = opened
    (target,) = adopted.desired.targets
    redactor = Redactor(b"bench")
    runtime = open_target(target, redactor, writes=False)
    seen = look_and_plan(runtime, adopted, passes.library, target, Manner(ahead=False))
    runtime.aws.close()
    return goal(adopted, passes.library, target, seen.world, redactor), seen.world


def moved(made: Goal, world: World) -> tuple[Goal, World]:
    """Return both once the one image names another AMI: every fleet is to be replaced."""
    (image,) = made.desired.images
    spec = image.spec.model_copy(update={"ami": (("*", NEWER_AMI),)})
    desired = replace(made.desired, images=(replace(image, spec=spec),))
    assert not isinstance(world.images, Unread)
    assert not isinstance(world.amis, Unread)
    newer = AmiId(NEWER_AMI)
    return replace(made, desired=desired), replace(
        world,
        images=tuple(replace(i, ami=newer) for i in world.images),
        amis=tuple(replace(a, id=newer) for a in world.amis),
    )


def planning(made: Goal, world: World) -> dict[str, float]:
    """Return the least CPU seconds of plans alone: as each pass plans, and as a commit's first one does.

    The least of a few: what else runs on the machine only ever adds.
    """

    def fresh(one: Goal) -> Goal:  # nothing is kept of an earlier plan
        return replace(one, kept=Kept())

    changed, new = moved(made, world)
    plan = plan_target(fresh(changed), new)
    replaced = plan.count(ActionKind.REPLACE)
    assert replaced == len(made.desired.fleets), f"{replaced} fleets are replaced"
    return {
        "in sync": min(cost(lambda: plan_target(made, world)).cpu for _ in range(7)),
        "first": min(cost(lambda: plan_target(fresh(made), world)).cpu for _ in range(7)),
        "all change": min(cost(lambda: plan_target(fresh(changed), new)).cpu for _ in range(5)),
    }


def measure(folder: Path, url: str) -> dict[str, Any]:
    """Return every figure of the passes of one world."""
    tell(url, "latency?ms=0")
    with opened(folder / "git" / "fleet.git", folder / "cache") as passes:
        cold = calls_of(url, lambda: look(passes))
        warm = calls_of(url, lambda: look(passes))
        for _ in range(3):
            look(passes)
        memory = peak()
        audit = calls_of(url, lambda: look(passes, audited=AUDITED))
        from benchmarks.reader import Reader

        reader = Reader()
        read = calls_of(url, reader.read)
        assert sorted(read) == sorted(warm), "the bare reader reads other pages"
        pairs = {}
        for latency in LATENCIES:
            tell(url, f"latency?ms={latency}")
            pairs[latency] = [p.as_json() for p in paired(lambda: look(passes), reader.read)]
        tell(url, "latency?ms=0")
        plans = planning(*world_of(passes))
    return {"cold": cold, "warm": warm, "audit": audit, "memory": memory, "pairs": pairs, "plans": plans}


if __name__ == "__main__":
    expect_many()  # as the program itself does
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
