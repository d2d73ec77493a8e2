"""Tables and files for graph programs hold the whole graph, and nothing that acts."""

import csv
import inspect
import io
import re
from dataclasses import replace
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.assemble import assemble
from kg.errors import UsageError
from kg.exporters import EXPORTERS, Exporter, exporter, tables
from kg.exporters.tables import EDGE_COLUMNS, NODE_COLUMNS, RESULT_COLUMNS, harmless
from kg.lineage import trace
from kg.review import queue
from kg.values import Document, Edge, Entity, Evidence, Graph, Span
from tests.readings import reading

NASTY = (
    *('=HYPERLINK("http://x","y")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx"),
    *("a,b", 'say "hi"', "line\nbreak", "<b>&amp;</b>", "]]>", "\x00null", "\x0bvt", "☃ é", "a|b"),
    *("';DROP--", "\\'}) DETACH DELETE n //", "\ufffe", "${x}", "{{7*7}}"),
    *("-INFINITY", "+nan", "-1_0", "-３"),
)


@pytest.fixture
def graph() -> Graph:
    graph = assemble(
        [
            reading(
                "a",
                "[[Foo-1B|Model]] on [[GSM8K|Benchmark]] by [[accuracy|Metric]].",
                "Foo-1B evaluatedOn GSM8K",
                results=[("Foo-1B", "GSM8K", "accuracy", "74.0")],
                repositories={"Foo-1B": "foo/Foo-1B"},
            ),
            reading("b", "[[foo 1B|Model]] on [[GSM8K|Benchmark]].", "foo_1B evaluatedOn GSM8K"),
        ]
    )
    return replace(
        graph, documents=tuple(replace(d, url="https://x.org/?a=1&b=2") for d in graph.documents)
    )


def nasty(graph: Graph, text: str) -> Graph:
    """Return ``graph`` with ``text`` in every place that a document can fill."""
    entities = [replace(e, name=text, aliases=(text,)) for e in graph.entities]
    edges = [
        replace(e, evidence=tuple(replace(item, sentence=text) for item in e.evidence))
        for e in graph.edges
    ]
    results = [replace(r, value=text) for r in graph.results]
    return replace(graph, entities=tuple(entities), edges=tuple(edges), results=tuple(results))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_nodes_have_the_documented_columns(graph: Graph, tmp_path: Path) -> None:
    tables.write_nodes(graph, tmp_path / "nodes.csv")
    table = rows(tmp_path / "nodes.csv")
    assert tuple(table[0]) == NODE_COLUMNS
    assert table[2] == {
        "id": "model/foo-1b",
        "iri": "https://w3id.org/mlkg/model/foo-1b",
        "type": "Model",
        "name": "Foo-1B",
        "aliases": "foo 1B",
        "hub_ids": "foo/Foo-1B",
        "introduced_in": "",
        "documents": "2",
        "mentions": "2",
        "confidence": "0.999",
    }


def test_edges_have_the_documented_columns(graph: Graph, tmp_path: Path) -> None:
    tables.write_edges(graph, tmp_path / "edges.csv")
    assert tuple(rows(tmp_path / "edges.csv")[0]) == EDGE_COLUMNS
    assert rows(tmp_path / "edges.csv") == [
        {
            "subject": "model/foo-1b",
            "relation": "evaluatedOn",
            "object": "benchmark/gsm8k",
            "subject_type": "Model",
            "object_type": "Benchmark",
            "subject_hub_id": "foo/Foo-1B",
            "object_hub_id": "",
            "status": "accepted",
            "confidence": "0.96",
            "kinds_of_evidence": "extracted",
            "documents": "a|b",
        }
    ]


def test_results_have_the_documented_columns(graph: Graph, tmp_path: Path) -> None:
    tables.write_results(graph, tmp_path / "results.csv")
    (row,) = rows(tmp_path / "results.csv")
    assert tuple(row) == RESULT_COLUMNS
    assert (row["value"], row["number"]) == ("74.0", "74.0")


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_is_run_by_a_spreadsheet(graph: Graph, tmp_path: Path, text: str) -> None:
    for name, write in (("nodes", tables.write_nodes), ("results", tables.write_results)):
        write(nasty(graph, text), tmp_path / name)
        for row in rows(tmp_path / name):
            for cell in row.values():
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or _is_number(cell)


@given(st.text())
@settings(deadline=None)
def test_a_harmless_cell_is_read_back_as_it_was_but_for_the_guard(text: str) -> None:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerow([harmless(text)])
    (cell,) = next(csv.reader(io.StringIO(lines.getvalue(), newline="")))
    plain = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    assert cell.removeprefix("'") == plain.removeprefix("'")
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or _is_number(cell)


def _is_number(cell: str) -> bool:
    return (
        re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", cell, re.ASCII | re.IGNORECASE)
        is not None
    )


@pytest.mark.parametrize("text", ["", *NASTY])
def test_graphml_and_gexf_open_in_networkx_whatever_they_hold(
    graph: Graph, tmp_path: Path, text: str
) -> None:
    if text:
        graph = nasty(graph, text)
    for name, write, read in (
        ("graph.graphml", tables.write_graphml, networkx.read_graphml),
        ("graph.gexf", tables.write_gexf, networkx.read_gexf),
    ):
        write(graph, tmp_path / name)
        opened = read(tmp_path / name)
        assert opened.is_directed()
        assert set(opened) == {entity.id for entity in graph.entities}
        assert [tuple(edge[:2]) for edge in opened.edges] == [
            (edge.subject, edge.object) for edge in graph.edges
        ]


def test_graphml_carries_evidence_and_sources(graph: Graph, tmp_path: Path) -> None:
    tables.write_graphml(graph, tmp_path / "graph.graphml")
    opened = networkx.read_graphml(tmp_path / "graph.graphml")
    ((_, _, values),) = opened.edges(data=True)
    assert values["relation"] == "evaluatedOn"
    assert values["documents"] == "a|b"
    assert values["sources"] == "https://x.org/?a=1&b=2"
    assert opened.nodes["model/foo-1b"]["label"] == "Foo-1B"


def test_parallel_edges_are_all_kept(tmp_path: Path) -> None:
    graph = assemble(
        [
            reading(
                "a",
                "[[Foo-1B|Model]] [[Bar-1B|Model]].",
                "Foo-1B outperforms Bar-1B",
                "Foo-1B fineTunedFrom Bar-1B",
            )
        ]
    )
    tables.write_graphml(graph, tmp_path / "g.graphml")
    assert networkx.read_graphml(tmp_path / "g.graphml").number_of_edges() == len(graph.edges) == 2


def test_neo4j_files_have_the_headers_of_its_importer(graph: Graph, tmp_path: Path) -> None:
    tables.write_neo4j(graph, tmp_path / "neo4j")
    nodes = (tmp_path / "neo4j" / "nodes.csv").read_text().splitlines()
    edges = (tmp_path / "neo4j" / "relationships.csv").read_text().splitlines()
    assert nodes[0].split(",")[0] == "id:ID"
    assert nodes[0].split(",")[-1] == ":LABEL"
    assert edges[0].split(",")[:3] == [":START_ID", ":END_ID", ":TYPE"]
    assert "model/foo-1b,benchmark/gsm8k,EVALUATED_ON,accepted" in edges[1]


def test_cypher_is_idempotent_and_one_statement_a_line(graph: Graph, tmp_path: Path) -> None:
    tables.write_cypher(graph, tmp_path / "graph.cypher")
    lines = (tmp_path / "graph.cypher").read_text().splitlines()
    assert len(lines) == 1 + len(graph.entities) + len(graph.edges)
    assert all("MERGE" in line or "IF NOT EXISTS" in line for line in lines)
    assert "CREATE (" not in "".join(lines)


@given(st.text())
@settings(deadline=None)
def test_no_text_ends_a_cypher_string(text: str) -> None:
    literal = tables._cypher(text)
    assert literal[0] == literal[-1] == '"'
    inside = re.sub(r"\\.", "", literal[1:-1])
    assert '"' not in inside
    assert "\n" not in literal


def test_tables_do_not_depend_on_how_the_graph_is_held(graph: Graph, tmp_path: Path) -> None:
    from kg import store

    store.write(graph, tmp_path / "stored")
    stored = store.StoredGraph(tmp_path / "stored")
    for name in ("nodes", "edges", "results", "graphml", "gexf", "cypher"):
        write = getattr(tables, f"write_{name}")
        write(graph, tmp_path / f"{name}-memory")
        write(stored, tmp_path / f"{name}-stored")
        memory, disk = (tmp_path / f"{name}-{where}" for where in ("memory", "stored"))
        assert memory.read_bytes() == disk.read_bytes()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [("accepted", "declared"), ("disputed", "declared"), ("retracted", "denied")],
)
def test_every_output_quotes_the_same_sentence_of_an_edge(
    tmp_path: Path, status: str, sentence: str
) -> None:
    """What made its status, the strongest kind first, however sure a weaker one is."""
    items = tuple(
        Evidence("d", "abstract", Span(0, 9), words, kind, "x", "r", confidence, negated=negated)
        for words, kind, confidence, negated in (
            ("extracted", "extracted", 0.95, False),
            ("declared", "declared", 0.8, False),
            ("denied", "extracted", 0.9, True),
            ("inferred", "inferred", 0.97, False),
        )
    )
    edge = Edge("model/a", "fineTunedFrom", "model/b", items, 0.6, status)
    graph = Graph(
        (Document("d", "paper", "t", "t"),),
        (Entity("model/a", "Model", "A"), Entity("model/b", "Model", "B")),
        (edge,),
    )
    tables.write_graphml(graph, tmp_path / "graphml")
    tables.write_neo4j(graph, tmp_path / "neo4j")
    tables.write_cypher(graph, tmp_path / "cypher")
    ((_, _, values),) = networkx.read_graphml(tmp_path / "graphml").edges(data=True)
    (row,) = rows(tmp_path / "neo4j" / "relationships.csv")
    (script,) = re.findall(r'sentence: "(.*?)"', (tmp_path / "cypher").read_text("utf-8"))
    assert {edge.best.sentence, values["evidence"], row["sentence"], script} == {sentence}
    if status == "accepted":
        assert f"“{sentence}” d" in str(trace(graph, "A"))
    asked = [question.evidence for question in queue(graph)]
    assert asked == ([] if status == "retracted" else [edge.best])


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_has_the_options_of_the_protocol_and_swallows_no_other(name: str) -> None:
    wanted = inspect.signature(Exporter.__call__).parameters
    found = inspect.signature(exporter(name)).parameters
    for option in ("base", "also"):
        assert found[option].kind is wanted[option].kind
        assert found[option].default == wanted[option].default
    assert all(parameter.kind is not parameter.VAR_KEYWORD for parameter in found.values())


WRITERS = [name for name, place in EXPORTERS.items() if "exporters.rdf:" not in place]


@pytest.mark.parametrize("name", WRITERS)
def test_no_table_and_no_picture_takes_what_it_cannot_hold(
    graph: Graph, tmp_path: Path, name: str
) -> None:
    """A base that is no IRI, and other vocabularies: an error, and nothing is written."""
    write = exporter(name)
    with pytest.raises(UsageError, match=r"--base-iri 'not an iri ' is no absolute IRI"):
        write(graph, tmp_path / name, base="not an iri ")
    with pytest.raises(UsageError, match=r"--also adds triples, and this format holds none"):
        write(graph, tmp_path / name, also=("schema",))
    assert list(tmp_path.iterdir()) == []


def test_a_base_is_closed_as_in_rdf(graph: Graph, tmp_path: Path) -> None:
    tables.write_nodes(graph, tmp_path / "nodes.csv", base="https://example.org/kg")
    assert [row["iri"] for row in rows(tmp_path / "nodes.csv")] == [
        f"https://example.org/kg/{entity.id}" for entity in graph.entities
    ]


def test_a_table_of_nothing_is_a_header(tmp_path: Path) -> None:
    tables.write_edges(Graph(), tmp_path / "edges.csv")
    assert (tmp_path / "edges.csv").read_text() == ",".join(EDGE_COLUMNS) + "\n"
    graph = Graph(entities=(Entity("model/a", "Model", "a"),))
    tables.write_nodes(graph, tmp_path / "nodes.csv")
    assert len(rows(tmp_path / "nodes.csv")) == 1
