"""What changes beside the revision around a group: its balancer, target group, rule and DNS settings."""

from collections.abc import Callable, Iterable, Iterator

from reconciler.core.ids import Arn
from reconciler.kinds.balancer.live import LiveBalancer, LiveListener
from reconciler.kinds.balancer.steps import (
    CreateRule,
    DeleteRule,
    SetBalancerAttributes,
    SetBalancerSecurityGroups,
    SetListener,
    SetRuleConditions,
    SetTargetGroupAttributes,
    SetWebAcl,
)
from reconciler.kinds.balancer.want import Attributes, Balancer, Listener, Rule
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Step
from reconciler.plan.part import Part, Row, Stated
from reconciler.strategies import traffic
from reconciler.strategies.born import full_head
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Wanted


def parts(want: Wanted, s: Slice, live: Live, *, alone: bool) -> tuple[Part, ...]:
    """Return the parts around the group that this fleet has; its traffic only once it serves."""
    found: list[Part] = []
    if want.target_group and live.target_group:
        found.append(_target_group(want, live))
    if want.balancer and live.balancer:
        found += _balancer(want, want.balancer, live.balancer)
    if want.rule and live.target_group and alone:
        found.append(_rule(want, want.rule, s, live, live.target_group.arn))
    if want.dns and alone:
        found.append(_dns(want, s, live))
    return tuple(found)


def _left(want: Wanted, rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(r for r in rows if not r.ignored(want.ignore))


def _step(step: Step) -> Callable[[Part], Step]:
    return lambda _part: step


def _attributes(
    want: Wanted, resource: str, wanted: Attributes, live: Attributes | None
) -> tuple[tuple[Row, ...], Attributes]:
    """Return a row for each attribute that differs, and those attributes; none where nobody looked."""
    if live is None or wanted == live:
        return (), ()
    have = dict(live)
    rows = _left(
        want,
        [
            Row(resource=resource, field=f"attributes.{k}", want=v, live=have.get(k, "not set"))
            for k, v in wanted
            if have.get(k) != v
        ],
    )
    keys = {r.field.removeprefix("attributes.") for r in rows}
    return rows, tuple(a for a in wanted if a[0] in keys)


def _target_group(want: Wanted, live: Live) -> Part:
    wanted, have = want.target_group, live.target_group
    stated = wanted.attributes if wanted else ()
    if have is None:
        return Part(name="target group", want=stated, rows=(), step=None, looked=False)
    rows, differing = _attributes(want, f"target-group/{live.name}", stated, have.attributes)
    return Part(
        name="target group",
        want=stated,
        rows=rows,
        step=lambda _part: SetTargetGroupAttributes(
            name=live.name, arn=have.arn, attributes=differing, because="attributes differ"
        ),
        looked=have.attributes is not None,
    )


def _balancer(want: Wanted, wanted: Balancer, live: LiveBalancer) -> Iterator[Part]:
    """A part for each call that there is, so that a commit writes only what it changed."""
    resource = f"balancer/{live.name}"
    rows, differing = _attributes(want, resource, wanted.attributes, live.attributes)
    yield Part(
        name="balancer",
        want=wanted.attributes,
        rows=rows,
        step=lambda _part: SetBalancerAttributes(
            name=live.name, arn=live.arn, attributes=differing, because="attributes differ"
        ),
        looked=live.attributes is not None,
    )
    groups, have = sorted(wanted.security_groups), sorted(live.security_groups)
    yield _one(
        want,
        Row(resource=resource, field="securityGroups", want=", ".join(groups), live=", ".join(have)),
        lambda _part: SetBalancerSecurityGroups(
            name=live.name,
            arn=live.arn,
            security_groups=wanted.security_groups,
            because="security groups differ",
        ),
        code="bs",
    )
    acl = live.web_acl or "none"
    yield _one(
        want,
        Row(resource=resource, field="webAcl", want=wanted.web_acl or "none", live=acl),
        lambda _part: SetWebAcl(
            name=live.name, arn=live.arn, web_acl=wanted.web_acl, because="the web ACL differs"
        ),
        code="bw",
        looked=live.web_acl is not None,
    )
    yield _tls_part(want, wanted, live)


def _one(want: Wanted, row: Row, step: Callable[[Part], Step], *, code: str, looked: bool = True) -> Part:
    rows = _left(want, [row]) if looked and row.want != row.live else ()
    return Part(name="balancer", code=code, want=row.want, rows=rows, step=step, looked=looked)


def _tls_part(want: Wanted, wanted: Balancer, live: LiveBalancer) -> Part:
    have = {x.port: x for x in live.listeners or ()}
    pairs = [(x, have[x.port]) for x in wanted.listeners if x.port in have and x.protocol in ("HTTPS", "TLS")]
    found: list[tuple[Row, Step]] = []
    for listener, there in pairs:
        because = "certificates or TLS policy differ"
        step = SetListener(name=live.name, arn=there.arn, listener=listener, because=because)
        resource = f"listener/{live.name}:{there.port}"
        found += [
            (Row(resource=resource, field=f, want=w, live=v), step) for f, w, v in _tls(listener, there)
        ]
    kept = [(row, step) for row, step in found if not row.ignored(want.ignore)]
    return Part(
        name="balancer",
        code="bl",
        want=tuple((x.port, *x.certificates, x.ssl_policy) for x in wanted.listeners),
        rows=tuple(row for row, _ in kept),
        step=_step(kept[0][1]) if kept else None,
        looked=live.listeners is not None,
    )


def _tls(wanted: Listener, live: LiveListener) -> Iterator[tuple[str, str, str]]:
    if tuple(wanted.certificates) != live.certificates:
        yield "certificates", ", ".join(wanted.certificates), ", ".join(live.certificates)
    if wanted.ssl_policy and wanted.ssl_policy != live.ssl_policy:  # without one, AWS's default holds
        yield "sslPolicy", wanted.ssl_policy, live.ssl_policy


def _rule(want: Wanted, wanted: Rule, s: Slice, live: Live, own: Arn) -> Part:
    """Hosts, paths and place of our rule. A rule is made at its new place before the old one goes."""
    here = s.rule
    old = [r for r in s.rules if r is not here]
    step: Step
    if here is None and not old:
        rows = [Row(resource=f"rule/{want.fleet}", field="exists", want="there", live=NOT_THERE)]
        step = _made(want, wanted, live, ((own, traffic.FULL_RULE),))
    elif here is None:
        there = str(old[0].priority)
        rows = [Row(resource=f"rule/{want.fleet}", field="priority", want=str(wanted.priority), live=there)]
        step = _made(want, wanted, live, old[0].weights)
    elif old and old[0].tags and here.weights == old[0].weights:
        row = Row(resource=f"rule/{want.fleet}", field="priority", want=NOT_THERE, live=str(old[0].priority))
        rows = [row]
        step = DeleteRule(name=live.name, arn=old[0].arn, mark=None, stage="", because="its rule has moved")
    else:
        rows = [
            Row(resource=f"rule/{want.fleet}", field=field, want=", ".join(w), live=", ".join(v))
            for field, w, v in (("hosts", wanted.hosts, here.hosts), ("paths", wanted.paths, here.paths))
            if w != v
        ]
        step = SetRuleConditions(
            name=want.name,
            arn=here.arn,
            hosts=wanted.hosts,
            paths=wanted.paths,
            because="hosts or paths differ",
        )
    stated = (wanted.listener, wanted.priority, wanted.hosts, wanted.paths)
    return Part(name="rule", want=stated, rows=_left(want, rows), step=_step(step))


NOT_THERE = "not there"


def _made(want: Wanted, wanted: Rule, live: Live, weights: tuple[tuple[Arn, int], ...]) -> CreateRule:
    return CreateRule(
        name=live.name,
        rule=wanted,
        weights=weights,
        mark=live.name,
        stage=full_head(want),
        because="git wants it at this listener and priority",
    )


def _dns(want: Wanted, s: Slice, live: Live) -> Part:
    """The serving revision's records: in the fleet's zone, under its name, pointing at its own balancer."""
    zone = traffic.zone_of(want, s)
    wanted = {r.key: r for r in traffic.wanted_records(want, live, live.weight or traffic.FULL_DNS)}
    here = {r.key: r for r in zone.records} if zone else {}
    have = {r.key: r for r in live.records}
    rows = [
        row
        for key, r in sorted(wanted.items())
        if here.get(key) != r
        for row in _record_rows(r, here.get(key))
    ]
    rows += [
        Row(resource=_resource(r), field="record", want=NOT_THERE, live="there")
        for key, r in sorted(have.items())
        if key not in wanted or here.get(key) != r
    ]
    if zone is None or not wanted:
        return Part(name="dns", want=_dns_stated(want), rows=(), step=None, looked=False)
    return Part(
        name="dns", want=_dns_stated(want), rows=_left(want, rows), step=_dns_step(s, zone, wanted, have)
    )


def _dns_step(
    s: Slice,
    zone: LiveZone,
    wanted: dict[tuple[str, str, str], RecordSet],
    have: dict[tuple[str, str, str], RecordSet],
) -> Callable[[Part], Step]:
    """Write what is wanted in its zone first; a record that was left in another zone goes after it."""
    here = {r.key: r for r in zone.records}

    def step(_part: Part) -> Step:
        because = "the fleet's DNS settings differ"
        mine = {k: r for k, r in {**have, **wanted}.items() if k in here}
        changes = [
            Change(action=Action.DELETE, record=here[k]) for k in sorted(mine) if wanted.get(k) != here[k]
        ]
        changes += [
            Change(action=Action.CREATE, record=r) for k, r in sorted(wanted.items()) if here.get(k) != r
        ]
        if changes:
            return ChangeRecords(zone=zone.zone, zone_id=zone.id, changes=tuple(changes), because=because)
        other = next(z for z in s.zones if z.zone != zone.zone and any(r in z.records for r in have.values()))
        gone = tuple(
            Change(action=Action.DELETE, record=r) for _, r in sorted(have.items()) if r in other.records
        )
        return ChangeRecords(zone=other.zone, zone_id=other.id, changes=gone, because=because)

    return step


def _resource(record: RecordSet) -> str:
    return f"record/{record.name} {record.type} {record.identifier}"


def _record_rows(want: RecordSet, live: RecordSet | None) -> Iterator[Row]:
    resource = _resource(want)
    if live is None or live.alias is None or want.alias is None:
        what = "there" if live is None else "an alias"
        yield Row(
            resource=resource, field="record", want=what, live="not there" if live is None else "values"
        )
        return
    pairs = (
        ("alias", want.alias.name, live.alias.name),
        ("evaluateHealth", _yes(flag=want.alias.evaluate_health), _yes(flag=live.alias.evaluate_health)),
        ("weight", str(want.weight), str(live.weight)),
        ("healthCheck", want.health_check or "none", live.health_check or "none"),
    )
    yield from (Row(resource=resource, field=f, want=w, live=v) for f, w, v in pairs if w != v)


def _yes(*, flag: bool) -> str:
    return "true" if flag else "false"


def _dns_stated(want: Wanted) -> Stated:
    dns = want.dns
    return (dns.zone, dns.name, dns.types, dns.evaluate_health) if dns else ()
