"""The graph as an rdflib dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kg.exporters import BASE
from kg.exporters.rdf.content import blocks
from kg.exporters.rdf.terms import PREFIXES, Iri, checked_base
from kg.exporters.rdf.turtle import prefixes
from kg.values import GraphView

if TYPE_CHECKING:
    import rdflib


def to_rdflib(graph: GraphView, base: str = BASE) -> rdflib.Dataset:
    """Return everything as an rdflib dataset whose default graph is the union of its graphs."""
    import rdflib

    base = checked_base(base)
    dataset = rdflib.Dataset(default_union=True)
    for prefix, namespace in prefixes(base).items():
        dataset.bind(prefix, namespace)
    for graph_name, subject, pairs in blocks(graph, base):
        named = dataset.graph(rdflib.URIRef(base + graph_name))
        for predicate, objects in pairs:
            for value in objects:
                node: rdflib.URIRef | rdflib.Literal
                if isinstance(value, Iri):
                    node = rdflib.URIRef(value)
                elif value.datatype == "string":
                    node = rdflib.Literal(value.value)
                else:
                    node = rdflib.Literal(
                        value.value, datatype=rdflib.URIRef(PREFIXES["xsd"] + value.datatype)
                    )
                named.add((rdflib.URIRef(subject), rdflib.URIRef(predicate), node))
    return dataset
