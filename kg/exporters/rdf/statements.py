"""What is believed: entities, accepted edges as plain triples, and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from kg.assemble.spelling import is_named_as
from kg.exporters import BASE
from kg.exporters.rdf.alignments import Alignment
from kg.exporters.rdf.blocks import STATEMENTS, Block, Pairs
from kg.exporters.rdf.terms import (
    ALT_LABEL,
    CLOSE_MATCH,
    RDF_TYPE,
    RDFS_LABEL,
    SAME_AS,
    Literal,
    canonical_decimal,
    document_iri,
    entity_iri,
    hub_iri,
    result_iri,
    term,
    text_literal,
)
from kg.values import Edge, Entity, GraphView, Result, type_of


def statement_blocks(
    graph: GraphView, base: str = BASE, also: tuple[Alignment, ...] = ()
) -> Iterator[Block]:
    """Yield what is believed: entities with their accepted edges, sorted, then scores."""
    groups = groupby(graph.edges, key=lambda edge: edge.subject)
    waiting = next(groups, None)
    for entity in graph.entities:
        while waiting is not None and waiting[0] < entity.id:
            yield from _edges_alone(*waiting, base, also)
            waiting = next(groups, None)
        pairs = Pairs()
        _add_entity(pairs, entity, base, also)
        if waiting is not None and waiting[0] == entity.id:
            _add_edges(pairs, waiting[1], type_of, base, also)
            waiting = next(groups, None)
        yield pairs.block(STATEMENTS, entity_iri(entity.id, base))
    while waiting is not None:
        yield from _edges_alone(*waiting, base, also)
        waiting = next(groups, None)
    for result in graph.results:
        if result.status == "accepted":
            yield _result_block(result, base)


def _add_entity(pairs: Pairs, entity: Entity, base: str, also: Iterable[Alignment]) -> None:
    pairs.add(RDF_TYPE, term(entity.type))
    pairs.add(RDFS_LABEL, text_literal(entity.name))
    pairs.add(ALT_LABEL, *map(text_literal, entity.aliases))
    for repository in entity.repositories:
        page = hub_iri(repository, entity.type)
        if page:
            pairs.add("hubId", text_literal(repository.removeprefix("datasets/")))
            exact = is_named_as(entity.name, repository)
            pairs.add(SAME_AS if exact else CLOSE_MATCH, page)
    licences = sorted({value for key, value, _ in entity.facts if key == "license"})
    pairs.add("license", *map(text_literal, licences))
    pairs.add("introducedIn", *(document_iri(name, base) for name in entity.introduced_in))
    for alignment in also:
        if entity.type in alignment.classes:
            pairs.add(RDF_TYPE, alignment.classes[entity.type])
            if alignment.name:
                pairs.add(alignment.name, text_literal(entity.name))


def _add_edges(
    pairs: Pairs,
    edges: Iterable[Edge],
    types: Callable[[str], str],
    base: str,
    also: tuple[Alignment, ...],
) -> None:
    for edge in edges:
        if edge.status != "accepted":
            continue
        target = entity_iri(edge.object, base)
        pairs.add(edge.relation, target)
        ends = (edge.relation, types(edge.subject), types(edge.object))
        for alignment in also:
            if ends in alignment.relations:
                pairs.add(alignment.relations[ends], target)


def _edges_alone(
    subject: str, edges: Iterable[Edge], base: str, also: tuple[Alignment, ...]
) -> Iterator[Block]:
    """Yield the edges of a subject that is not among the entities, as a damaged graph has them."""
    pairs = Pairs()
    _add_edges(pairs, edges, type_of, base, also)
    block = pairs.block(STATEMENTS, entity_iri(subject, base))
    if block.pairs:
        yield block


def _result_block(result: Result, base: str) -> Block:
    pairs = Pairs()
    pairs.add(RDF_TYPE, term("Result"))
    pairs.add("resultOf", entity_iri(result.subject, base))
    if result.on is not None:
        pairs.add("onBenchmark", entity_iri(result.on, base))
    if result.metric is not None:
        pairs.add("metric", entity_iri(result.metric, base))
    pairs.add("value", text_literal(result.value))
    number = canonical_decimal(result.number)
    if number:
        pairs.add("number", Literal(number, "decimal"))
    return pairs.block(STATEMENTS, result_iri(result, base))
