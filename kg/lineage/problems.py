"""What does not fit: contradicting parents, circles, missing parents, tests on training data.

Nothing is corrected here; every problem names its edges, so that a person can look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kg import schema
from kg.lineage import licences
from kg.lineage.formats import label
from kg.lineage.network import FAMILY, SUCCESSION, TESTING, TRAINING, Filter, Hop, Network
from kg.lineage.tree import leaf
from kg.names import parse

#: Relations of which a model has one at most, unless it was merged.
_SINGLE: Final = ("fineTunedFrom", "quantizedFrom", "adapterOf", "prunedFrom", "convertedFrom")
#: These leave the number of parameters as it is.
_SAME_SIZE: Final = ("fineTunedFrom", "quantizedFrom")
#: Of what a circle is made: what is believed, and what was disputed to break it; no candidates.
_IN_CIRCLES: Final = Filter(statuses=frozenset({"accepted", "disputed"}))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to look at."""

    #: ``cycle``, ``parents``, ``kinds``, ``size``, ``disputed``, ``missing``, ``licence``,
    #: ``tested-on-training``.
    kind: str
    words: str
    #: The edges it is about, as ``(subject, relation, object)``.
    edges: tuple[tuple[str, str, str], ...]
    #: Whether ``--check`` counts it as a failure.
    fails: bool = False


def conflicts(network: Network, scope: Iterable[str] | None = None) -> list[Problem]:
    """Return where sources disagree, or statements cannot all be true, in order.

    ``scope`` are the ids to look at; without it the whole graph is.
    """
    inside = None if scope is None else set(scope)
    by_subject: defaultdict[str, list[Hop]] = defaultdict(list)
    for hop in network.hops():
        if inside is None or hop.subject in inside:
            by_subject[hop.subject].append(hop)
    found: list[Problem] = []
    for subject in sorted(by_subject):
        found += _of(network, subject, by_subject[subject])
    accepted = {id_ for knot in network.cycles() for id_ in knot}
    for knot in network.cycles(_IN_CIRCLES):
        if inside is None or inside & set(knot):
            found.append(_cycle(network, knot, is_open=accepted.isdisjoint(knot)))
    return sorted(found, key=lambda problem: (problem.kind, problem.edges, problem.words))


def check(network: Network, scope: Iterable[str] | None = None) -> list[Problem]:
    """Return conflicts, missing parents, licence conflicts and models tested on their training."""
    ids = sorted(network.entities) if scope is None else sorted(set(scope))
    found = conflicts(network, None if scope is None else ids)
    for id_ in ids:
        found += _missing(network, id_)
        found += _tested(network, id_)
        if id_.startswith("model/") and network.up(id_):
            found += _licences(network, id_)
    return sorted(found, key=lambda p: (not p.fails, p.kind, p.edges, p.words))


def _of(network: Network, subject: str, hops: list[Hop]) -> Iterator[Problem]:
    accepted = [h for h in hops if h.status == "accepted" and h.relation != TESTING]
    yield from _parents(network, subject, accepted)
    yield from _kinds(network, subject, accepted)
    yield from _sizes(network, accepted)
    for hop in hops:
        if hop.status in ("disputed", "negated") and hop.relation not in (FAMILY, SUCCESSION):
            words = f"{_say(network, hop)} is {hop.status}"
            yield Problem("disputed", words, (hop.key,))


def _parents(network: Network, subject: str, hops: list[Hop]) -> Iterator[Problem]:
    if any(hop.relation == "mergedFrom" for hop in hops):
        return
    for relation in _SINGLE:
        parents = [h for h in hops if h.relation == relation and h.kind != "inferred"]
        # "BERT" beside "bert-base-chinese" is the same parent, told less exactly.
        wider = {family for hop in parents for family in network.all_families(hop.object)}
        parents = [hop for hop in parents if hop.object not in wider]
        if len({hop.object for hop in parents}) > 1:
            names = " and ".join(sorted(network.name(hop.object) for hop in parents))
            words = f"{network.name(subject)} is {label(relation)} {names}, and no merge is stated"
            yield Problem("parents", words, tuple(sorted(hop.key for hop in parents)))


def _kinds(network: Network, subject: str, hops: list[Hop]) -> Iterator[Problem]:
    """Yield pairs that are related in ways of which neither contains the other."""
    relations = schema.relations()
    by_object: defaultdict[str, list[Hop]] = defaultdict(list)
    for hop in hops:
        if hop.relation in relations and relations[hop.relation].lineage:
            by_object[hop.object].append(hop)
    for object_, pair in sorted(by_object.items()):
        kinds = {hop.relation for hop in pair}
        kinds -= {above for kind in kinds for above in relations[kind].ancestors}
        if len(kinds) < 2:
            continue
        sayings = "; ".join(
            f"{label(hop.relation)}: {hop.kind} by {_sources(network, hop)}"
            for hop in sorted(pair, key=lambda hop: hop.key)
            if hop.relation in kinds
        )
        words = f"{network.name(subject)} and {network.name(object_)}: {sayings}"
        yield Problem("kinds", words, tuple(sorted(hop.key for hop in pair)))


def _sizes(network: Network, hops: list[Hop]) -> Iterator[Problem]:
    for hop in hops:
        if hop.relation not in _SAME_SIZE:
            continue
        child, parent = parse(network.name(hop.subject)), parse(network.name(hop.object))
        if child.sizes and parent.sizes and set(child.sizes).isdisjoint(parent.sizes):
            words = f"{_say(network, hop)}, but {child.size} is not {parent.size}"
            yield Problem("size", words, (hop.key,))


def _cycle(network: Network, knot: tuple[str, ...], *, is_open: bool) -> Problem:
    members = set(knot)
    hops = [hop for node in knot for hop in network.up(node, _IN_CIRCLES)]
    edges = tuple(sorted(hop.key for hop in hops if hop.object in members))
    names = ", ".join(network.name(node) for node in knot)
    words = f"a circle of descent: {names}"
    return Problem("cycle", words + (" (broken by disputing an edge)" if is_open else ""), edges,
                   fails=not is_open)  # fmt: skip


def _missing(network: Network, id_: str) -> Iterator[Problem]:
    for hop in network.up(id_) if id_.startswith("model/") else ():
        if hop.relation == TRAINING or network.up(hop.object):
            continue
        step = leaf(network, hop.object, hop)
        if step.mark in ("gap", "class"):
            words = f"{_say(network, hop)}: {step.note}"
            yield Problem("missing", words, (hop.key,), fails=True)


def _tested(network: Network, id_: str) -> Iterator[Problem]:
    tests = {hop.object: hop for hop in network.tested_on(id_)}
    if not tests:
        return
    trained = {h.object: h for h in network.up(id_) if h.relation == TRAINING}
    for parent in network.ancestors(id_):
        for hop in network.up(parent):
            if hop.relation == TRAINING:
                trained.setdefault(hop.object, hop)
    for data in sorted(tests.keys() & trained.keys()):
        who = network.name(trained[data].subject)
        by = "" if trained[data].subject == id_ else f" (through {who})"
        words = (
            f"{network.name(id_)} was trained{by} on {network.name(data)}, on which it is tested"
        )
        edges = tuple(sorted((trained[data].key, tests[data].key)))
        yield Problem("tested-on-training", words, edges, fails=True)


def _licences(network: Network, id_: str) -> Iterator[Problem]:
    for flag in licences.report(network, id_).flags:
        if flag.level == "conflict":
            words = (
                f"{network.name(id_)}: {network.name(flag.source)} is under {flag.licence},"
                f" clause {flag.clause}: {flag.words}; {flag.why}"
            )
            path = tuple(zip(flag.path, ("",) * len(flag.path), flag.path[1:], strict=False))
            yield Problem("licence", words, path, fails=True)


def _say(network: Network, hop: Hop) -> str:
    return f"{network.name(hop.subject)} {label(hop.relation)} {network.name(hop.object)}"


def _sources(network: Network, hop: Hop) -> str:
    documents = sorted({item.document for item in network.edge(hop).evidence})
    shown = ", ".join(documents[:3])
    return shown if len(documents) <= 3 else f"{shown} and {len(documents) - 3} more"
