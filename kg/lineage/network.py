"""The lineage of a whole graph as compact adjacency: who comes from whom, and by which edge.

Only relations that matter here are kept, and of their evidence only the kinds; the sentences
are read from the store again when a hop is shown.  So a graph of a million edges loads in
seconds, and the ancestors of a node are found in milliseconds.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from kg import schema
from kg.errors import NotFound, ReadError
from kg.graph import knots
from kg.lineage.adjacency import Adjacency, Mask, Numbers
from kg.store import FOLDER, StoredGraph
from kg.text import name_key, nearest, preference
from kg.values import EVIDENCE_KINDS, Edge, Entity, GraphView

#: Not descent, but shown with it: a family, a predecessor, and what a model learned from.
FAMILY: Final = "memberOf"
SUCCESSION: Final = "successorOf"
TRAINING: Final = "trainedOn"
TESTING: Final = "evaluatedOn"
#: What a filter asks of a hop, besides its confidence.
_CODED: Final = ("relation", "status", "kind")
_KINDS: Final = {kind: place for place, kind in enumerate(EVIDENCE_KINDS)}


class _SlimEvidence(msgspec.Struct, frozen=True):
    kind: str
    document: str


class _SlimEdge(msgspec.Struct, frozen=True):
    subject: str
    relation: str
    object: str
    evidence: tuple[_SlimEvidence, ...]
    confidence: float
    status: str = "accepted"


class Hop(msgspec.Struct, frozen=True, gc=False):
    """One edge of the lineage: ``subject relation object``, without its sentences.

    A struct, since there can be a million of them: half the memory of a dataclass, and made in
    a third of the time.
    """

    subject: str
    relation: str
    object: str
    confidence: float
    status: str
    #: The strongest kind of its evidence.
    kind: str
    #: How many pieces of evidence it has.
    evidence: int
    #: In how many documents.
    documents: int
    #: Where :meth:`Network.edge` finds it again.
    place: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two hops the same statement."""
        return self.subject, self.relation, self.object


@dataclass(frozen=True, slots=True)
class Filter:
    """Which hops a question follows."""

    relations: frozenset[str] | None = None
    min_confidence: float = 0.0
    inferred: bool = True
    statuses: frozenset[str] = frozenset({"accepted"})

    def admits(self, hop: Hop) -> bool:
        """Whether ``hop`` is followed."""
        return (
            hop.status in self.statuses
            and hop.confidence >= self.min_confidence
            and (self.inferred or hop.kind != "inferred")
            and (self.relations is None or hop.relation in self.relations)
        )


ALL: Final = Filter()


def descent() -> frozenset[str]:
    """Return the names of all relations from a thing to what it descends from."""
    return frozenset(name for name, relation in schema.relations().items() if relation.lineage)


class Network:
    """The lineage of one graph; its edges are read when they are first asked for."""

    def __init__(self, graph: GraphView) -> None:
        self.graph = graph
        self._path = (
            graph.folder / FOLDER / "edges.jsonl" if isinstance(graph, StoredGraph) else None
        )
        self._kept = descent() | {FAMILY, SUCCESSION, TRAINING, TESTING}
        self._descent = descent() | {TRAINING}

    @cached_property
    def _links(self) -> _Links:
        listed = self._listed() if self._path is None else self._stream(self._path)
        return _Links(listed, self._descent)

    def _stream(self, path: Path) -> Iterator[Hop]:
        decode = msgspec.json.Decoder(_SlimEdge).decode
        kept = self._kept
        # One string for each id and word, however often it stands in the file.
        shared: dict[str, str] = {}
        share = shared.setdefault
        place = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    edge = decode(line)
                except msgspec.DecodeError as error:
                    raise ReadError(
                        f"{path}, line {number}: {error}; build the graph again"
                    ) from error
                if edge.relation in kept:
                    yield _hop(edge, place, share)
                place += len(line)

    @cached_property
    def _edges(self) -> list[Edge]:
        return [edge for edge in self.graph.edges if edge.relation in self._kept]

    def _listed(self) -> Iterator[Hop]:
        for place, edge in enumerate(self._edges):
            yield _hop(edge, place, lambda text, _: text)

    def edge(self, hop: Hop) -> Edge:
        """Return the edge of ``hop`` with all its evidence.

        Raises :class:`kg.errors.ReadError` where the graph's folder was written anew meanwhile.
        """
        if self._path is None:
            return self._edges[hop.place]
        with self._path.open("rb") as lines:
            lines.seek(hop.place)
            line = lines.readline()
        try:
            edge = msgspec.json.decode(line, type=Edge)
        except (msgspec.DecodeError, ValueError):
            edge = None
        if edge is None or edge.key != hop.key:
            raise ReadError(f"{self._path}: has changed since it was read; load the graph again")
        return edge

    # ------------------------------------------------------------------ entities

    @cached_property
    def entities(self) -> Mapping[str, Entity]:
        """Every entity, by id."""
        return {entity.id: entity for entity in self.graph.entities}

    @cached_property
    def _by_key(self) -> Mapping[str, list[tuple[str, Entity]]]:
        """Each name of each entity, by its key."""
        found: defaultdict[str, list[tuple[str, Entity]]] = defaultdict(list)
        for entity in self.entities.values():
            for name in (entity.name, *entity.repositories, *entity.aliases):
                found[name_key(name)].append((name, entity))
        return found

    def name(self, id_: str) -> str:
        """Return the name of the entity with this id."""
        entity = self.entities.get(id_)
        return entity.name if entity is not None else id_

    def find(self, name: str) -> Entity:
        """Return the entity called ``name``, whatever its case, blanks and hyphens, or by id.

        Of several the one that :func:`kg.text.preference` puts first.  Raises
        :class:`kg.errors.NotFound` with the five nearest.
        """
        entity = self.entities.get(name) or self.entities.get(name.casefold())
        if entity is not None:
            return entity
        found = self._called(name, name_key(name))
        if not found:
            raise NotFound(f"no entity is called {name!r}", nearest=self.nearest(name))
        return found[0]

    def _called(self, name: str, key: str) -> list[Entity]:
        """Return what has a name of that key, with what ``name`` most likely means first."""

        def rank(match: tuple[str, Entity]) -> tuple[object, ...]:
            called, entity = match
            mentions = sum(count for _, count in entity.mentioned_in)
            return preference(
                name, called, name=entity.name, type=entity.type, mentions=mentions, id=entity.id
            )

        return [entity for _, entity in sorted(self._by_key.get(key, ()), key=rank)]

    def nearest(self, name: str, count: int = 5) -> list[str]:
        """Return the names most like ``name``, best first."""
        ids: dict[str, None] = {}
        for key in nearest(name, self._by_key, 2 * count):
            for entity in self._called(name, key):
                ids.setdefault(entity.id)
        return [self.name(id_) for id_ in list(ids)[:count]]

    # ------------------------------------------------------------------ steps

    def up(self, id_: str, chosen: Filter = ALL) -> list[Hop]:
        """Return the hops from ``id_`` to what it directly comes from, data included."""
        return _ordered(h for h in self._links.up.get(id_, ()) if self._is_descent(h, chosen))

    def down(self, id_: str, chosen: Filter = ALL) -> list[Hop]:
        """Return the hops to ``id_`` from what directly comes of it."""
        return _ordered(h for h in self._links.down.get(id_, ()) if self._is_descent(h, chosen))

    def _is_descent(self, hop: Hop, chosen: Filter) -> bool:
        return hop.relation in self._descent and chosen.admits(hop)

    def families(self, id_: str, chosen: Filter = ALL) -> list[Hop]:
        """Return the hops from a member to its families."""
        return [h for h in self._links.up.get(id_, ()) if h.relation == FAMILY and chosen.admits(h)]

    def members(self, id_: str, chosen: Filter = ALL) -> list[Hop]:
        """Return the hops from its members to a family."""
        return [
            h for h in self._links.down.get(id_, ()) if h.relation == FAMILY and chosen.admits(h)
        ]

    def all_members(self, id_: str) -> list[str]:
        """Return the members of a family and of the families within it, sorted by id."""
        return sorted(_reached(id_, lambda node: (hop.subject for hop in self.members(node))))

    def all_families(self, id_: str) -> set[str]:
        """Return the families of an entity, and those that they belong to."""
        return _reached(id_, lambda node: (hop.object for hop in self.families(node)))

    def tested_on(self, id_: str) -> list[Hop]:
        """Return the accepted hops from a model to what it was evaluated on."""
        return [h for h in self._links.up.get(id_, ()) if h.relation == TESTING and ALL.admits(h)]

    def hops(self) -> Iterator[Hop]:
        """Yield every hop of descent, family, succession, training and testing, any status."""
        for id_ in sorted(self._links.up):
            yield from self._links.up[id_]

    def hops_between(self, subject: str, relation: str, object_: str) -> list[Hop]:
        """Return the hops from ``subject`` to ``object_``; an empty relation stands for any."""
        return [
            hop
            for hop in self._links.up.get(subject, ())
            if hop.object == object_ and relation in ("", hop.relation)
        ]

    # ------------------------------------------------------------------ closures and paths

    def ancestors(self, id_: str, chosen: Filter = ALL) -> Closure:
        """Return everything that ``id_`` comes from, with the number of hops to it."""
        return self._links.steps.reach((id_,), self._links.steps.up, chosen)

    def descendants(self, id_: str, chosen: Filter = ALL) -> Closure:
        """Return everything that comes of ``id_``, with the number of hops to it."""
        return self._links.steps.reach((id_,), self._links.steps.down, chosen)

    def path(self, start: str, goal: str, chosen: Filter = ALL) -> list[Hop] | None:
        """Return the shortest chain of hops from ``start`` up to its ancestor ``goal``.

        Among several of the same length the one whose first hops tell most is meant.
        """
        if start == goal:
            return []
        left = self.descendants(goal, chosen)
        return self._climb(start, {goal}, left, chosen) if start in left else None

    def _climb(
        self, start: str, goals: Container[str], left: Mapping[str, int], chosen: Filter
    ) -> list[Hop]:
        """Return the hops from ``start`` to the nearest of ``goals``, as many as are ``left``."""
        chain: list[Hop] = []
        node = start
        while node not in goals:
            nearer = left[node] - 1
            chain.append(
                next(
                    hop
                    for hop in self.up(node, chosen)
                    if (0 if hop.object in goals else left.get(hop.object)) == nearer
                )
            )
            node = chain[-1].object
        return chain

    def family_path(self, start: str, goal: str, chosen: Filter = ALL) -> list[Hop] | None:
        """Return the shortest chain in which a member may stand for either end, a family.

        The hops between the member and its family are part of it.  That two families have a
        member in common is no chain.
        """
        starts, ends = self._inside(start, chosen), self._inside(goal, chosen)
        if start in ends:
            return list(ends[start])
        if goal in starts:  # the other way round that is a membership, and nothing is nearer
            return None
        left = self._links.steps.reach(list(ends), self._links.steps.down, chosen)
        found = [member for member in starts if member in left]
        if not found:
            return None
        first = min(found, key=lambda member: left[member] + len(starts[member]))
        chain = self._climb(first, ends, left, chosen)
        return [*reversed(starts[first]), *chain, *ends[chain[-1].object]]

    def _inside(self, id_: str, chosen: Filter) -> dict[str, tuple[Hop, ...]]:
        """Return the hops up to ``id_`` from itself and each of its members, the nearest first."""
        found: dict[str, tuple[Hop, ...]] = {id_: ()}
        queue = deque(found)
        while queue:
            node = queue.popleft()
            for hop in self.members(node, chosen):
                if hop.subject not in found:
                    found[hop.subject] = (hop, *found[node])
                    queue.append(hop.subject)
        return found

    def joined(self, one: str, other: str, chosen: Filter = ALL) -> tuple[list[Hop], str]:
        """Return the hops between two in either direction, and the ancestor they lead over, if any.

        The two themselves come before members that stand for them, and those before an ancestor
        of both.  Raises :class:`kg.errors.NotFound`.
        """
        for path in (self.path, self.family_path):
            for start, goal in ((one, other), (other, one)):
                hops = path(start, goal, chosen)
                if hops is not None:
                    return hops, ""
        shared = self.common(one, other, chosen)
        if not shared:
            raise NotFound(
                f"no hops lead from {self.name(one)} to {self.name(other)} or back, and nothing is"
                " an ancestor of both; their own lineages say what is known of each"
            )
        over = shared[0][0]
        sides = (self.path(end, over, chosen) or () for end in (one, other))
        return [hop for side in sides for hop in side], over

    def common(self, one: str, other: str, chosen: Filter = ALL) -> list[tuple[str, int, int]]:
        """Return the nearest common ancestors as ``(id, hops from one, hops from other)``.

        Each of the two counts as its own ancestor; an ancestor of a common ancestor is left out,
        unless the two descend from each other.
        """
        a = {one: 0, **self.ancestors(one, chosen)}
        b = {other: 0, **self.ancestors(other, chosen)}
        shared = a.keys() & b.keys()
        further = {
            hop.object
            for node in shared
            for hop in self._links.up.get(node, ())
            if self._is_descent(hop, chosen) and hop.object != node
        }
        nearest = shared - further
        below = self._links.steps.reach(sorted(nearest), self._links.steps.up, chosen)
        # Only a circle is left: all of it is nearest where nothing outside descends from it.
        circles = shared - nearest - below.keys()
        if circles:
            above = {id_: [h.object for h in self.up(id_, chosen)] for id_ in sorted(circles)}
            for knot in knots(above):
                outside = {h.subject for node in knot for h in self.down(node, chosen)} & circles
                if outside <= set(knot):
                    nearest |= set(knot)
        found = [(node, a[node], b[node]) for node in nearest]
        return sorted(found, key=lambda found: (found[1] + found[2], found[0]))

    def cycles(self, chosen: Filter = ALL) -> list[tuple[str, ...]]:
        """Return the groups of entities that descend from each other, each group sorted."""
        return knots(
            {id_: [h.object for h in self.up(id_, chosen)] for id_ in sorted(self._links.up)}
        )


def _reached(start: str, step: Callable[[str], Iterable[str]]) -> set[str]:
    """Return all that steps lead to from ``start``, itself left out."""
    found: set[str] = set()
    queue = [start]
    while queue:
        new = set(step(queue.pop())) - found
        found |= new
        queue += new
    return found - {start}


def _hop(edge: _SlimEdge | Edge, place: int, share: Callable[[str, str], str]) -> Hop:
    items: tuple[Any, ...] = edge.evidence
    if len(items) == 1:
        kind, documents = items[0].kind, 1
    else:
        kinds = [item.kind for item in items]
        kind = min(kinds, key=lambda k: _KINDS.get(k, 9), default="inferred")
        documents = len({item.document for item in items})
    return Hop(
        share(edge.subject, edge.subject), share(edge.relation, edge.relation),
        share(edge.object, edge.object), edge.confidence, share(edge.status, edge.status),
        share(kind, kind), len(items), documents, place,
    )  # fmt: skip


def _ordered(hops: Iterable[Hop]) -> list[Hop]:
    """Return weights before knowledge before data, the surest first."""
    relations = schema.relations()
    order = {"weights": 0, "knowledge": 2, "data": 3}

    def rank(hop: Hop) -> tuple[int, float, str, str]:
        relation = relations.get(hop.relation)
        strand = order.get(relation.strand or "", 1) if relation is not None else 4
        return (strand, -hop.confidence, hop.object, hop.subject)

    found = list(hops)
    return found if len(found) < 2 else sorted(found, key=rank)


class Closure(Mapping[str, int]):
    """All that a closure reaches, each with the number of hops to it, the nearest first.

    A mapping as any other; but how many there are, and whether something is among them, is
    known before half a million names are gathered.
    """

    def __init__(
        self,
        number: Mapping[str, int],
        names: np.ndarray[Any, np.dtype[np.object_]],
        nodes: Numbers,
        hops: Numbers,
    ) -> None:
        self._number, self._names, self._nodes, self._reached = number, names, nodes, hops

    @cached_property
    def _hops(self) -> Numbers:
        """The number of hops to every node of the graph, 0 where it is not reached."""
        hops: Numbers = np.zeros(len(self._names), dtype=np.int32)
        hops[self._nodes] = self._reached
        return hops

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[str]:
        yield from self._names[self._nodes].tolist()

    def __getitem__(self, id_: str) -> int:
        hops = int(self._hops[self._number[id_]])
        if not hops:
            raise KeyError(id_)
        return hops

    def __repr__(self) -> str:
        return repr(dict(self))


class _Links:
    """The hops up and down from each node, and those of descent as numbers."""

    def __init__(self, hops: Iterable[Hop], descent: frozenset[str]) -> None:
        self.up: defaultdict[str, list[Hop]] = defaultdict(list)
        self.down: defaultdict[str, list[Hop]] = defaultdict(list)
        self.steps = _Steps()
        for hop in hops:
            self.up[hop.subject].append(hop)
            self.down[hop.object].append(hop)
            if hop.relation in descent:
                self.steps.add(hop)


class _Steps:
    """The hops of descent as numbers: which node, to which node, and what a filter asks of it."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._columns = {name: array("i") for name in ("subject", "object", *_CODED)}
        self._confidence = array("d")
        self._codes: dict[str, dict[str, int]] = {name: {} for name in _CODED}
        self._masks: dict[Filter, Mask | None] = {}

    def add(self, hop: Hop) -> None:
        """Take in one hop."""
        number = self._number
        columns = self._columns
        columns["subject"].append(number.setdefault(hop.subject, len(number)))
        columns["object"].append(number.setdefault(hop.object, len(number)))
        for name, word in zip(_CODED, (hop.relation, hop.status, hop.kind), strict=True):
            codes = self._codes[name]
            columns[name].append(codes.setdefault(word, len(codes)))
        self._confidence.append(hop.confidence)

    @cached_property
    def up(self) -> Adjacency:
        """From children to parents."""
        return self._adjacency("subject", "object")

    @cached_property
    def down(self) -> Adjacency:
        """From parents to children."""
        return self._adjacency("object", "subject")

    def _adjacency(self, start: str, end: str) -> Adjacency:
        starts, ends = (np.array(self._columns[n], dtype=np.int32) for n in (start, end))
        return Adjacency(len(self._number), starts, ends)

    @cached_property
    def _names(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        return np.array(list(self._number), dtype=object)

    def reach(self, ids: Sequence[str], along: Adjacency, chosen: Filter) -> Closure:
        """Return all that is reached from ``ids``, with the number of hops to it."""
        roots = [self._number[id_] for id_ in ids if id_ in self._number]
        nodes, hops = along.reach(roots, self._admitted(chosen))
        return Closure(self._number, self._names, nodes, hops)

    def _admitted(self, chosen: Filter) -> Mask | None:
        """Return which hops ``chosen`` follows, ``None`` for all of them."""
        if chosen not in self._masks:
            mask = self._mask(chosen)
            self._masks[chosen] = None if mask.all() else mask
        return self._masks[chosen]

    def _mask(self, chosen: Filter) -> Mask:
        """Return :meth:`Filter.admits` of all hops at once."""
        admitted: Mask = np.array(self._confidence, dtype=np.float64) >= chosen.min_confidence
        admitted &= self._coded("status", chosen.statuses)
        if not chosen.inferred:
            admitted &= ~self._coded("kind", ("inferred",))
        if chosen.relations is not None:
            admitted &= self._coded("relation", chosen.relations)
        return admitted

    def _coded(self, name: str, words: Iterable[str]) -> Mask:
        codes = self._codes[name]
        wanted = [codes[word] for word in words if word in codes]
        return np.isin(np.array(self._columns[name], dtype=np.int32), wanted)
