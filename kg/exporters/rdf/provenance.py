"""Why it is believed: documents, an assertion per edge of any status, and its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from kg.exporters import BASE
from kg.exporters.rdf.blocks import PROVENANCE, Block, Pairs
from kg.exporters.rdf.terms import (
    DATE,
    GENERATED,
    IDENTIFIER,
    IS_STRING,
    OBJECT,
    PAGE,
    PREDICATE,
    RDF_TYPE,
    RDFS_LABEL,
    SUBJECT,
    TITLE,
    TRUE,
    Iri,
    Literal,
    assertion_iri,
    content_hash,
    decimal_literal,
    document_iri,
    entity_iri,
    evidence_iri,
    extractor_iri,
    hub_iri,
    integer_literal,
    result_iri,
    run_iri,
    term,
    text_literal,
    well_formed,
)
from kg.text import xml_characters
from kg.values import Document, Edge, Entity, Evidence, GraphView, Result

#: A document's kind, and the class it has besides ``mlkg:Document``.
_DOCUMENT_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {"paper": "Paper", "model-card": "ModelCard", "dataset-card": "DatasetCard", "text": "Text"}
)


def provenance_blocks(graph: GraphView, base: str = BASE) -> Iterator[Block]:
    """Yield why it is believed: documents, entities' mentions, assertions, and their evidence."""
    run = run_iri(graph, base)
    extractors: set[str] = set()
    yield from (_document_block(document, base) for document in graph.documents)
    for entity in graph.entities:
        yield from _mention_blocks(entity, base)
    for edge in graph.edges:
        yield _assertion_block(edge, base)
        name = assertion_iri(*edge.key, base)
        yield from evidence_blocks(name, edge.evidence, run, base, extractors)
    for result in graph.results:
        if result.status != "accepted":
            continue
        yield _result_support(result, base)
        name = result_iri(result, base)
        yield from evidence_blocks(name, result.evidence, run, base, extractors)
    for extractor in sorted(extractors):
        pairs = Pairs()
        pairs.add(RDF_TYPE, term("Extractor"))
        pairs.add(RDFS_LABEL, text_literal(extractor))
        yield pairs.block(PROVENANCE, extractor_iri(extractor, base))
    pairs = Pairs()
    pairs.add(RDF_TYPE, term("Run"))
    yield pairs.block(PROVENANCE, run)


def _document_block(document: Document, base: str) -> Block:
    text = xml_characters(document.text)
    pairs = Pairs()
    pairs.add(RDF_TYPE, term("Document"))
    if document.kind in _DOCUMENT_CLASSES:
        pairs.add(RDF_TYPE, term(_DOCUMENT_CLASSES[document.kind]))
    pairs.add(TITLE, text_literal(document.title))
    pairs.add(IDENTIFIER, text_literal(document.id))
    if document.year is not None and 0 < document.year < 10_000:
        pairs.add(DATE, Literal(f"{document.year:04}", "gYear"))
    if document.url and well_formed(document.url):
        pairs.add(PAGE, Iri(document.url))
    kind = "Dataset" if document.kind == "dataset-card" else "Model"
    if document.repository and hub_iri(document.repository, kind):
        pairs.add("hubId", text_literal(document.repository.removeprefix("datasets/")))
    pairs.add("textSha256", Literal(hashlib.sha256(text.encode()).hexdigest()))
    pairs.add(IS_STRING, Literal(text))
    return pairs.block(PROVENANCE, document_iri(document.id, base))


def _mention_blocks(entity: Entity, base: str) -> Iterator[Block]:
    name = entity_iri(entity.id, base)
    pairs = Pairs()
    pairs.add("confidence", decimal_literal(entity.confidence))
    pairs.add("mentionCount", integer_literal(sum(count for _, count in entity.mentioned_in)))
    pairs.add("mentionedIn", *(document_iri(where, base) for where, _ in entity.mentioned_in))
    yield pairs.block(PROVENANCE, name)
    for key, value, document in entity.facts:
        pairs = Pairs()
        pairs.add(RDF_TYPE, term("Fact"))
        pairs.add("about", name)
        pairs.add("key", text_literal(key))
        pairs.add("value", text_literal(value))
        if document:
            pairs.add("fromDocument", document_iri(document, base))
        fact = content_hash(entity.id, key, value, document)
        yield pairs.block(PROVENANCE, Iri(f"{base}fact/{fact}"))


def _support(evidence: Iterable[Evidence]) -> int:
    return len({reading.document for reading in evidence})


def _assertion_block(edge: Edge, base: str) -> Block:
    name = assertion_iri(*edge.key, base)
    pairs = Pairs()
    pairs.add(RDF_TYPE, term("Assertion"))
    pairs.add(SUBJECT, entity_iri(edge.subject, base))
    pairs.add(PREDICATE, term(edge.relation))
    pairs.add(OBJECT, entity_iri(edge.object, base))
    pairs.add("status", term(edge.status.capitalize()))
    pairs.add("confidence", decimal_literal(edge.confidence))
    pairs.add("supportCount", integer_literal(_support(edge.evidence)))
    pairs.add("hasEvidence", *(evidence_iri(name, reading, base) for reading in edge.evidence))
    return pairs.block(PROVENANCE, name)


def _result_support(result: Result, base: str) -> Block:
    name = result_iri(result, base)
    pairs = Pairs()
    pairs.add("confidence", decimal_literal(result.confidence))
    pairs.add("supportCount", integer_literal(_support(result.evidence)))
    pairs.add("hasEvidence", *(evidence_iri(name, reading, base) for reading in result.evidence))
    return pairs.block(PROVENANCE, name)


def evidence_blocks(
    of: Iri, evidence: Iterable[Evidence], run: Iri, base: str, extractors: set[str]
) -> Iterator[Block]:
    """Yield a block for each reading, and add the names of those who read to ``extractors``."""
    written: set[Iri] = set()
    for reading in evidence:
        name = evidence_iri(of, reading, base)
        if name in written:
            continue
        written.add(name)
        extractors.add(reading.extractor)
        pairs = Pairs()
        pairs.add(RDF_TYPE, term("Evidence"))
        pairs.add("fromDocument", document_iri(reading.document, base))
        pairs.add("field", text_literal(reading.field))
        pairs.add("sentence", text_literal(reading.sentence))
        pairs.add("beginOffset", integer_literal(reading.span.start))
        pairs.add("endOffset", integer_literal(reading.span.end))
        for end, span in (("subject", reading.subject), ("object", reading.object)):
            if span is not None:
                pairs.add(f"{end}Begin", integer_literal(span.start))
                pairs.add(f"{end}End", integer_literal(span.end))
        pairs.add("evidenceKind", term(reading.kind.capitalize()))
        pairs.add("extractedBy", extractor_iri(reading.extractor, base))
        pairs.add("rule", text_literal(reading.rule))
        pairs.add("confidence", decimal_literal(reading.confidence))
        if reading.negated:
            pairs.add("negated", TRUE)
        for premise in reading.premises:
            parts = premise.split(" ")
            if len(parts) == 3:
                pairs.add("premise", assertion_iri(parts[0], parts[1], parts[2], base))
        pairs.add(GENERATED, run)
        yield pairs.block(PROVENANCE, name)
