"""Why an answer has no rows, in words."""

from __future__ import annotations

from typing import Final

from kg import schema
from kg.query.answers import Answer
from kg.text import nearest as nearest_names

#: Where no part of a question is unknown.
TOGETHER: Final = "no rows: every part of the question occurs in the graph, but not together"

#: Where a graph without provenance is asked.
NO_PROVENANCE: Final = (
    "no rows: there is no provenance here (documents, assertions, evidence); graph.nq of the same "
    "build holds it"
)


def unmatched(answer: Answer) -> list[str]:
    """Return which terms of an empty answer's question the graph does not hold, and the nearest."""
    hints = []
    absent = []
    for iri in answer.unknown:
        if iri == f"{schema.NAMESPACE}Document":
            return [NO_PROVENANCE]
        local = iri.removeprefix(schema.NAMESPACE)
        if local == iri or local in schema.terms():
            absent.append(schema.curie(iri))
            if local != iri and (remedy := schema.instead(local)):
                hints.append(remedy)
            continue
        near = nearest_names(local, schema.terms(), 3)
        meant = f"; did you mean {' or '.join(f'mlkg:{name}' for name in near)}?" if near else ""
        hints.append(f"the ontology has no {schema.curie(iri)}{meant}")
    if absent:
        hints.append(f"no rows: this graph holds no {', no '.join(absent)}")
    for text, names in answer.absent:
        nearest = f"; the nearest names are: {', '.join(names)}" if names else ""
        hints.append(f"no rows: no text of this graph is {text!r}{nearest}")
    return hints
