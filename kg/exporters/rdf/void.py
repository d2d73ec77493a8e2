"""The description of the whole as VoID: how many triples, by property and by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kg.exporters import BASE
from kg.exporters.rdf.blocks import STATEMENTS, Block, Pairs
from kg.exporters.rdf.content import blocks
from kg.exporters.rdf.jsonld import curie
from kg.exporters.rdf.terms import (
    CLOSE_MATCH,
    GENERATED,
    MLKG,
    PREFIXES,
    RDF_TYPE,
    SAME_AS,
    TITLE,
    Iri,
    Literal,
    checked_base,
    encoded,
    integer_literal,
    run_iri,
)
from kg.exporters.rdf.turtle import write_blocks
from kg.values import GraphView


def write_void(graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()) -> None:
    """Write the description of the whole as VoID: how many triples, by property and by class."""
    base = checked_base(base)
    triples: Counter[str] = Counter()
    properties: Counter[Iri] = Counter()
    classes: Counter[Iri] = Counter()
    example: Iri | None = None
    for block in blocks(graph, base, also):
        for predicate, objects in block.pairs:
            triples[block.graph] += len(objects)
            properties[predicate] += len(objects)
            if predicate == RDF_TYPE:
                classes.update(value for value in objects if isinstance(value, Iri))
        if example is None and block.graph == STATEMENTS:
            example = block.subject
    void = PREFIXES["void"]
    this = Iri(f"{base}void#dataset")
    pairs = Pairs()
    pairs.add(RDF_TYPE, Iri(void + "Dataset"))
    pairs.add(TITLE, Literal("ML knowledge graph"))
    pairs.add(GENERATED, run_iri(graph, base))
    pairs.add(Iri(void + "triples"), integer_literal(sum(triples.values())))
    pairs.add(Iri(void + "entities"), integer_literal(len(graph.entities)))
    pairs.add(Iri(void + "documents"), integer_literal(len(graph.documents)))
    pairs.add(Iri(void + "uriSpace"), Literal(base))
    pairs.add(Iri(void + "vocabulary"), Iri(MLKG))
    pairs.add(Iri(void + "dataDump"), Iri(f"{base}graph.nq"))
    if example is not None:
        pairs.add(Iri(void + "exampleResource"), example)
    rest: list[Block] = []
    for kind, link, counts in (
        ("property", "propertyPartition", properties),
        ("class", "classPartition", classes),
    ):
        for iri in sorted(counts):
            part = Iri(f"{base}void#{kind}-{encoded(curie(iri).replace(':', '-'))}")
            pairs.add(Iri(void + link), part)
            of = Pairs()
            of.add(Iri(void + kind), iri)
            of.add(
                Iri(void + ("triples" if kind == "property" else "entities")),
                integer_literal(counts[iri]),
            )
            rest.append(of.block("", part))
    for predicate, name in ((SAME_AS, "hub-links"), (CLOSE_MATCH, "hub-close-links")):
        if not properties[predicate]:
            continue
        of = Pairs()
        of.add(RDF_TYPE, Iri(void + "Linkset"))
        of.add(Iri(void + "linkPredicate"), predicate)
        of.add(Iri(void + "subjectsTarget"), this)
        of.add(Iri(void + "objectsTarget"), Iri(PREFIXES["hf"]))
        of.add(Iri(void + "triples"), integer_literal(properties[predicate]))
        rest.append(of.block("", Iri(f"{base}void#{name}")))
    source = [pairs.block("", this), *rest]
    write_blocks(path, source, base, "What is in graph.nq, by property and by class.")
