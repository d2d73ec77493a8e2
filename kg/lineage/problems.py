"""What does not fit: contradicting parents, circles, missing parents, tests on training data.

Nothing is corrected here; every problem names its edges, so that a person can look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kg import schema
from kg.errors import UsageError
from kg.lineage import licences
from kg.lineage.formats import label
from kg.lineage.network import ALL, FAMILY, SUCCESSION, TESTING, TRAINING, Filter, Hop, Network
from kg.lineage.tree import leaf
from kg.names import parse

#: What a problem can be, the gravest first.
KINDS: Final[Mapping[str, str]] = {
    "cycle": "a circle of descent",
    "licence": "a licence asks for what is not so",
    "parents": "two parents without a merge",
    "kinds": "two relations to one parent, of which neither contains the other",
    "size": "sizes that cannot be",
    "disputed": "a statement that another disputes or denies, or a circle that this broke",
    "tested-on-training": "tested on the data of its training, perhaps on another part",
    "missing": "a parent that is named but not described",
}
#: What ``--check`` fails on unless told otherwise.
FAIL_ON: Final = frozenset({"cycle", "licence"})
#: Relations of which a model has one at most, unless it was merged.
_SINGLE: Final = ("fineTunedFrom", "quantizedFrom", "adapterOf", "prunedFrom", "convertedFrom")
#: These leave the number of parameters as it is.
_SAME_SIZE: Final = ("fineTunedFrom", "quantizedFrom")
#: Of what a circle is made: what is believed, and what was disputed to break it; no candidates.
_IN_CIRCLES: Final = Filter(statuses=frozenset({"accepted", "disputed"}))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to look at."""

    #: One of :data:`KINDS`.
    kind: str
    words: str
    #: The edges it is about, as ``(subject, relation, object)``.
    edges: tuple[tuple[str, str, str], ...]


def checked_kinds(names: Iterable[str]) -> frozenset[str]:
    """Return the kinds called ``names``; an unknown one is an error that lists them."""
    found = frozenset(names)
    for name in sorted(found - KINDS.keys()):
        raise UsageError(f"no kind of problem is called {name!r}; there are: {', '.join(KINDS)}")
    return found


def counts(found: Iterable[Problem]) -> str:
    """Return how many problems there are of each kind, in words, the gravest first."""
    number = Counter(problem.kind for problem in found)
    return ", ".join(f"{number[kind]:,} {kind}" for kind in KINDS if kind in number)


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
    return sorted(found, key=_gravity)


def _gravity(problem: Problem) -> tuple[object, ...]:
    return list(KINDS).index(problem.kind), problem.edges, problem.words


def check(
    network: Network, scope: Iterable[str] | None = None, chosen: Filter = ALL
) -> list[Problem]:
    """Return conflicts, missing parents, licence conflicts and models tested on their training.

    Parents, data and licences are those that ``chosen`` hops lead to.
    """
    ids = sorted(network.entities) if scope is None else sorted(set(scope))
    found = conflicts(network, None if scope is None else ids)
    for id_ in ids:
        found += _missing(network, id_, chosen)
        found += _tested(network, id_, chosen)
        if id_.startswith("model/") and network.up(id_, chosen):
            found += _licences(network, id_, chosen)
    return sorted(found, key=_gravity)


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
    """Yield what it cannot come from both.

    A sentence that names both parents says that it was composed of them, as a vision tower and a
    language model are: sources that disagree are several.
    """
    if any(hop.relation == "mergedFrom" for hop in hops):
        return
    for relation in _SINGLE:
        parents = [h for h in hops if h.relation == relation and h.kind != "inferred"]
        # "BERT" beside "bert-base-chinese" is the same parent, told less exactly.
        wider = {family for hop in parents for family in network.all_families(hop.object)}
        parents = [hop for hop in parents if hop.object not in wider]
        parents = [
            hop
            for hop in parents
            if any(
                hop.object != other.object and _said(network, hop).isdisjoint(_said(network, other))
                for other in parents
            )
        ]
        if parents:
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
    if is_open:
        return Problem("disputed", f"{words} (broken by disputing an edge)", edges)
    return Problem("cycle", words, edges)


def _missing(network: Network, id_: str, chosen: Filter) -> Iterator[Problem]:
    for hop in network.up(id_, chosen) if id_.startswith("model/") else ():
        if hop.relation == TRAINING or network.up(hop.object, chosen):
            continue
        step = leaf(network, hop.object, hop)
        if step.mark in ("gap", "class"):
            words = f"{_say(network, hop)}: {step.note}"
            yield Problem("missing", words, (hop.key,))


def _tested(network: Network, id_: str, chosen: Filter) -> Iterator[Problem]:
    """Yield the data of its training, its ancestors' included, on which it is tested.

    One sentence that is read as both says too little: there must be one for each.
    """
    tests = {hop.object: hop for hop in network.tested_on(id_)}
    if not tests:
        return
    trained = {h.object: h for h in network.up(id_, chosen) if h.relation == TRAINING}
    for parent in network.ancestors(id_, chosen):
        for hop in network.up(parent, chosen):
            if hop.relation == TRAINING:
                trained.setdefault(hop.object, hop)
    for data in sorted(tests.keys() & trained.keys()):
        training, testing = (_said(network, hops[data]) for hops in (trained, tests))
        if training <= testing or testing <= training:
            continue
        who = network.name(trained[data].subject)
        by = "" if trained[data].subject == id_ else f" (through {who})"
        words = (
            f"{network.name(id_)} was trained{by} on {network.name(data)}, on which it is tested"
        )
        edges = tuple(sorted((trained[data].key, tests[data].key)))
        yield Problem("tested-on-training", words, edges)


def _licences(network: Network, id_: str, chosen: Filter) -> Iterator[Problem]:
    for flag in licences.report(network, id_, chosen).flags:
        if flag.level == "conflict":
            words = (
                f"{network.name(id_)}: {network.name(flag.source)} is under {flag.licence},"
                f" clause {flag.clause}: {flag.words}; {flag.why}"
            )
            path = tuple(zip(flag.path, ("",) * len(flag.path), flag.path[1:], strict=False))
            yield Problem("licence", words, path)


def _say(network: Network, hop: Hop) -> str:
    return f"{network.name(hop.subject)} {label(hop.relation)} {network.name(hop.object)}"


def _said(network: Network, hop: Hop) -> set[str]:
    return {item.sentence for item in network.edge(hop).evidence}


def _sources(network: Network, hop: Hop) -> str:
    documents = sorted({item.document for item in network.edge(hop).evidence})
    shown = ", ".join(documents[:3])
    return shown if len(documents) <= 3 else f"{shown} and {len(documents) - 3} more"
