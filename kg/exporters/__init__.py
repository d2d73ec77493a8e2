"""The exporters by name: where each lives, imported only when it is used.

Each is an :class:`Exporter`.  Other packages may bring more (:mod:`kg.plugins`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from kg import plugins
from kg.errors import NotFound
from kg.text import nearest
from kg.values import BASE as BASE
from kg.values import GraphView

#: ``name -> "module:function"``. The name is what ``kg export --to`` takes.
EXPORTERS: Final[dict[str, str]] = {
    "turtle": "kg.exporters.rdf:write_turtle",
    "provenance": "kg.exporters.rdf:write_provenance",
    "nquads": "kg.exporters.rdf:write_nquads",
    "ntriples": "kg.exporters.rdf:write_ntriples",
    "trig": "kg.exporters.rdf:write_trig",
    "jsonld": "kg.exporters.rdf:write_jsonld",
    "rdfxml": "kg.exporters.rdf:write_rdfxml",
    "void": "kg.exporters.rdf:write_void",
    "rdf12": "kg.exporters.rdf:write_rdf12",
    "nanopub": "kg.exporters.rdf:write_nanopublications",
    "nodes": "kg.exporters.tables:write_nodes",
    "edges": "kg.exporters.tables:write_edges",
    "results": "kg.exporters.tables:write_results",
    "graphml": "kg.exporters.tables:write_graphml",
    "gexf": "kg.exporters.tables:write_gexf",
    "neo4j": "kg.exporters.tables:write_neo4j",
    "cypher": "kg.exporters.tables:write_cypher",
    "html": "kg.exporters.html:write_html",
    "svg": "kg.exporters.picture:write_svg",
    "png": "kg.exporters.picture:write_png",
}

#: The file that ``kg build`` writes into the graph's folder, by exporter; others are on request,
#: and their files are called as they are.
FILES: Final[dict[str, str]] = {
    "turtle": "graph.ttl",
    "provenance": "provenance.ttl",
    "nquads": "graph.nq",
    "jsonld": "graph.jsonld",
    "void": "void.ttl",
    "nodes": "nodes.csv",
    "edges": "edges.csv",
    "results": "results.csv",
    "graphml": "graph.graphml",
    "gexf": "graph.gexf",
    "html": "graph.html",
}


class Exporter(Protocol):
    """A function that streams a graph into the file, or the folder, ``path``."""

    def __call__(
        self, graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
    ) -> None:
        """Write ``graph``; entities live under the IRI ``base``, ``also`` names more vocabularies.

        A format that holds no triples refuses ``also`` with a :class:`kg.errors.UsageError`.
        """


def names() -> list[str]:
    """Return the names of every exporter there is, built in or installed, sorted."""
    return plugins.names("exporter", EXPORTERS)


def exporter(name: str) -> Exporter:
    """Return the function that writes the format called ``name``."""
    if name not in EXPORTERS:
        there = names()
        if name in there:
            return plugins.choose("exporter", name, {})
        near = nearest(name, there, 3)
        raise NotFound(f"no export format is called {name!r}", nearest=near or there)
    module, function = EXPORTERS[name].split(":")
    found: Any = getattr(importlib.import_module(module), function)
    return found  # type: ignore[no-any-return]
