"""Two families side by side: members, parents, data, methods, scores, licences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from kg import schema
from kg.lineage.licences import stated
from kg.lineage.network import TRAINING, Network
from kg.names import families, identity
from kg.values import Result


@dataclass(frozen=True, slots=True)
class Family:
    """One family, as far as the graph knows it."""

    id: str
    name: str
    #: Ids of its members, the family itself left out.
    members: tuple[str, ...]
    #: ``(relation, id)`` of what its members come from, outside of the family.
    parents: tuple[tuple[str, str], ...]
    #: ``(relation, id)`` of what came of its members, outside of the family.
    descendants: tuple[tuple[str, str], ...]
    #: Ids of data that its members were trained on.
    data: tuple[str, ...]
    #: Ids of methods that its members use.
    methods: tuple[str, ...]
    #: Ids of what its members were tested on.
    tests: tuple[str, ...]
    #: Licences stated of its members.
    licences: tuple[str, ...]
    #: ``(on, metric, subject, value)``, names, best documented first.
    scores: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two families, and what they share."""

    left: Family
    right: Family
    shared_data: tuple[str, ...]
    shared_methods: tuple[str, ...]
    shared_tests: tuple[str, ...]
    shared_ancestors: tuple[str, ...]
    #: Direct edges of descent between the two, as ``(subject, relation, object)``.
    links: tuple[tuple[str, str, str], ...]


def compare(network: Network, one: str, other: str) -> Comparison:
    """Return the families called ``one`` and ``other`` side by side."""
    ids = [network.find(one).id, network.find(other).id]
    members = [frozenset(_members(network, id_)) for id_ in ids]
    uses: defaultdict[str, set[str]] = defaultdict(set)
    for edge in network.graph.edges:
        if edge.relation == "usesMethod" and edge.status == "accepted":
            uses[edge.subject].add(edge.object)
    results = [result for result in network.graph.results if result.status == "accepted"]
    left, right = (
        _family(network, id_, inside, uses, results)
        for id_, inside in zip(ids, members, strict=True)
    )
    ancestors = [{a for m in inside for a in network.ancestors(m)} for inside in members]
    links = [
        hop.key
        for inside, outside in (members, reversed(members))
        for member in sorted(inside)
        for hop in network.up(member)
        if hop.object in outside
    ]
    return Comparison(
        left,
        right,
        tuple(sorted({*left.data} & {*right.data})),
        tuple(sorted({*left.methods} & {*right.methods})),
        tuple(sorted({*left.tests} & {*right.tests})),
        tuple(sorted(ancestors[0] & ancestors[1] - members[0] - members[1])),
        tuple(sorted(links)),
    )


def _members(network: Network, id_: str) -> Iterable[str]:
    """Yield a family and its members: those stated, and those of its name."""
    found = {id_, *network.all_members(id_)}
    wanted = identity(network.name(id_))
    for entity in network.entities.values():
        if entity.type == "Model" and entity.id not in found:
            steps = families(entity.repositories[0] if entity.repositories else entity.name)
            if any(identity(step) == wanted for step in steps):
                found.add(entity.id)
    return found


def _family(
    network: Network,
    id_: str,
    inside: frozenset[str],
    uses: dict[str, set[str]],
    results: list[Result],
) -> Family:
    relations = schema.relations()
    parents: set[tuple[str, str]] = set()
    descendants: set[tuple[str, str]] = set()
    data: set[str] = set()
    for member in inside:
        for hop in network.up(member):
            if hop.relation == TRAINING:
                data.add(hop.object)
            elif hop.object not in inside and relations[hop.relation].lineage:
                parents.add((hop.relation, hop.object))
        for hop in network.down(member):
            if hop.subject not in inside:
                descendants.add((hop.relation, hop.subject))
    tests = {hop.object for member in inside for hop in network.tested_on(member)}
    scores = [
        (
            network.name(r.on) if r.on else "",
            network.name(r.metric) if r.metric else "",
            network.name(r.subject),
            r.value,
        )
        for r in results
        if r.subject in inside
    ]
    licences = {one.value for member in inside for one in stated(network.entities.get(member))}
    return Family(
        id_,
        network.name(id_),
        tuple(sorted(inside - {id_})),
        tuple(sorted(parents)),
        tuple(sorted(descendants)),
        tuple(sorted(data)),
        tuple(sorted({method for member in inside for method in uses.get(member, ())})),
        tuple(sorted(tests)),
        tuple(sorted(licences)),
        tuple(sorted(scores)),
    )
