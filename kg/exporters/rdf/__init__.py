"""Write a graph as RDF: what is believed, and why.

Two named graphs: ``graph/statements`` holds entities, scores and accepted edges as plain triples
(``graph.ttl``); ``graph/provenance`` holds an assertion per edge of any status, its evidence, and
the documents (``provenance.ttl``).  ``graph.nq`` and TriG hold both; N-Triples and RDF/XML the
union.  On request (``also=("inferred",)``) ``graph/inferred`` holds what follows.

Everything is written as it is read: memory does not grow with the graph.  Whatever the input
says, only well-formed IRIs and literals come out: identifiers are percent-encoded, characters
that no XML document may hold become U+FFFD (one for one, so that offsets still count).  IRIs of
assertions, evidence and scores are hashes of their content, so that the same statement has the
same name in every run; there are no blank nodes.

Content is made of :class:`Block` values (:mod:`statements <kg.exporters.rdf.statements>`,
``provenance``, ``inferred``), which ``turtle``, ``lines``, ``jsonld``, ``rdfxml``,
``nanopublications`` and ``void`` write.
"""

from kg.exporters.rdf.alignments import Alignment, alignments
from kg.exporters.rdf.blocks import INFERRED, PROVENANCE, STATEMENTS, Block
from kg.exporters.rdf.content import blocks
from kg.exporters.rdf.dataset import to_rdflib
from kg.exporters.rdf.inferred import inferred_blocks
from kg.exporters.rdf.jsonld import jsonld_context, jsonld_node, write_jsonld
from kg.exporters.rdf.lines import write_nquads, write_ntriples
from kg.exporters.rdf.nanopublications import write_nanopublications
from kg.exporters.rdf.provenance import provenance_blocks
from kg.exporters.rdf.rdfxml import write_rdfxml
from kg.exporters.rdf.statements import statement_blocks
from kg.exporters.rdf.terms import (
    Iri,
    Literal,
    Term,
    assertion_iri,
    document_iri,
    entity_iri,
    evidence_iri,
    hub_iri,
    result_iri,
)
from kg.exporters.rdf.turtle import (
    prefixes,
    write_provenance,
    write_rdf12,
    write_trig,
    write_turtle,
)
from kg.exporters.rdf.void import write_void

__all__ = [
    "INFERRED",
    "PROVENANCE",
    "STATEMENTS",
    "Alignment",
    "Block",
    "Iri",
    "Literal",
    "Term",
    "alignments",
    "assertion_iri",
    "blocks",
    "document_iri",
    "entity_iri",
    "evidence_iri",
    "hub_iri",
    "inferred_blocks",
    "jsonld_context",
    "jsonld_node",
    "prefixes",
    "provenance_blocks",
    "result_iri",
    "statement_blocks",
    "to_rdflib",
    "write_jsonld",
    "write_nanopublications",
    "write_nquads",
    "write_ntriples",
    "write_provenance",
    "write_rdf12",
    "write_rdfxml",
    "write_trig",
    "write_turtle",
    "write_void",
]
