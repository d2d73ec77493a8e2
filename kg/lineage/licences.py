"""What the licences of ancestors hand down: flags for a person to judge, never verdicts.

Each flag names the ancestor, the document that states its licence, the clause, a link to it, and
the path by which it comes down.  Weights hand down more than outputs do; data hands down its own.
The licences are data: ``ontology/licences.toml``.  What is unknown stays unknown.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal
from weakref import WeakKeyDictionary

from kg import schema
from kg.lineage.network import TRAINING, Filter, Hop, Network
from kg.names import official, parse
from kg.resources import ontology
from kg.text import name_key
from kg.values import Entity

Level = Literal["info", "review", "conflict"]
#: How something comes down: as weights, as outputs (taught, or data written), or as data.
Strand = Literal["weights", "outputs", "data"]

LEVELS: Final[tuple[Level, ...]] = ("conflict", "review", "info")
#: Licences under which somebody may do nearly everything.
_FREE: Final = frozenset({"permissive", "public", "notice"})
_NOT_READ: Final = "its maker's licence, not read here"
#: What templates of cards write where a licence should stand.
_PLACEHOLDERS: Final = frozenset({"", "license", "licence", "none", "null"})
_VERSION: Final = re.compile(r"-[\d.]+$")
#: So many members of a family are asked for one that does not come from what it is to tell of.
_ASKED: Final = 20
_NO_ADVICE: Final = "flags for a person to judge, not legal advice"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing that a licence asks for."""

    topic: str
    travels: frozenset[str]
    clause: str
    words: str
    #: For ``naming``: what a derived model's name must begin with.
    prefix: str = ""
    #: For ``share-alike``: whether a later version of the licence is admitted, too.
    later: bool = False


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as ``licences.toml`` describes it."""

    id: str
    title: str
    spdx: str
    kind: str
    url: str
    obligations: tuple[Obligation, ...]
    #: What the names of its maker's models match; for terms of a service, how they begin.
    models: str = ""

    @property
    def series(self) -> str:
        """What the versions of one licence share: its id without the version."""
        return _VERSION.sub("", self.id)


@dataclass(frozen=True, slots=True)
class Stated:
    """The licence of an entity, and who says so."""

    value: str
    #: The document that states it; empty where only the name tells: its maker's licence or terms.
    document: str
    #: What ``licences.toml`` knows of it; ``None`` for an unknown one.
    licence: Licence | None

    @property
    def source(self) -> str:
        """The document that states it, or what stands in its place."""
        if self.document or self.licence is None:
            return self.document
        return "terms of its maker" if self.licence.kind == "terms" else _NOT_READ

    def __str__(self) -> str:
        return f"{self.value} ({self.source})"


#: Members of a family with what is stated of them, by the id of the licence.
_OfMembers = dict[str, list[tuple[str, Stated]]]


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to look at before a model is passed on."""

    level: Level
    topic: str
    #: The ancestor that brings it, by id.
    source: str
    licence: str
    clause: str
    url: str
    words: str
    #: Why the level is what it is.
    why: str
    strand: Strand
    #: Entities from the root to the source, by id.
    path: tuple[str, ...]
    #: The document that states the licence.
    document: str

    def __str__(self) -> str:
        clause = f", {self.clause}" if self.clause else ""
        why = f"; {self.why}" if self.why else ""
        return f"{self.level} {self.topic}: {self.words} [{self.licence}{clause}]{why}"


@dataclass(frozen=True, slots=True)
class Report:
    """The licences along a model's ancestry."""

    root: str
    own: tuple[Stated, ...]
    #: ``(ancestor, strand, stated licences, path)``, nearest first.
    ancestors: tuple[tuple[str, Strand, tuple[Stated, ...], tuple[str, ...]], ...]
    flags: tuple[Flag, ...]
    #: Ancestors whose licence nothing here states, or which is not in the table.
    unknown: tuple[str, ...]
    #: Of a family: ``(member, stated licences)`` of every member, by id.
    members: tuple[tuple[str, tuple[Stated, ...]], ...] = ()
    advice: str = _NO_ADVICE


@cache
def licences() -> Mapping[str, Licence]:
    """Return every licence of ``licences.toml``, by the key of its id and of its other names."""
    table: dict[str, Any] = tomllib.loads(ontology("licences.toml").read_text(encoding="utf-8"))
    found: dict[str, Licence] = {}
    for row in table["licence"]:
        obligations = tuple(
            Obligation(**(o | {"travels": frozenset(o["travels"])})) for o in row["obligations"]
        )
        for version in row.get("versions", ("",)):
            id_, title, spdx, url = (
                row[key].replace("{version}", version) for key in ("id", "title", "spdx", "url")
            )
            licence = Licence(
                id_, title, spdx, row["kind"], url, obligations, row.get("models", "")
            )
            for name in (id_, *row["names"], title):
                found.setdefault(name_key(name), licence)
    return found


def known(value: str) -> Licence | None:
    """Return the licence called ``value``, however it is spelt."""
    return licences().get(name_key(value))


@cache
def _makers() -> tuple[tuple[re.Pattern[str], Licence], ...]:
    found = {licence.id: licence for licence in licences().values() if licence.models}
    return tuple((re.compile(one.models, re.IGNORECASE), one) for one in found.values())


def stated(entity: Entity | None) -> tuple[Stated, ...]:
    """Return the licences that documents state of ``entity``, sorted.

    ``license: other`` gives way to ``license_name``, and what a template left there is none.
    """
    if entity is None:
        return ()
    found: dict[tuple[str, str], Stated] = {}
    named = {document: v for key, v, document in entity.facts if key == "license_name"}
    for key, value, document in entity.facts:
        if key == "license":
            shown = value if known(value) else named.get(document, value)
            if shown.casefold() in _PLACEHOLDERS:
                continue
            shown = "other (not named)" if shown.casefold() == "other" else shown
            found[(shown, document)] = Stated(shown, document, known(shown))
    return tuple(found[key] for key in sorted(found))


def values(entity: Entity) -> tuple[str, ...]:
    """Return the licences that documents state of ``entity``, each once, whoever states it."""
    return tuple(dict.fromkeys(one.value for one in stated(entity)))


def held(entity: Entity | None) -> tuple[Stated, ...]:
    """Return what is stated of ``entity``, or else what its name tells.

    A model behind an API has the terms of its maker, and one that is called as its maker calls it
    the licence of its maker.
    """
    found = stated(entity)
    if found or entity is None or entity.type != "Model":
        return found
    makers = (licence for pattern, licence in _makers() if pattern.match(entity.name))
    return tuple(Stated(licence.id, "", licence) for licence in makers)


def report(network: Network, root: str, chosen: Filter | None = None) -> Report:
    """Return the licences of ``root`` and of all it comes from, and what they hand down to it."""
    own = held(network.entities.get(root))
    ancestors = list(_walk(network, root, chosen or Filter()))
    found: list[Flag] = []
    unknown: list[str] = []
    rows = []
    weight_sources = {node for node, strand, _ in ancestors if strand == "weights"}
    for node, strand, path in ancestors:
        licences_here = held(network.entities.get(node))
        rows.append((node, strand, licences_here, path))
        if not licences_here or all(one.licence is None for one in licences_here):
            unknown.append(node)
            found += _siblings(network, strand, path)
        for one in licences_here:
            if one.licence is not None:
                found += _flags(network, root, own, node, strand, path, one, weight_sources)
    for path in ((root,), *(path for _, strand, path in ancestors if strand == "weights")):
        found += _clashes(network, path, chosen or Filter())
    order = {level: place for place, level in enumerate(LEVELS)}
    unique = {(f.topic, f.source, f.licence, f.strand): f for f in reversed(found)}
    flags = sorted(
        unique.values(), key=lambda f: (order[f.level], len(f.path), f.source, f.topic, f.strand)
    )
    members = [(one, stated(network.entities.get(one))) for one in network.all_members(root)]
    return Report(
        root, own, tuple(rows), tuple(flags), tuple(dict.fromkeys(unknown)), tuple(members)
    )


def within(found: Report, shown: Iterable[str]) -> Report:
    """Return the part of a report whose ways lead over entities that are ``shown``."""
    inside = frozenset(shown)
    rows = tuple(row for row in found.ancestors if inside.issuperset(row[3]))
    flags = tuple(flag for flag in found.flags if inside.issuperset(flag.path))
    unknown = tuple(node for node in found.unknown if any(row[0] == node for row in rows))
    return replace(found, ancestors=rows, flags=flags, unknown=unknown)


def _walk(
    network: Network, root: str, chosen: Filter
) -> Iterator[tuple[str, Strand, tuple[str, ...]]]:
    """Yield each ancestor once for each strand by which it comes down, nearest first."""
    seen: set[tuple[str, Strand]] = set()
    queue: deque[tuple[str, Strand, tuple[str, ...]]] = deque([(root, "weights", (root,))])
    while queue:
        node, strand, path = queue.popleft()
        for hop in network.up(node, chosen):
            following = _following(strand, hop)
            if following is None or (hop.object, following) in seen or hop.object in path:
                continue
            seen.add((hop.object, following))
            longer = (*path, hop.object)
            yield hop.object, following, longer
            queue.append((hop.object, following, longer))


def _following(strand: Strand, hop: Hop) -> Strand | None:
    """Return the strand after ``hop``; ``None`` where nothing comes down any more.

    The data that a teacher learned from binds the teacher, not its students.
    """
    if hop.relation == TRAINING:
        return "data" if strand == "weights" else None
    relation = schema.relations()[hop.relation]
    to_model = hop.object.startswith("model/")
    if strand == "data":
        return "outputs" if to_model else "data"
    if strand == "outputs":
        return "outputs"
    return "weights" if relation.strand in ("weights", None) and to_model else "outputs"


def _flags(
    network: Network,
    root: str,
    own: tuple[Stated, ...],
    source: str,
    strand: Strand,
    path: tuple[str, ...],
    one: Stated,
    weight_sources: set[str],
) -> Iterator[Flag]:
    licence = one.licence
    if licence is None:
        return

    def flag(level: Level, topic: str, clause: str, words: str, why: str) -> Flag:
        if one.source == _NOT_READ:
            level = "review" if level == "conflict" else level
            why = "; ".join(filter(None, (why, f"by {_NOT_READ}")))
        return Flag(
            level, topic, source, licence.id, clause, licence.url, words, why, strand, path,
            one.document,
        )  # fmt: skip

    for obligation in licence.obligations:
        if strand not in obligation.travels:
            continue
        level, why = _judge(network, root, own, source, strand, licence, obligation, weight_sources)
        yield flag(level, obligation.topic, obligation.clause, obligation.words, why)
    if strand == "weights" and licence.kind == "community" and licence.id not in _ids(own):
        looser = [o for o in own if o.licence is not None and o.licence.kind in _FREE]
        why = "it states no licence of its own"
        if own:
            less = "which says less" if looser else "another one"
            why = f"its own licence is {(looser or own)[0].value}, {less}"
        yield flag("review", "relicensing", "", f"{licence.title} goes along with the weights", why)


def _ids(stated_licences: Iterable[Stated]) -> set[str]:
    return {one.licence.id if one.licence else one.value for one in stated_licences}


#: What members of families are under; many models may come from one family.
_OF_MEMBERS: Final[WeakKeyDictionary[Network, dict[str, _OfMembers]]] = WeakKeyDictionary()


def _of_members(network: Network, family: str) -> _OfMembers:
    """Return who of a family is under which licence, at most a few of each, short names first.

    What others made of a member tells nothing of it: their repositories are left out where the
    family's makers are known, and their names are longer.
    """
    known_here = _OF_MEMBERS.setdefault(network, {})
    if family not in known_here:
        found: defaultdict[str, list[tuple[str, Stated]]] = defaultdict(list)
        members = {hop.subject for hop in network.members(family)}
        for member in sorted(members, key=lambda id_: (len(network.name(id_)), id_)):
            entity = network.entities.get(member)
            named = [parse(name) for name in entity.repositories] if entity is not None else []
            if any(name.known and not official(name) for name in named):
                continue
            for one in stated(entity):
                if one.licence is not None and len(found[one.licence.id]) < _ASKED:
                    found[one.licence.id].append((member, one))
        known_here[family] = dict(found)
    return known_here[family]


def _siblings(network: Network, strand: Strand, path: tuple[str, ...]) -> Iterator[Flag]:
    """Yield what others of its family are under, where the last on ``path`` states nothing."""
    node = path[-1]
    for family in network.families(node):
        for members in _of_members(network, family.object).values():
            for sibling, one in members:
                if one.licence is not None and node not in network.ancestors(sibling):
                    yield Flag(
                        "info" if one.licence.kind in _FREE else "review", "sibling", node,
                        one.licence.id, "", one.licence.url, "its own licence is not stated here",
                        f"{network.name(sibling)}, also of {network.name(family.object)}, is under"
                        f" {one.value}", strand, path, one.document,
                    )  # fmt: skip
                    break


def _clashes(network: Network, path: tuple[str, ...], chosen: Filter) -> Iterator[Flag]:
    """Yield, of the last on ``path``, each parent whose licence excludes that of another merged."""
    merged = {
        hop.object: {
            one.licence: one.document
            for one in held(network.entities.get(hop.object))
            if one.licence is not None
        }
        for hop in network.up(path[-1], chosen)
        if hop.relation == "mergedFrom"
    }
    is_read = all(document for here in merged.values() for document in here.values())
    for parent, here in sorted(merged.items()):
        excluded = [
            f"{network.name(other)} under {' or '.join(licence.id for licence in there)}"
            for other, there in sorted(merged.items())
            if there and other != parent and not any(_admits(a, b) for a in here for b in there)
        ]
        for licence, document in here.items():
            for asked in licence.obligations:
                if asked.topic == "share-alike" and excluded:
                    yield Flag(
                        "conflict" if is_read else "review", "clash", parent, licence.id,
                        asked.clause, licence.url, asked.words,
                        f"it was merged with {', '.join(excluded)}", "weights", (*path, parent),
                        document,
                    )  # fmt: skip


def _admits(licence: Licence, held: Licence) -> bool:
    """Whether what is shared alike under ``licence`` may hold what is under ``held``."""
    if not _shares_alike(licence) or held.kind in _FREE:
        return True
    if held.kind == "non-commercial" and not _shares_alike(held):
        return licence.kind == "non-commercial"
    return held.series == licence.series


def _shares_alike(licence: Licence) -> bool:
    return any(obligation.topic == "share-alike" for obligation in licence.obligations)


def _judge(
    network: Network,
    root: str,
    own: tuple[Stated, ...],
    source: str,
    strand: Strand,
    licence: Licence,
    obligation: Obligation,
    weight_sources: set[str],
) -> tuple[Level, str]:
    """Return how much attention an obligation needs here, and why."""
    own_kinds = {o.licence.kind for o in own if o.licence is not None}
    said = ", ".join(sorted(o.value for o in own)) or "not stated"
    topic = obligation.topic
    if topic == "non-commercial":
        if "non-commercial" in own_kinds:
            return "info", f"its own licence is {said}, which is non-commercial too"
        if strand == "data":
            return "review", "trained on data under non-commercial terms"
        if own and own_kinds & (_FREE | {"community", "copyleft"}):
            return "conflict", f"its own licence is {said}, which allows commercial use"
        return "review", f"its own licence: {said}"
    if topic == "share-alike":
        if licence.id in _ids(own):
            return "info", "it carries the same licence"
        kin = {o.licence.id for o in own if o.licence and o.licence.series == licence.series}
        if obligation.later and max(kin, default="") > licence.id:
            return "info", f"its own licence is {said}, a later version"
        if kin:
            return "review", f"its own licence: {said}, which is of the same name"
        return ("conflict" if own_kinds else "review"), f"its own licence: {said}"
    if topic == "no-derivatives":
        return "conflict", "it was derived from it and is passed on"
    if topic == "naming":
        name = network.name(root).rpartition("/")[2]
        if name_key(name).startswith(name_key(obligation.prefix)):
            return "info", f"its name {name} does"
        return ("conflict" if strand == "weights" else "review"), f"its name is {name}"
    if topic == "no-training-on-outputs":
        family = parse(network.name(source)).family
        kin = {parse(network.name(node)).family for node in (root, *weight_sources)}
        if family in kin and licence.kind == "community":
            return "info", f"it is of the {family} family itself"
        if licence.kind == "terms":
            return "review", "it learned from outputs of this model; whether it competes is asked"
        return "conflict", "it learned from outputs of this model"
    if topic in ("users-cap", "revenue-cap", "source", "share-alike-data"):
        return "review", "depends on who uses it and how"
    return "info", ""
