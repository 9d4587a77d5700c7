"""Metrics for Prometheus, counted from the events themselves, so that log and metrics never disagree."""

from collections import Counter
from collections.abc import Mapping
from time import time

from prometheus_client import CollectorRegistry, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client import Counter as Count

from reconciler.plan.model import TargetPlan
from reconciler.report.document_events import (
    RolloutFinished,
    RolloutRolledBack,
    RolloutStarted,
    StepApplied,
    StepFailed,
)
from reconciler.report.event import Event
from reconciler.report.events import (
    CommitAdopted,
    CommitRejected,
    CommitStale,
    DaemonStarted,
    HistoryRewritten,
    JobFailed,
    LimitRefused,
    PassDone,
    TargetReleased,
)

BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)  # seconds of a pass; its deadline is five intervals


class Metrics:
    """All metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double what is scraped, and say only when this process began
        self.registry = registry = CollectorRegistry()

        def count(name: str, text: str, *labels: str) -> Count:
            return Count(f"reconciler_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"reconciler_{name}", text, labels, registry=registry)

        self._build = gauge("build_info", "1, with the version of this program.", "version")
        self._passes = count("passes", "Passes, by how they ended.", "target", "result")
        self._seconds = Histogram(
            "reconciler_pass_seconds", "Time of a pass.", ["target"], buckets=BUCKETS, registry=registry
        )
        self._calls = count("aws_calls", "Requests to AWS, retries too.", "target", "service", "operation")
        self._success = gauge("last_success_timestamp_seconds", "End of the last complete pass.", "target")
        self._failures = gauge("pass_failures", "Failed passes in a row.", "target")
        self._documents = gauge("documents", "Documents, by what the plan does.", "target", "kind", "action")
        self._drift = gauge("drift_rows", "Live fields that no commit explains.", "target")
        self._refused = count("limits_refused", "Plans over a limit.", "target", "limit")
        self._steps = count("steps", "Writes, by what became of them.", "target", "op", "result")
        self._rollouts = count("rollouts", "Rollouts, by how far they came.", "target", "event")
        self._commit = gauge("commit_info", "1, with the commit in force.", "commit")
        self._commits = count("commits", "Commits seen, by what became of them.", "result")
        self._stale = gauge("commit_stale", "1 while the newest commit is not in force.")
        self._rewritten = count("history_rewritten", "Times that history was rewritten.")
        self._polls = count("polls", "Looks at the repository, by how they ended.", "result")
        self._jobs = count("job_failures", "Faults of the program, by job.", "job")

    def see(self, event: Event) -> None:
        """Count what an event says."""
        match event:
            case PassDone():
                self._pass(event)
            case StepApplied():
                self._steps.labels(event.target, event.op, "already" if event.already else "applied").inc()
            case StepFailed():
                self._steps.labels(event.target, event.op, event.failure).inc()
            case RolloutStarted() | RolloutFinished() | RolloutRolledBack():
                self._rollouts.labels(event.target, event.event.partition(".")[2]).inc()
            case LimitRefused():
                self._refused.labels(event.target, event.limit).inc()
            case TargetReleased():
                self._forget(event.target)
            case JobFailed():
                self._jobs.labels(event.job).inc()
            case DaemonStarted():
                self._build.labels(event.version).set(1)
            case _:
                self._repository(event)

    def _repository(self, event: Event) -> None:
        match event:
            case CommitAdopted():
                self._commit.clear()
                self._commit.labels(event.commit).set(1)
                self._commits.labels("adopted").inc()
                self._stale.set(0)
            case CommitRejected(number=1):
                self._commits.labels("rejected").inc()
            case CommitStale():
                self._stale.set(1)
            case HistoryRewritten():
                self._rewritten.inc()
            case _:
                pass

    def polled(self, *, well: bool) -> None:
        """Count one look at the repository."""
        self._polls.labels("done" if well else "failed").inc()

    def planned(self, plan: TargetPlan, calls: Mapping[str, int], failures: int) -> None:
        """Take over what a pass planned, and the requests that it took."""
        self.called(plan.target, calls, failures)
        self._documents.remove_by_labels({"target": plan.target})
        for (kind, action), number in Counter((i.kind, str(i.action)) for i in plan.items).items():
            self._documents.labels(plan.target, kind, action).set(number)
        self._drift.labels(plan.target).set(len(plan.drift))

    def called(self, target: str, calls: Mapping[str, int], failures: int) -> None:
        """Count the requests of a pass, and how many failed in a row by now."""
        self._failures.labels(target).set(failures)
        for call, number in calls.items():
            service, _, operation = call.partition(":")
            self._calls.labels(target, service, operation).inc(number)

    def _pass(self, event: PassDone) -> None:
        self._passes.labels(event.target, event.result).inc()
        self._seconds.labels(event.target).observe(event.seconds)
        if event.result == "done":
            self._success.labels(event.target).set(time())

    def _forget(self, target: str) -> None:
        for gauge in (self._success, self._failures, self._documents, self._drift):
            gauge.remove_by_labels({"target": target})

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
