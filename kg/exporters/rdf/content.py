"""All that is written of a graph, a named graph after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kg.exporters import BASE
from kg.exporters.rdf.alignments import choose
from kg.exporters.rdf.blocks import Block
from kg.exporters.rdf.inferred import inferred_blocks
from kg.exporters.rdf.provenance import provenance_blocks
from kg.exporters.rdf.statements import statement_blocks
from kg.values import GraphView


def blocks(graph: GraphView, base: str = BASE, also: Iterable[str] = ()) -> Iterator[Block]:
    """Yield all that is written of ``graph``, a named graph after the other."""
    chosen, inferred = choose(also)
    yield from statement_blocks(graph, base, chosen)
    if inferred:
        yield from inferred_blocks(graph, base)
    yield from provenance_blocks(graph, base)


def believed(graph: GraphView, base: str, also: Iterable[str]) -> Iterator[Block]:
    """Yield what is believed, and what follows where that is asked for; not why."""
    chosen, inferred = choose(also)
    yield from statement_blocks(graph, base, chosen)
    if inferred:
        yield from inferred_blocks(graph, base)
