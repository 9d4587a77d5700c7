"""What changes beside the revision around a group: its balancer, target group, rule and DNS settings."""

from collections.abc import Callable

from reconciler.kinds.balancer.live import LiveBalancer, LiveListener
from reconciler.kinds.balancer.steps import (
    SetBalancerAttributes,
    SetBalancerSecurityGroups,
    SetListener,
    SetRuleConditions,
    SetTargetGroupAttributes,
    SetWebAcl,
)
from reconciler.kinds.balancer.want import Attributes, Balancer, Listener
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.register import Step
from reconciler.plan.part import Part, Row
from reconciler.strategies import traffic
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Wanted


def parts(want: Wanted, s: Slice, live: Live, *, alone: bool) -> tuple[Part, ...]:
    """Return the parts around the group that this fleet has; its records only once it serves."""
    found: list[Part] = []
    if want.target_group and live.target_group:
        found.append(_target_group(want, live))
    if want.balancer and live.balancer:
        found.append(_balancer(want.balancer, live.balancer))
    if want.rule and s.rule:
        found.append(_rule(want, s))
    if want.dns and alone:
        found.append(_dns(want, s, live))
    return tuple(found)


def _differing(want: Attributes, live: Attributes | None) -> Attributes:
    have = dict(live or ())
    return () if live is None else tuple((k, v) for k, v in want if have.get(k) != v)


def _attribute_rows(resource: str, want: Attributes, live: Attributes | None) -> tuple[Row, ...]:
    have = dict(live or ())
    return tuple(
        Row(resource=resource, field=f"attributes.{k}", want=v, live=have.get(k, "not set"))
        for k, v in _differing(want, live)
    )


def _target_group(want: Wanted, live: Live) -> Part:
    wanted, have = want.target_group, live.target_group
    attributes = wanted.attributes if wanted else ()
    looked = have is not None and have.attributes is not None
    rows = _attribute_rows(f"target-group/{live.name}", attributes, have.attributes if have else None)

    def step(_part: Part) -> Step:
        return SetTargetGroupAttributes(
            name=live.name,
            arn=have.arn if have else live.group.target_groups[0] if live.group else "",  # type: ignore[arg-type]
            attributes=_differing(attributes, have.attributes if have else None),
            because="attributes differ",
        )

    return Part(name="target group", want=[list(a) for a in attributes], rows=rows, step=step, looked=looked)


def _balancer(want: Balancer, live: LiveBalancer) -> Part:
    resource = f"balancer/{live.name}"
    rows: list[Row] = list(_attribute_rows(resource, want.attributes, live.attributes))
    steps: list[Step] = []
    if rows:
        steps.append(
            SetBalancerAttributes(
                name=live.name,
                arn=live.arn,
                attributes=_differing(want.attributes, live.attributes),
                because="attributes differ",
            )
        )
    if tuple(sorted(want.security_groups)) != tuple(sorted(live.security_groups)):
        wanted, have = ", ".join(sorted(want.security_groups)), ", ".join(sorted(live.security_groups))
        rows.append(Row(resource=resource, field="securityGroups", want=wanted, live=have))
        steps.append(
            SetBalancerSecurityGroups(
                name=live.name,
                arn=live.arn,
                security_groups=want.security_groups,
                because="security groups differ",
            )
        )
    if live.web_acl is not None and live.web_acl != want.web_acl:
        rows.append(
            Row(resource=resource, field="webAcl", want=want.web_acl or "none", live=live.web_acl or "none")
        )
        steps.append(
            SetWebAcl(name=live.name, arn=live.arn, web_acl=want.web_acl, because="the web ACL differs")
        )
    for wanted_listener, have_listener in _pairs(want, live):
        if _tls(wanted_listener) != (have_listener.certificates, have_listener.ssl_policy):
            rows.append(
                Row(
                    resource=f"listener/{live.name}:{have_listener.port}",
                    field="certificates",
                    want=f"{', '.join(wanted_listener.certificates)} {wanted_listener.ssl_policy}".strip(),
                    live=f"{', '.join(have_listener.certificates)} {have_listener.ssl_policy}".strip(),
                )
            )
            steps.append(
                SetListener(
                    name=live.name,
                    arn=have_listener.arn,
                    listener=wanted_listener,
                    because="certificates or TLS policy differ",
                )
            )
    stated = [
        [list(a) for a in want.attributes],
        sorted(want.security_groups),
        want.web_acl,
        [[x.port, *x.certificates, x.ssl_policy] for x in want.listeners],
    ]
    return Part(
        name="balancer",
        want=stated,
        rows=tuple(rows),
        step=_first(steps),
        looked=live.listeners is not None and live.attributes is not None,
    )


def _first(steps: list[Step]) -> Callable[[Part], Step] | None:
    return (lambda _part: steps[0]) if steps else None


def _tls(want: Listener) -> tuple[tuple[str, ...], str]:
    return tuple(want.certificates), want.ssl_policy


def _pairs(want: Balancer, live: LiveBalancer) -> list[tuple[Listener, LiveListener]]:
    have = {x.port: x for x in live.listeners or ()}
    return [(x, have[x.port]) for x in want.listeners if x.port in have and x.protocol in ("HTTPS", "TLS")]


def _rule(want: Wanted, s: Slice) -> Part:
    rule, wanted = s.rule, want.rule
    rows: tuple[Row, ...] = ()
    if rule and wanted and (rule.hosts, rule.paths) != (wanted.hosts, wanted.paths):
        rows = (
            Row(
                resource=f"rule/{want.fleet}",
                field="conditions",
                want=", ".join((*wanted.hosts, *wanted.paths)),
                live=", ".join((*rule.hosts, *rule.paths)),
            ),
        )

    def step(_part: Part) -> Step:
        return SetRuleConditions(
            name=want.name,
            arn=rule.arn if rule else "",  # type: ignore[arg-type]
            hosts=wanted.hosts if wanted else (),
            paths=wanted.paths if wanted else (),
            because="hosts or paths differ",
        )

    stated = [list(wanted.hosts), list(wanted.paths)] if wanted else []
    return Part(name="rule", want=stated, rows=rows, step=step)


def _dns(want: Wanted, s: Slice, live: Live) -> Part:
    """The serving revision's records: under the fleet's name, pointing at its own balancer."""
    zone = traffic.zone_of(want, s)
    wanted = {r.key: r for r in traffic.wanted_records(want, live, live.weight or traffic.FULL_DNS)}
    have = {r.key: r for r in live.records}
    rows = tuple(
        Row(
            resource=f"record/{r.name} {r.type} {r.identifier}",
            field="alias",
            want=_said(r.alias.name if r.alias else "", evaluates=bool(r.alias and r.alias.evaluate_health)),
            live=_live_alias(have.get(key)),
        )
        for key, r in sorted(wanted.items())
        if have.get(key) != r
    )
    rows += tuple(
        Row(
            resource=f"record/{r.name} {r.type} {r.identifier}",
            field="record",
            want="not there",
            live="there",
        )
        for key, r in sorted(have.items())
        if key not in wanted
    )
    if zone is None or not wanted:
        return Part(name="dns", want=_dns_stated(want), rows=(), step=None, looked=False)

    def step(_part: Part) -> Step:
        changes = [
            Change(action=Action.DELETE, record=r) for k, r in sorted(have.items()) if wanted.get(k) != r
        ]
        changes += [
            Change(action=Action.CREATE, record=r) for k, r in sorted(wanted.items()) if have.get(k) != r
        ]
        return ChangeRecords(
            zone=zone.zone, zone_id=zone.id, changes=tuple(changes), because="the fleet's DNS settings differ"
        )

    return Part(name="dns", want=_dns_stated(want), rows=rows, step=step)


def _dns_stated(want: Wanted) -> object:
    dns = want.dns
    return [dns.zone, dns.name, list(dns.types), dns.evaluate_health] if dns else []


def _said(name: str, *, evaluates: bool) -> str:
    return f"{name}{' evaluateHealth' if evaluates else ''}"


def _live_alias(record: object) -> str:
    alias = getattr(record, "alias", None)
    return _said(alias.name, evaluates=alias.evaluate_health) if alias else "not there"
