"""kg as a library, on documents written here."""

import gc
import inspect
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import networkx
import pytest
import rdflib
from pandas.api.types import is_string_dtype

import kg
from kg import overrides, store
from kg.errors import KGError, NotFound, ReadError
from kg.lineage import trace
from kg.overrides import Rule
from kg.values import Graph
from tests.small import small

TITLE = "TinyNet: a small student"
ABSTRACT = (
    "We introduce TinyNet, a language model distilled from BERT-Large. "
    "TinyNet is evaluated on GLUE and SQuAD."
)
DOCUMENT = kg.Document("tinynet", "paper", TITLE, f"{TITLE}\n{ABSTRACT}", "https://example.org/t")


@pytest.fixture(scope="module")
def graph() -> kg.KnowledgeGraph:
    return kg.build([DOCUMENT])


@pytest.fixture(scope="module")
def known() -> kg.KnowledgeGraph:
    """The graph of tests/small.py."""
    return kg.KnowledgeGraph(small())


def test_a_graph_holds_what_the_document_says(graph: kg.KnowledgeGraph) -> None:
    (edge,) = [edge for edge in graph.edges if edge.relation == "distilledFrom"]
    assert (edge.subject, edge.object) == ("model/tinynet", "model/bert-large")
    (evidence,) = edge.evidence
    assert evidence.sentence == evidence.span.of(DOCUMENT.text)
    assert list(graph.documents) == [DOCUMENT]


def test_every_sentence_stands_where_its_evidence_says(graph: kg.KnowledgeGraph) -> None:
    texts = {document.id: document.text for document in graph.documents}
    for edge in graph.edges:
        for evidence in edge.evidence:
            assert evidence.span.of(texts[evidence.document]) == evidence.sentence


def test_a_name_is_found_whatever_its_spelling(graph: kg.KnowledgeGraph) -> None:
    assert graph.entity("tiny net").id == graph.entity("model/tinynet").id == "model/tinynet"
    with pytest.raises(NotFound) as caught:
        graph.entity("TinyNett")
    assert "TinyNet" in str(caught.value)


def test_a_graph_traces_with_the_options_of_the_function() -> None:
    own = inspect.signature(kg.KnowledgeGraph.lineage)
    traced = inspect.signature(trace)
    assert list(own.parameters.values())[2:] == list(traced.parameters.values())[2:]
    assert own.return_annotation == traced.return_annotation == "Lineage"


def test_the_public_names_are_listed_before_they_are_loaded() -> None:
    command = [sys.executable, "-c", "import kg; print(set(kg.__all__) <= set(dir(kg)))"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "True\n"


def test_the_lineage_prints_as_a_tree(graph: kg.KnowledgeGraph) -> None:
    tree = str(graph.lineage("TinyNet"))
    assert "BERT-Large" in tree
    assert "GLUE" not in tree


def test_sparql_rows_come_as_dictionaries_in_the_order_of_the_query(
    graph: kg.KnowledgeGraph,
) -> None:
    rows = graph.query(
        "SELECT ?student ?teacher WHERE { ?s mlkg:distilledFrom ?t ."
        " ?s rdfs:label ?student . ?t rdfs:label ?teacher }"
    )
    assert rows == [{"student": "TinyNet", "teacher": "BERT-Large"}]
    assert list(rows[0]) == ["student", "teacher"]


def test_networkx_and_rdflib_see_the_same_edge(graph: kg.KnowledgeGraph) -> None:
    network = graph.to_networkx()
    assert isinstance(network, networkx.MultiDiGraph)
    dataset = graph.to_rdflib()
    base = "https://w3id.org/mlkg/"
    triple = (
        rdflib.URIRef(base + "model/tinynet"),
        rdflib.URIRef(base + "ontology#distilledFrom"),
        rdflib.URIRef(base + "model/bert-large"),
    )
    assert triple in dataset


def test_what_is_saved_is_loaded_as_the_same_graph(
    graph: kg.KnowledgeGraph, tmp_path: Path
) -> None:
    loaded = kg.load(graph.save(tmp_path / "out"))
    for name in ("documents", "entities", "edges", "results", "merges"):
        assert list(getattr(loaded, name)) == list(getattr(graph, name))
    assert (tmp_path / "out" / "graph.html").is_file()


def test_names_and_lineages_are_answered_from_one_reading_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    iterate = store.Lines.__iter__
    monkeypatch.setattr(
        store.Lines, "__iter__", lambda lines: read.append(lines._path.name) or iterate(lines)
    )
    store.write(small(), tmp_path)
    graph = kg.load(tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        found = [graph.entity(name).id for name in ("TINY", "big", "model/tiny-gguf")]
        trees = [str(graph.lineage(name)) for name in ("Tiny", "Base")]
        del graph
        gc.collect()
    assert found == ["model/tiny", "model/big", "model/tiny-gguf"]
    assert trees == [str(kg.KnowledgeGraph(small()).lineage(name)) for name in ("Tiny", "Base")]
    assert (read, caught) == (["entities.jsonl"], [])


@pytest.mark.parametrize("stored", [False, True])
def test_a_graph_that_was_asked_is_pickled_as_small_as_before(tmp_path: Path, stored: bool) -> None:
    store.write(small(), tmp_path)
    graph = kg.load(tmp_path) if stored else kg.KnowledgeGraph(small())
    before = pickle.dumps(graph)
    tree = str(graph.lineage("Tiny"))
    assert pickle.dumps(graph) == before
    assert str(pickle.loads(before).lineage("Tiny")) == tree  # noqa: S301 - ours


def test_a_folder_written_anew_is_told_not_misread(tmp_path: Path) -> None:
    store.write(small(), tmp_path)
    lineage = kg.load(tmp_path).lineage("Tiny")
    store.write(replace(small(), edges=small().edges[1:]), tmp_path)
    with pytest.raises(ReadError, match=r"has changed since it was read; load the graph again"):
        str(lineage)


def test_entities_are_a_data_frame(known: kg.KnowledgeGraph) -> None:
    frame = known.entities.to_pandas()
    assert list(frame.columns) == [
        *("id", "type", "name", "aliases", "repositories", "introduced_in", "mentioned_in"),
        *("facts", "confidence"),
    ]
    assert [is_string_dtype(frame[name]) for name in ("id", "type", "name")] == [True] * 3
    assert frame["confidence"].dtype == "float64"
    assert list(frame["id"]) == [entity.id for entity in known.entities]
    assert frame[frame["id"] == "model/tiny-gguf"].to_dict("records") == [
        {
            "id": "model/tiny-gguf",
            "type": "Model",
            "name": "tiny-gguf",
            "aliases": (),
            "repositories": ("org/tiny-gguf",),
            "introduced_in": ("org/tiny-gguf",),
            "mentioned_in": (("org/tiny-gguf", 1),),
            "facts": (("license", "mit", "org/tiny-gguf"),),
            "confidence": 1.0,
        }
    ]


def test_edges_are_a_data_frame_with_their_evidence(known: kg.KnowledgeGraph) -> None:
    frame = known.edges.to_pandas()
    assert list(frame.columns) == [
        *("subject", "relation", "object", "evidence", "confidence", "status"),
    ]
    text = ("subject", "relation", "object", "status")
    assert [is_string_dtype(frame[name]) for name in text] == [True] * 4
    assert frame["confidence"].dtype == "float64"
    keys = zip(frame["subject"], frame["relation"], frame["object"], strict=True)
    assert list(keys) == [edge.key for edge in known.edges]
    sentence = "base_model: org/tiny"
    assert frame[frame["relation"] == "quantizedFrom"].to_dict("records") == [
        {
            "subject": "model/tiny-gguf",
            "relation": "quantizedFrom",
            "object": "model/tiny",
            "evidence": (
                {
                    "document": "org/tiny-gguf",
                    "field": "yaml:base_model",
                    "span": {"start": 4, "end": 4 + len(sentence)},
                    "sentence": sentence,
                    "kind": "declared",
                    "extractor": "card",
                    "rule": "r1",
                    "confidence": 0.98,
                    "subject": None,
                    "object": None,
                    "negated": False,
                    "premises": (),
                },
            ),
            "confidence": 0.98,
            "status": "accepted",
        }
    ]


def test_scores_are_a_data_frame_in_which_the_unstated_is_missing(
    known: kg.KnowledgeGraph,
) -> None:
    frame = known.results.to_pandas()
    assert list(frame.columns) == [
        *("subject", "on", "metric", "value", "number", "evidence", "confidence"),
    ]
    assert frame["confidence"].dtype == "float64"
    assert list(frame["metric"].isna()) == [False, True]
    assert list(frame["number"].astype("float64")) == [80.0, 71.5]
    plain = frame[["subject", "on", "value", "number"]]
    assert plain.to_dict("records") == [
        {"subject": "model/base", "on": "benchmark/quiz", "value": "80", "number": "80"},
        {"subject": "model/tiny", "on": "benchmark/quiz", "value": "71.5%", "number": "71.5"},
    ]


def test_a_table_of_nothing_has_its_columns() -> None:
    frame = kg.KnowledgeGraph(Graph()).merges.to_pandas()
    assert (len(frame), list(frame.columns)) == (
        0,
        ["entity", "name", "reason", "score", "document"],
    )


def test_without_pandas_it_says_what_to_install(
    known: kg.KnowledgeGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(KGError) as caught:
        known.edges.to_pandas()
    assert str(caught.value) == "to_pandas() needs pandas: pip install pandas"


def test_inputs_without_a_document_are_refused_as_the_command_refuses_them(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    for inputs, words in (
        ([], "no input; kg build --help tells what is read"),
        (tmp_path, f"{tmp_path}; {tmp_path}/empty.txt: the file is empty; remove it or fill it"),
    ):
        with pytest.raises(ReadError) as caught:
            kg.build(inputs)
        assert str(caught.value) == f"no document was found in {words}"


def test_what_is_left_out_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "p.jsonl"
    source.write_text('{"id": "a", "title": "Owls", "abstract": "They hoot."}\n{oops\n')
    assert len(kg.build(source).documents) == 1
    assert [r.getMessage() for r in caplog.records if r.levelname == "WARNING"] == [
        f"{source}, line 2: this is no JSON: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1)"
    ]


def test_corrections_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "overrides.yaml"
    overrides.append(path, [Rule("reject_edge", ("TinyNet", "distilledFrom", "BERT-Large"))])
    (edge,) = [
        edge
        for edge in kg.build([DOCUMENT], overrides=path).edges
        if edge.relation == "distilledFrom"
    ]
    assert edge.status == "retracted"


def test_a_graph_shows_itself_in_a_notebook(graph: kg.KnowledgeGraph) -> None:
    html = graph._repr_html_()
    assert "<iframe" in html
    assert "srcdoc" in html


def test_importing_kg_loads_nothing_heavy() -> None:
    program = "import sys, kg; kg.__version__; print({'spacy', 'rdflib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_exported_names_exist() -> None:
    assert [name for name in kg.__all__ if not hasattr(kg, name)] == []
