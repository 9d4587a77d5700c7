"""One commit's files -> the desired state, or every problem with them. Pure."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from reconciler.core.ids import FleetName, ImageName, TargetName, ZoneName
from reconciler.core.problem import Position, Problem
from reconciler.source.documents import Node, find, plain, read_documents
from reconciler.source.merge import merge, without_nulls
from reconciler.source.tree import Odd, Tree, is_document, resolve
from reconciler.source.validation import M, build
from reconciler.spec.checks import check
from reconciler.spec.desired import Desired, DesiredFleet, DesiredImage, DesiredTarget, DesiredZone, Where
from reconciler.spec.fleet import Fleet, FleetSpec, Profile
from reconciler.spec.image import Image
from reconciler.spec.target import Target
from reconciler.spec.zone import Zone

KINDS: dict[str, type[BaseModel]] = {
    "Target": Target,
    "Image": Image,
    "Profile": Profile,
    "Fleet": Fleet,
    "Zone": Zone,
}
NOT_MERGED = ("targets", "profiles", "overrides")


@dataclass(slots=True)
class Documents:
    """A memory from load to load: what commits left as it was is not read again. Nodes are never changed."""

    files: dict[str, tuple[bytes, list[Node], list[Problem]]] = field(default_factory=dict)  # by name
    fleets: dict[tuple[str, str], "_Merged"] = field(default_factory=dict)
    """By name and target."""


@dataclass(frozen=True, slots=True)
class _Merged:
    """A fleet in a target, and what it was merged of: its document and its profiles."""

    sources: list[Node]
    whole: Node
    fleet: DesiredFleet


@dataclass(slots=True)
class _Read:
    """What was found so far."""

    tree: Tree
    known: Documents
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, dict[str, Node]] = field(default_factory=lambda: {k: {} for k in KINDS})


def load(tree: Tree, known: Documents | None = None) -> Desired | tuple[Problem, ...]:
    """Return what the files ask for, or every problem with them, sorted by place.

    `known` remembers what was read from each file, for the next load.
    """
    read = _Read(tree, Documents() if known is None else known)
    for path in sorted(tree):
        if is_document(path):
            _file(read, path, tree[path])
    if not read.problems and not any(read.documents.values()):
        return (
            Problem(
                Position("."),
                "no document at all",
                "an empty desired state would retire everything",
                "add a Target, or check the path",
            ),
        )
    desired = _assemble(read)
    if not read.problems:
        read.problems += check(desired)
    return tuple(sorted(set(read.problems))) if read.problems else desired


def _file(read: _Read, path: str, content: bytes | Odd) -> None:
    if isinstance(content, Odd):
        why = "documents are read from plain files of one commit"
        read.problems.append(Problem(Position(path), f"{path} is {content}", why, "put a plain file there"))
        return
    known = read.known.files.get(path)
    if known is None or known[0] != content:
        known = read.known.files[path] = (content, *read_documents(path, content))
    _, nodes, problems = known
    read.problems += problems
    for node in nodes:
        _document(read, node)


def _document(read: _Read, node: Node) -> None:
    if not isinstance(node.value, dict):
        why = "each document is a map with apiVersion, kind, metadata and spec"
        read.problems.append(
            Problem(node.at, "the document is not a map", why, "begin with apiVersion: reconciler/v1")
        )
        return
    kind = node.value.get("kind")
    if kind is None or kind.value not in KINDS:
        at = kind.at if kind else node.at
        what = f"kind is {kind.value!r}" if kind else "`kind` is missing"
        fix = f"write one of {', '.join(KINDS)}"
        read.problems.append(Problem(at, what, "it says what the document is", fix))
        return
    version = node.value.get("apiVersion")
    if version is not None and version.value != "reconciler/v1":
        why = "this release reads reconciler/v1"
        read.problems.append(
            Problem(version.at, f"apiVersion is {version.value!r}", why, "write reconciler/v1")
        )
        return
    name_node, whole = find(node, ("metadata", "name"))
    name = name_node.value if whole and isinstance(name_node.value, str) else None
    if name is None:
        _, problems = build(KINDS[kind.value], without_nulls(node))
        read.problems += problems
        return
    first = read.documents[kind.value].get(name)
    if first is not None:
        there = find(first, ("metadata", "name"))[0].at
        why = f"names are unique for a kind, and {there} has it"
        read.problems.append(Problem(name_node.at, f"{kind.value} {name} stands twice", why, "rename one"))
        return
    read.documents[kind.value][name] = node


def _assemble(read: _Read) -> Desired:
    targets, images, zones = [], [], []
    for name, node in sorted(read.documents["Target"].items()):
        if target := _build(read, Target, node):
            targets.append(
                DesiredTarget(
                    name=TargetName(name), metadata=target.metadata, spec=target.spec, where=_where(node)
                )
            )
    for name, node in sorted(read.documents["Image"].items()):
        if image := _build(read, Image, node):
            images.append(
                DesiredImage(
                    name=ImageName(name), metadata=image.metadata, spec=image.spec, where=_where(node)
                )
            )
    for name, node in sorted(read.documents["Zone"].items()):
        if zone := _build(read, Zone, node):
            zones.append(
                DesiredZone(name=ZoneName(name), metadata=zone.metadata, spec=zone.spec, where=_where(node))
            )
    for node in read.documents["Profile"].values():
        _profile(read, node)
    fleets = [f for _, node in sorted(read.documents["Fleet"].items()) for f in _fleet(read, node)]
    return Desired(
        targets=tuple(targets),
        images=tuple(images),
        profiles=tuple(sorted(read.documents["Profile"])),
        fleets=tuple(fleets),
        zones=tuple(zones),
    )


def _build(read: _Read, model: type[M], node: Node) -> M | None:
    made, problems = build(model, without_nulls(node))
    read.problems += problems
    return made


def _where(node: Node) -> Where:
    def where(path: str) -> Position | None:
        loc = tuple(int(p) if p.isdigit() else p for p in path.split("."))
        while loc:
            found, whole = find(node, loc)
            if whole:
                return found.at if not isinstance(found.value, dict) else found.key
            loc = loc[:-1]
        return node.at

    return where


def _profile(read: _Read, node: Node) -> None:
    spec = node.value.get("spec")
    if spec is not None and isinstance(spec.value, dict):
        for name in NOT_MERGED:
            if name in spec.value:
                why = "a profile can't say where it holds"
                read.problems.append(
                    Problem(spec.value[name].key, f"a profile holds `{name}`", why, "write it in the fleet")
                )
        kept = {k: v for k, v in spec.value.items() if k not in NOT_MERGED}
        _, problems = build(FleetSpec, without_nulls(replace(spec, value=kept)), partial=True)
        read.problems += problems
        node = replace(node, value={**node.value, "spec": replace(spec, value={})})
    _build(read, Profile, node)


def _fleet(read: _Read, node: Node) -> Iterator[DesiredFleet]:
    spec = node.value.get("spec")
    if spec is None or not isinstance(spec.value, dict):
        _build(read, Fleet, node)
        return
    profiles, dangling = _profiles(read, spec)
    if dangling:
        return
    targets = spec.value.get("targets")
    names = [str(t.value) for t in targets.value] if targets and isinstance(targets.value, list) else []
    overrides = spec.value.get("overrides")
    chosen = overrides.value if overrides and isinstance(overrides.value, dict) else {}
    for odd in sorted(set(chosen) - set(names)):
        why = "overrides are by target of this fleet"
        read.problems.append(
            Problem(
                chosen[odd].key,
                f"overrides for {odd}, which is not among targets",
                why,
                "add it, or take it out",
            )
        )
    sources, base = [node, *profiles], None
    for name in names or [""]:
        made = _again(read, sources, name)
        if made is None:
            merged = base = base or _base(spec, profiles)
            if name in chosen and isinstance(chosen[name].value, dict):
                merged = merge(base, chosen[name])
            made = _merged(read, sources, replace(spec, value=merged.value), name)
        if made:
            yield made


def _base(spec: Node, profiles: list[Node]) -> Node:
    """Return the spec of a fleet over its profiles, before any override."""
    base = replace(spec, value={})
    for profile in profiles:
        if (inner := profile.value.get("spec")) and isinstance(inner.value, dict):
            kept = {k: v for k, v in inner.value.items() if k not in NOT_MERGED}
            base = merge(base, replace(inner, value=kept))
    return merge(base, spec)


def _again(read: _Read, sources: list[Node], target: str) -> DesiredFleet | None:
    """Return the fleet as it was merged last, if its documents are as they were."""
    known = read.known.fleets.get((str(find(sources[0], ("metadata", "name"))[0].value), target))
    if known is None or not _same(known.sources, sources):
        return None
    data = _user_data(read, known.whole)  # of a file, perhaps, and that is another
    return known.fleet if data == known.fleet.user_data else replace(known.fleet, user_data=data)


def _profiles(read: _Read, spec: Node) -> tuple[list[Node], bool]:
    """Return the profiles that a fleet names, in order, and whether one of them is not there."""
    named = spec.value.get("profiles")
    found, dangling = [], False
    for one in named.value if named and isinstance(named.value, list) else []:
        profile = read.documents["Profile"].get(str(one.value))
        if profile is not None:
            found.append(profile)
            continue
        known = ", ".join(sorted(read.documents["Profile"])) or "none"
        why = "references must lead somewhere"
        read.problems.append(
            Problem(one.at, f"there is no Profile named {one.value}", why, f"known: {known}")
        )
        dangling = True
    return found, dangling


def _merged(read: _Read, sources: list[Node], spec: Node, target: str) -> DesiredFleet | None:
    """Return a fleet in a target. `sources` are its document and its profiles."""
    node = sources[0]
    whole = replace(node, value={**node.value, "spec": spec})
    fleet = _build(read, Fleet, whole)
    if fleet is None:
        return None
    made = DesiredFleet(
        name=FleetName(fleet.metadata.name),
        target=TargetName(target),
        metadata=fleet.metadata,
        spec=fleet.spec,
        user_data=_user_data(read, whole),
        where=_where(whole),
    )
    read.known.fleets[fleet.metadata.name, target] = _Merged(sources, whole, made)
    return made


def _same(one: list[Node], other: list[Node]) -> bool:
    """Are these the very same nodes: then their files are as they were."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _user_data(read: _Read, node: Node) -> bytes | None:
    found, whole = find(node, ("spec", "launch", "userData"))
    if not whole:
        return None
    given = plain(found)
    if "text" in given:
        return str(given["text"]).encode()
    if "base64" in given:
        return _decoded(read, found.value["base64"])
    named: Node = found.value["file"]
    path = resolve(named.at.file, named.value)
    content = read.tree.get(path) if path is not None else None
    if isinstance(content, bytes):
        return content
    if path is None:
        what, why = f"{named.value} leaves the root", "only what this desired state holds is read"
    elif content is None:
        what, why = f"there is no file {path}", "the path is relative to the file in which it stands"
    else:
        what, why = f"{path} is {content}", "files are read from the plain files of one commit"
    read.problems.append(
        Problem(named.at, what, why, "name a plain file inside, or begin with / for the root")
    )
    return None


def _decoded(read: _Read, node: Node) -> bytes | None:
    try:
        return base64.b64decode(str(node.value), validate=True)
    except (binascii.Error, ValueError):
        read.problems.append(
            Problem(node.at, "userData.base64 is not base64", "it can't be decoded", "encode it again")
        )
        return None
