"""RDF/XML: everything in one graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kg.errors import UsageError
from kg.exporters import BASE
from kg.exporters.rdf.content import blocks
from kg.exporters.rdf.terms import PREFIXES, Iri, Term, checked_base
from kg.values import GraphView

_XML_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")


def _xml(text: str) -> str:
    """Return ``text`` as XML character data; a carriage return would be normalised away bare."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;").replace("\r", "&#13;")


def _xml_property(predicate: Iri, value: Term, names: Mapping[str, str]) -> str:
    match = _XML_NAME.search(predicate)
    if match is None:
        raise UsageError(f"RDF/XML cannot write the property {predicate}; use another format")
    namespace, local = predicate[: match.start()], match.group()
    prefix = names.get(namespace)
    tag = f"{prefix}:{local}" if prefix else local
    declared = "" if prefix else f' xmlns="{_xml(namespace)}"'
    if isinstance(value, Iri):
        return f'    <{tag}{declared} rdf:resource="{_xml(value)}"/>\n'
    kind = (
        "" if value.datatype == "string" else f' rdf:datatype="{PREFIXES["xsd"]}{value.datatype}"'
    )
    return f"    <{tag}{declared}{kind}>{_xml(value.value)}</{tag}>\n"


def write_rdfxml(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write everything as RDF/XML, in one graph."""
    base = checked_base(base)
    used = ("mlkg", "rdf", "rdfs", "owl", "skos", "prov", "dcterms", "foaf", "nif")
    names = {PREFIXES[name]: name for name in used}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        namespaces = "".join(f'\n    xmlns:{name}="{PREFIXES[name]}"' for name in used)
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{namespaces}>\n')
        for block in blocks(graph, base, also):
            file.write(f'  <rdf:Description rdf:about="{_xml(block.subject)}">\n')
            for predicate, objects in block.pairs:
                file.writelines(_xml_property(predicate, value, names) for value in objects)
            file.write("  </rdf:Description>\n")
        file.write("</rdf:RDF>\n")
