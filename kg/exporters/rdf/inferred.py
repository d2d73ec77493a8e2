"""What follows from the accepted edges: all ancestors, and teachers that stand behind data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kg import schema
from kg.exporters import BASE
from kg.exporters.rdf.blocks import INFERRED, Block, Pairs
from kg.exporters.rdf.terms import entity_iri
from kg.values import GraphView


def inferred_blocks(graph: GraphView, base: str = BASE) -> Iterator[Block]:
    """Yield what follows from the accepted edges: all ancestors, and teachers through data.

    This alone keeps something in memory: the edges of lineage and training.
    """
    relations = schema.relations()
    parents: defaultdict[str, set[str]] = defaultdict(set)
    trained: defaultdict[str, set[str]] = defaultdict(set)
    taught_by: defaultdict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        relation = relations.get(edge.relation)
        if edge.status != "accepted" or relation is None:
            continue
        if relation.lineage:
            parents[edge.subject].add(edge.object)
        if relation.name == "trainedOn":
            trained[edge.subject].add(edge.object)
        if relation.name in ("generatedBy", "distilledFrom"):
            taught_by[edge.subject].add(edge.object)
    teachers = {
        student: {teacher for data in sources for teacher in taught_by.get(data, ())} - {student}
        for student, sources in trained.items()
    }
    for student, found in teachers.items():
        parents[student] |= found
    for child in sorted(parents):
        pairs = Pairs()
        hidden = sorted(teachers.get(child, ()))
        pairs.add("taughtThroughDataBy", *(entity_iri(name, base) for name in hidden))
        above = sorted(_reachable(child, parents) - {child})
        pairs.add("hasAncestor", *(entity_iri(name, base) for name in above))
        block = pairs.block(INFERRED, entity_iri(child, base))
        if block.pairs:
            yield block


def _reachable(start: str, steps: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = steps.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found
