"""What of a graph is drawn, and where: shared by the page and the still pictures."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from kg.exporters.layout import Place, place
from kg.lineage import find
from kg.values import Edge, Entity, GraphView


def node_radius(degree: int) -> float:
    """Return the size in which a node with ``degree`` links is drawn."""
    return round(4.0 + 1.9 * math.sqrt(min(degree, 90)), 2)


def arranged(graph: GraphView) -> tuple[list[Entity], list[Edge], list[int], list[Place]]:
    """Return entities, edges between them, the entities' degrees, and their places."""
    entities = list(graph.entities)
    index = {entity.id: i for i, entity in enumerate(entities)}
    edges = [edge for edge in graph.edges if edge.subject in index and edge.object in index]
    links = [(index[edge.subject], index[edge.object]) for edge in edges]
    degree: Counter[int] = Counter(end for link in links for end in link)
    degrees = [degree[i] for i in range(len(entities))]
    places = place(len(entities), links, radii=[node_radius(d) for d in degrees])
    return entities, edges, degrees, places


class _Part:
    """Some entities of a graph, and what is between them; a :class:`GraphView`."""

    def __init__(self, graph: GraphView, kept: Iterable[str]) -> None:
        inside = frozenset(kept)
        self.entities = [entity for entity in graph.entities if entity.id in inside]
        self.edges = [e for e in graph.edges if e.subject in inside and e.object in inside]
        self.results = [result for result in graph.results if result.subject in inside]
        self.merges = [merge for merge in graph.merges if merge.entity in inside]
        self.documents = graph.documents
        self.manifest = graph.manifest


def neighbourhood(graph: GraphView, focus: str, hops: int) -> GraphView:
    """Return the part of ``graph`` within ``hops`` links of the entity called ``focus``."""
    start = find(graph, focus).id
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        beside[edge.subject].add(edge.object)
        beside[edge.object].add(edge.subject)
    reached, border = {start}, {start}
    for _ in range(hops):
        border = {other for node in sorted(border) for other in beside[node]} - reached
        reached |= border
    return _Part(graph, reached)


def best_connected(graph: GraphView, count: int) -> GraphView:
    """Return the ``count`` entities of ``graph`` with most links, and what is between them."""
    degree: Counter[str] = Counter()
    for edge in graph.edges:
        degree[edge.subject] += 1
        degree[edge.object] += 1
    ranked = sorted((e.id for e in graph.entities), key=lambda i: (-degree[i], i))
    return _Part(graph, ranked[:count])
