"""The graph as Python users know it: a ``networkx.MultiDiGraph``, and back without loss.

A node is an entity's id; its attributes are the entity's fields.  An edge's key is its relation;
its attributes are ``confidence``, ``status`` and ``evidence``.  What is neither node nor edge
(documents, results, merges, manifest) stands in ``graph.graph``.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from kg.values import Edge, Entity, Graph, GraphView

if TYPE_CHECKING:
    import networkx


def to_networkx(graph: GraphView) -> networkx.MultiDiGraph:
    """Return ``graph`` as a directed multigraph; :func:`from_networkx` is the inverse."""
    import networkx

    made = networkx.MultiDiGraph(
        documents=tuple(graph.documents),
        results=tuple(graph.results),
        merges=tuple(graph.merges),
        manifest=dict(graph.manifest),
    )
    names = [field.name for field in fields(Entity) if field.name != "id"]
    for entity in graph.entities:
        made.add_node(entity.id, **{name: getattr(entity, name) for name in names})
    for edge in graph.edges:
        made.add_edge(
            edge.subject,
            edge.object,
            key=edge.relation,
            confidence=edge.confidence,
            status=edge.status,
            evidence=edge.evidence,
        )
    return made


def from_networkx(made: networkx.MultiDiGraph) -> Graph:
    """Return the graph that :func:`to_networkx` was given, or what has become of it since."""
    entities = [Entity(id=node, **values) for node, values in made.nodes(data=True)]
    edges = [
        Edge(subject, relation, object_, **values)
        for subject, object_, relation, values in made.edges(keys=True, data=True)
    ]
    kept: dict[str, Any] = made.graph
    return Graph(
        kept.get("documents", ()),
        tuple(sorted(entities, key=lambda entity: entity.id)),
        tuple(sorted(edges, key=lambda edge: edge.key)),
        kept.get("results", ()),
        kept.get("merges", ()),
        kept.get("manifest", {}),
    )
