"""The graph as tables and as files for graph programs: CSV, GraphML, GEXF, Neo4j.

All are streamed, so a graph need not fit in memory, and sorted, so the same graph always gives
the same bytes.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from kg.exporters import BASE
from kg.exporters.rdf.terms import without_triples as _checked
from kg.lineage import licences
from kg.text import xml_characters
from kg.values import Edge, Entity, GraphView
from kg.values import type_of as _type_of

if TYPE_CHECKING:
    import networkx

NODE_COLUMNS: Final = (
    *("id", "iri", "type", "name", "aliases", "hub_ids", "introduced_in", "documents"),
    *("mentions", "confidence", "licences"),
)
EDGE_COLUMNS: Final = (
    *("subject", "relation", "object", "subject_type", "object_type", "subject_hub_id"),
    *("object_hub_id", "status", "confidence", "kinds_of_evidence", "documents"),
)
RESULT_COLUMNS: Final = (
    *("subject", "on", "metric", "value", "number", "status", "confidence", "documents"),
)
#: Between the members of a cell that holds a list.
SEPARATOR: Final = "|"
#: What makes a spreadsheet run a cell that begins with it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def harmless(cell: str) -> str:
    """Return ``cell`` such that no spreadsheet runs it: an apostrophe before a formula's sign.

    Numbers keep their sign.  NUL is dropped, and a carriage return becomes a line feed.
    """
    cell = cell.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _joined(items: Iterable[str]) -> str:
    return SEPARATOR.join(item.replace(SEPARATOR, "/") for item in items)


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(columns)
        for row in rows:
            table.writerow([harmless(cell) for cell in row])


def write_nodes(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write every entity as a row of :data:`NODE_COLUMNS`."""
    base = _checked(base, also)

    def rows() -> Iterator[Sequence[str]]:
        for entity in graph.entities:
            yield (
                entity.id,
                base + entity.id,
                entity.type,
                entity.name,
                _joined(entity.aliases),
                _joined(entity.repositories),
                _joined(entity.introduced_in),
                str(len(entity.mentioned_in)),
                str(sum(count for _, count in entity.mentioned_in)),
                f"{entity.confidence:.4g}",
                _joined(licences.values(entity)),
            )

    _write_table(path, NODE_COLUMNS, rows())


def write_edges(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write every edge of any status as a row of :data:`EDGE_COLUMNS`."""
    _checked(base, also)
    hub = {e.id: e.repositories[0] for e in graph.entities if e.repositories}

    def rows() -> Iterator[Sequence[str]]:
        for edge in graph.edges:
            yield (
                edge.subject,
                edge.relation,
                edge.object,
                _type_of(edge.subject),
                _type_of(edge.object),
                hub.get(edge.subject, ""),
                hub.get(edge.object, ""),
                edge.status,
                f"{edge.confidence:.4g}",
                _joined(sorted({item.kind for item in edge.evidence})),
                _joined(sorted({item.document for item in edge.evidence})),
            )

    _write_table(path, EDGE_COLUMNS, rows())


def write_results(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write every score of either status as a row of :data:`RESULT_COLUMNS`."""
    _checked(base, also)

    def rows() -> Iterator[Sequence[str]]:
        for result in graph.results:
            yield (
                result.subject,
                result.on or "",
                result.metric or "",
                result.value,
                result.number,
                result.status,
                f"{result.confidence:.4g}",
                _joined(sorted({item.document for item in result.evidence})),
            )

    _write_table(path, RESULT_COLUMNS, rows())


# ---------------------------------------------------------------------- XML for graph programs

_NODE_KEYS: Final = (
    *(("label", "string"), ("type", "string"), ("iri", "string"), ("aliases", "string")),
    *(("hub_ids", "string"), ("documents", "int"), ("confidence", "double")),
    ("licences", "string"),
)
_EDGE_KEYS: Final = (
    *(("relation", "string"), ("status", "string"), ("confidence", "double")),
    *(("documents", "string"), ("evidence", "string"), ("sources", "string")),
)


def _node_values(entity: Entity, base: str) -> tuple[str, ...]:
    return (
        *(entity.name, entity.type, base + entity.id, _joined(entity.aliases)),
        *(_joined(entity.repositories), str(len(entity.mentioned_in))),
        *(f"{entity.confidence:.4g}", _joined(licences.values(entity))),
    )


def _edge_values(edge: Edge, urls: dict[str, str]) -> tuple[str, ...]:
    documents = sorted({item.document for item in edge.evidence})
    sources = sorted({urls[document] for document in documents if document in urls})
    return (
        *(edge.relation, edge.status, f"{edge.confidence:.4g}"),
        *(_joined(documents), edge.best.sentence, _joined(sources)),
    )


def _urls(graph: GraphView) -> dict[str, str]:
    return {document.id: document.url for document in graph.documents if document.url}


#: How networkx has values of the types of GraphML.
_PYTHON: Final[Mapping[str, Callable[[str], object]]] = {
    "string": xml_characters,
    "int": int,
    "double": float,
}


def flat_networkx(graph: GraphView, *, base: str = BASE) -> networkx.MultiDiGraph:
    """Return a multigraph whose attributes are those of ``graph.graphml``: texts and numbers.

    Whatever networkx can write it to, it can write.
    """
    import networkx

    def typed(keys: Iterable[tuple[str, str]], values: Iterable[str]) -> dict[str, object]:
        return {name: _PYTHON[kind](v) for (name, kind), v in zip(keys, values, strict=True)}

    made = networkx.MultiDiGraph()
    urls = _urls(graph)
    for entity in graph.entities:
        made.add_node(entity.id, **typed(_NODE_KEYS, _node_values(entity, base)))
    for edge in graph.edges:
        values = typed(_EDGE_KEYS, _edge_values(edge, urls))
        made.add_edge(edge.subject, edge.object, key=edge.relation, **values)
    return made


def write_graphml(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write a directed GraphML file that Gephi, Cytoscape, yEd and networkx open."""
    base = _checked(base, also)
    urls = _urls(graph)
    with path.open("w", encoding="utf-8", newline="\n") as xml:
        xml.write("<?xml version='1.0' encoding='utf-8'?>\n")
        xml.write('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
        for place, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
            for name, kind in keys:
                key = f"{place[0]}_{name}"
                xml.write(
                    f'<key id="{key}" for="{place}" attr.name="{name}" attr.type="{kind}"/>\n'
                )
        xml.write('<graph id="kg" edgedefault="directed">\n')
        for entity in graph.entities:
            xml.write(f"<node id={quoteattr(entity.id)}>")
            for (name, _), value in zip(_NODE_KEYS, _node_values(entity, base), strict=True):
                xml.write(f'<data key="n_{name}">{escape(xml_characters(value))}</data>')
            xml.write("</node>\n")
        for number, edge in enumerate(graph.edges):
            ends = f"source={quoteattr(edge.subject)} target={quoteattr(edge.object)}"
            xml.write(f'<edge id="e{number}" {ends}>')
            for (name, _), value in zip(_EDGE_KEYS, _edge_values(edge, urls), strict=True):
                xml.write(f'<data key="e_{name}">{escape(xml_characters(value))}</data>')
            xml.write("</edge>\n")
        xml.write("</graph>\n</graphml>\n")


def write_gexf(graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()) -> None:
    """Write a directed GEXF 1.2 file, the format of Gephi."""
    base = _checked(base, also)
    urls = _urls(graph)
    with path.open("w", encoding="utf-8", newline="\n") as xml:
        xml.write("<?xml version='1.0' encoding='utf-8'?>\n")
        xml.write('<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">\n')
        xml.write('<graph defaultedgetype="directed" mode="static">\n')
        for place, keys in (("node", _NODE_KEYS[1:]), ("edge", _EDGE_KEYS[1:])):
            xml.write(f'<attributes class="{place}" mode="static">\n')
            for index, (name, kind) in enumerate(keys):
                kind = "integer" if kind == "int" else kind
                xml.write(f'<attribute id="{index}" title="{name}" type="{kind}"/>\n')
            xml.write("</attributes>\n")
        xml.write("<nodes>\n")
        for entity in graph.entities:
            label = quoteattr(xml_characters(entity.name))
            xml.write(f"<node id={quoteattr(entity.id)} label={label}>")
            xml.write(_attributes(_node_values(entity, base)[1:]))
            xml.write("</node>\n")
        xml.write("</nodes>\n<edges>\n")
        for number, edge in enumerate(graph.edges):
            ends = f"source={quoteattr(edge.subject)} target={quoteattr(edge.object)}"
            label = quoteattr(edge.relation)
            xml.write(f'<edge id="{number}" {ends} label={label} weight="{edge.confidence:.4g}">')
            xml.write(_attributes(_edge_values(edge, urls)[1:]))
            xml.write("</edge>\n")
        xml.write("</edges>\n</graph>\n</gexf>\n")


def _attributes(values: Iterable[str]) -> str:
    cells = (
        f'<attvalue for="{index}" value={quoteattr(xml_characters(value))}/>'
        for index, value in enumerate(values)
    )
    return f"<attvalues>{''.join(cells)}</attvalues>"


# ---------------------------------------------------------------------- Neo4j


def write_neo4j(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write a folder for ``neo4j-admin database import``: nodes.csv and relationships.csv.

    ::

        neo4j-admin database import full --nodes=nodes.csv --relationships=relationships.csv
    """
    base = _checked(base, also)
    path.mkdir(parents=True, exist_ok=True)
    node_header = (
        "id:ID",
        "name",
        "aliases:string[]",
        "hubIds:string[]",
        "iri",
        "confidence:float",
        "licences:string[]",
        ":LABEL",
    )
    with (path / "nodes.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(node_header)
        for entity in graph.entities:
            table.writerow(
                [
                    *(
                        entity.id,
                        _one_line(entity.name),
                        *map(_array, (entity.aliases, entity.repositories)),
                    ),
                    *(base + entity.id, f"{entity.confidence:.4g}"),
                    *(_array(licences.values(entity)), f"Entity;{entity.type}"),
                ]
            )
    edge_header = (
        ":START_ID",
        ":END_ID",
        ":TYPE",
        "status",
        "confidence:float",
        "documents:string[]",
        "sentence",
    )
    with (path / "relationships.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(edge_header)
        for edge in graph.edges:
            documents = sorted({item.document for item in edge.evidence})
            table.writerow(
                [
                    *(edge.subject, edge.object, _screaming(edge.relation), edge.status),
                    *(f"{edge.confidence:.4g}", _array(documents), _one_line(edge.best.sentence)),
                ]
            )


def _one_line(text: str) -> str:
    """Return ``text`` as Neo4j's importer reads it by default: without line breaks and NUL."""
    return " ".join(text.replace("\0", "").split())


def _array(items: Iterable[str]) -> str:
    return ";".join(_one_line(item).replace(";", ",") for item in items)


def _screaming(relation: str) -> str:
    """Return a relation as Neo4j's style guide writes it: ``FINE_TUNED_FROM``."""
    return "".join("_" + c if c.isupper() else c.upper() for c in relation)


def write_cypher(
    graph: GraphView, path: Path, *, base: str = BASE, also: Iterable[str] = ()
) -> None:
    """Write statements that may be run again and again: every one is a MERGE."""
    base = _checked(base, also)
    with path.open("w", encoding="utf-8", newline="\n") as script:
        script.write(
            "CREATE CONSTRAINT mlkg_entity_id IF NOT EXISTS "
            "FOR (e:Entity) REQUIRE e.id IS UNIQUE;\n"
        )
        for entity in graph.entities:
            values = {
                "name": entity.name,
                "aliases": list(entity.aliases),
                "hubIds": list(entity.repositories),
                "iri": base + entity.id,
                "confidence": entity.confidence,
                "licences": list(licences.values(entity)),
            }
            script.write(
                f"MERGE (e:Entity {{id: {_cypher(entity.id)}}}) "
                f"SET e:{entity.type}, e += {_cypher(values)};\n"
            )
        for edge in graph.edges:
            values = {
                "status": edge.status,
                "confidence": edge.confidence,
                "documents": sorted({item.document for item in edge.evidence}),
                "sentence": edge.best.sentence,
            }
            script.write(
                f"MATCH (s:Entity {{id: {_cypher(edge.subject)}}}), "
                f"(o:Entity {{id: {_cypher(edge.object)}}}) "
                f"MERGE (s)-[r:{_screaming(edge.relation)}]->(o) SET r += {_cypher(values)};\n"
            )


def _cypher(value: object) -> str:
    """Return ``value`` as a Cypher literal; strings are escaped, so that none ends early."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_cypher(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_cypher, value)) + "]"
    # JSON's escapes are Cypher's, but a quote closes either way; all else as \uXXXX.
    return json.dumps(value)
