"""What is said of one subject in one named graph: the unit in which all syntaxes are written."""

from __future__ import annotations

from typing import Final, NamedTuple

from kg.exporters.rdf.terms import Iri, Term, term

STATEMENTS: Final = "graph/statements"
PROVENANCE: Final = "graph/provenance"
INFERRED: Final = "graph/inferred"


class Block(NamedTuple):
    """All that one named graph says of one subject at one place in the file."""

    #: ``graph/statements``, ``graph/provenance`` or ``graph/inferred``.
    graph: str
    subject: Iri
    #: ``(predicate, objects)`` in the order in which they are written.
    pairs: tuple[tuple[Iri, tuple[Term, ...]], ...]


class Pairs:
    """Predicates with their objects, gathered for one subject; each triple once."""

    def __init__(self) -> None:
        self._objects: dict[Iri, dict[Term, None]] = {}

    def add(self, predicate: str | Iri, *objects: Term) -> None:
        """Add triples; a ``predicate`` that is a plain string is a term of ours."""
        iri = predicate if isinstance(predicate, Iri) else term(predicate)
        self._objects.setdefault(iri, {}).update(dict.fromkeys(objects))

    def block(self, graph: str, subject: Iri) -> Block:
        """Return what was gathered."""
        pairs = tuple((iri, tuple(objects)) for iri, objects in self._objects.items() if objects)
        return Block(graph, subject, pairs)
