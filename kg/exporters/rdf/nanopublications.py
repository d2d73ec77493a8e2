"""Nanopublications: each accepted edge with its evidence in four named graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kg.exporters import BASE
from kg.exporters.rdf.alignments import choose
from kg.exporters.rdf.blocks import Block, Pairs
from kg.exporters.rdf.provenance import evidence_blocks
from kg.exporters.rdf.terms import (
    GENERATED,
    PREFIXES,
    RDF_TYPE,
    Iri,
    assertion_iri,
    checked_base,
    content_hash,
    decimal_literal,
    entity_iri,
    evidence_iri,
    run_iri,
)
from kg.exporters.rdf.turtle import Shortener, turtle_block, write_with_header
from kg.values import Edge, GraphView


def write_nanopublications(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write each accepted edge as a nanopublication: TriG with four named graphs an edge.

    They are unsigned and carry no date, so that the same graph gives the same bytes; whoever
    publishes them adds both.
    """
    base = checked_base(base)
    choose(also)
    shortener = Shortener(base)
    run = run_iri(graph, base)
    np = PREFIXES["np"]

    def parts(edge: Edge) -> Iterator[tuple[str, list[Block]]]:
        key = content_hash(*edge.key)
        this = Iri(f"{base}nanopub/{key}")
        names = {
            part: Iri(f"{this}#{part}") for part in ("head", "assertion", "provenance", "info")
        }
        head = Pairs()
        head.add(RDF_TYPE, Iri(np + "Nanopublication"))
        head.add(Iri(np + "hasAssertion"), names["assertion"])
        head.add(Iri(np + "hasProvenance"), names["provenance"])
        head.add(Iri(np + "hasPublicationInfo"), names["info"])
        yield names["head"], [head.block("", this)]
        said = Pairs()
        said.add(edge.relation, entity_iri(edge.object, base))
        yield names["assertion"], [said.block("", entity_iri(edge.subject, base))]
        of = assertion_iri(*edge.key, base)
        why = Pairs()
        why.add("hasEvidence", *(evidence_iri(of, reading, base) for reading in edge.evidence))
        why.add("confidence", decimal_literal(edge.confidence))
        evidence = list(evidence_blocks(of, edge.evidence, run, base, set()))
        yield names["provenance"], [why.block("", names["assertion"]), *evidence]
        info = Pairs()
        info.add(GENERATED, run)
        yield names["info"], [info.block("", this)]

    def body() -> Iterator[str]:
        for edge in graph.edges:
            if edge.status != "accepted":
                continue
            for name, content in parts(edge):
                inner = "".join(turtle_block(block, shortener, "  ") for block in content)
                yield f"\n{shortener.iri(name)} {{\n{inner}}}\n"

    title = "Nanopublications, unsigned: one for each accepted edge."
    write_with_header(path, body(), lambda: f"# {title}\n\n{shortener.declarations()}")
