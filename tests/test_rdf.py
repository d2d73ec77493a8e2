"""What is written as RDF is read back the same by others, whatever stood in the graph."""

import gc
import hashlib
import json
import re
import tracemalloc
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rdflib.compare import isomorphic, to_isomorphic

from kg import schema
from kg.errors import NotFound, UsageError
from kg.exporters import EXPORTERS, FILES, exporter, rdf
from kg.exporters.rdf.terms import canonical_decimal
from kg.values import Document, Edge, Entity, Evidence, Graph, Result, Span

# rdflib warns of its own use of what it deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")

BASE = "https://w3id.org/mlkg/"
MLKG = rdflib.Namespace(schema.NAMESPACE)
PROV_GRAPH = ox.NamedNode(BASE + rdf.PROVENANCE)
STATEMENTS_GRAPH = ox.NamedNode(BASE + rdf.STATEMENTS)

TEXT = (
    "Tiny learns from Big\n"
    "Tiny is distilled from Big. It is not pruned from Big. 😀 Tiny has 71.5%."
)
SENTENCES = {
    "distilled": Span(21, 48),
    "pruned": Span(49, 76),
    "scores": Span(79, 94),
}


def evidence(sentence: str, **changes: object) -> Evidence:
    span = SENTENCES[sentence]
    plain = Evidence(
        document="2401.00001",
        field="abstract",
        span=span,
        sentence=span.of(TEXT),
        kind="extracted",
        extractor="cues",
        rule="rule-1",
        confidence=0.9,
    )
    return replace(plain, **changes)


def small_graph() -> Graph:
    """A graph with an edge of each status that matters here, a score, a card and a fact."""
    return Graph(
        documents=(
            Document(
                "2401.00001",
                "paper",
                "Tiny learns from Big",
                TEXT,
                url="https://arxiv.org/abs/2401.00001",
                year=2024,
            ),
            Document(
                "org/tiny",
                "model-card",
                "Tiny",
                "---\nlicense: mit\n---\n",
                url="https://huggingface.co/org/tiny",
                repository="org/tiny",
            ),
        ),
        entities=(
            Entity("benchmark/quiz", "Benchmark", "Quiz", repositories=("datasets/org/quiz",)),
            Entity("model/big", "Model", "Big"),
            Entity(
                "model/tiny",
                "Model",
                "Tiny",
                aliases=("TINY",),
                repositories=("org/tiny",),
                introduced_in=("2401.00001",),
                mentioned_in=(("2401.00001", 3), ("org/tiny", 1)),
                facts=(("license", "mit", "org/tiny"),),
                confidence=0.97,
            ),
        ),
        edges=(
            Edge(
                "model/tiny",
                "distilledFrom",
                "model/big",
                (evidence("distilled", subject=Span(21, 25), object=Span(44, 47)),),
                0.9,
            ),
            Edge(
                "model/tiny",
                "fineTunedFrom",
                "model/big",
                (evidence("distilled"),),
                0.3,
                "candidate",
            ),
            Edge(
                "model/tiny",
                "prunedFrom",
                "model/big",
                (evidence("pruned", negated=True),),
                0.9,
                "negated",
            ),
        ),
        results=(
            Result(
                "model/tiny", "benchmark/quiz", None, "71.5%", "71.5", (evidence("scores"),), 0.8
            ),
        ),
        manifest={"run": "0123abcd"},
    )


# Characters that have broken RDF writers: controls, quotes, escapes, surrogates, line separators.
AWKWARD = st.text(
    st.one_of(
        st.sampled_from("\"'\\\n\r\t\x00\x01\x7f\x85\u2028\ufffe\uffff\ud800<>{}|^` :;.,#%@😀é"),
        st.characters(),
    ),
    max_size=12,
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph, with any characters in every string."""
    names = draw(st.lists(AWKWARD, min_size=1, max_size=3, unique=True))
    ids = sorted(f"{kind}/{name}" for kind in ("model", "dataset") for name in names)
    entities = tuple(
        Entity(
            identifier,
            identifier.partition("/")[0].capitalize(),
            draw(AWKWARD),
            aliases=tuple(draw(st.lists(AWKWARD, max_size=2))),
            repositories=tuple(draw(st.lists(AWKWARD, max_size=1))),
            introduced_in=tuple(draw(st.lists(AWKWARD, max_size=1))),
            mentioned_in=((draw(AWKWARD), draw(st.integers(0, 99))),),
            facts=(("license", draw(AWKWARD), draw(AWKWARD)),),
        )
        for identifier in ids
    )
    reading = Evidence(
        document=draw(AWKWARD),
        field=draw(AWKWARD),
        span=Span(1, 3),
        sentence=draw(AWKWARD),
        kind=draw(st.sampled_from(("declared", "extracted"))),
        extractor=draw(AWKWARD),
        rule=draw(AWKWARD),
        confidence=draw(st.floats(0, 1)),
        negated=draw(st.booleans()),
    )
    status = st.sampled_from(("accepted", "candidate", "negated"))
    keys = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*ids, "model/unknown"]),
                st.sampled_from(("distilledFrom", "trainedOn")),
                st.sampled_from(ids),
            ),
            max_size=4,
            unique=True,
        )
    )
    edges = tuple(
        Edge(*key, (reading,), draw(st.floats(0, 1)), draw(status)) for key in sorted(keys)
    )
    results = tuple(
        Result(ids[0], None, None, value, value, (reading,))
        for value in sorted(draw(st.sets(AWKWARD | st.decimals().map(str), max_size=2)))
    )
    document = Document(
        draw(AWKWARD),
        draw(st.sampled_from(("paper", "model-card", "other"))),
        draw(AWKWARD),
        draw(AWKWARD),
        url=draw(AWKWARD),
        year=draw(st.none() | st.integers(-5, 20_000)),
        repository=draw(AWKWARD),
    )
    return Graph((document,), entities, edges, results, manifest={"run": draw(AWKWARD)})


def written(graph: Graph, name: str, folder: Path, **options: object) -> bytes:
    path = folder / name
    exporter(name)(graph, path, **options)
    return path.read_bytes()


OX = {
    "turtle": ox.RdfFormat.TURTLE,
    "provenance": ox.RdfFormat.TURTLE,
    "void": ox.RdfFormat.TURTLE,
    "rdf12": ox.RdfFormat.TURTLE,
    "nquads": ox.RdfFormat.N_QUADS,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "trig": ox.RdfFormat.TRIG,
    "nanopub": ox.RdfFormat.TRIG,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdfxml": ox.RdfFormat.RDF_XML,
}
RDFLIB = {
    "turtle": "turtle",
    "provenance": "turtle",
    "ntriples": "nt",
    "nquads": "nquads",
    "trig": "trig",
    "jsonld": "json-ld",
    "rdfxml": "xml",
}


def read_by_pyoxigraph(data: bytes, name: str) -> set[ox.Quad]:
    return set(ox.parse(data, format=OX[name]))


def triples(quads: set[ox.Quad], *graphs: ox.NamedNode) -> set[str]:
    return {str(quad.triple) for quad in quads if not graphs or quad.graph_name in graphs}


def as_rdflib(data: bytes, name: str) -> rdflib.Dataset:
    dataset = rdflib.Dataset(default_union=True)
    dataset.parse(data=data, format=RDFLIB[name])
    return dataset


def through_rdflib(dataset: rdflib.Dataset) -> set[str]:
    """The triples of ``dataset`` as pyoxigraph prints them, lexical forms kept."""

    def node(term: object) -> ox.NamedNode | ox.Literal:
        if isinstance(term, rdflib.URIRef):
            return ox.NamedNode(str(term))
        assert isinstance(term, rdflib.Literal), f"a blank node or worse: {term!r}"
        kind = ox.NamedNode(str(term.datatype)) if term.datatype else None
        return ox.Literal(str(term), datatype=kind)

    return {str(ox.Triple(node(s), node(p), node(o))) for s, p, o, _ in dataset.quads()}


@pytest.fixture(scope="module", autouse=True)
def lexical_forms_are_kept() -> Iterator[None]:
    """rdflib would rewrite ``"01"^^xsd:gYear`` and the like on reading."""
    rdflib.NORMALIZE_LITERALS = False
    yield
    rdflib.NORMALIZE_LITERALS = True


FEW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(graphs())
def test_every_format_is_read_back_the_same_whatever_the_input_says(
    tmp_path: Path, graph: Graph
) -> None:
    quads = read_by_pyoxigraph(written(graph, "nquads", tmp_path), "nquads")
    for name in ("turtle", "jsonld"):
        own = read_by_pyoxigraph(written(graph, name, tmp_path), name)
        assert triples(own) == triples(quads, STATEMENTS_GRAPH), name
    own = read_by_pyoxigraph(written(graph, "provenance", tmp_path), "provenance")
    assert triples(own) == triples(quads, PROV_GRAPH)
    assert read_by_pyoxigraph(written(graph, "trig", tmp_path), "trig") == quads
    for name in ("ntriples", "rdfxml"):
        own = read_by_pyoxigraph(written(graph, name, tmp_path), name)
        assert triples(own) == triples(quads), name
    for name in ("void", "rdf12", "nanopub"):
        assert read_by_pyoxigraph(written(graph, name, tmp_path), name) is not None


@settings(FEW, max_examples=15)
@given(graphs())
def test_rdflib_reads_every_format_as_pyoxigraph_does(tmp_path: Path, graph: Graph) -> None:
    for name in RDFLIB:
        data = written(graph, name, tmp_path)
        assert through_rdflib(as_rdflib(data, name)) == triples(read_by_pyoxigraph(data, name)), (
            name
        )


@pytest.mark.parametrize("name", sorted(RDFLIB))
def test_both_libraries_read_isomorphic_graphs(tmp_path: Path, name: str) -> None:
    data = written(small_graph(), name, tmp_path)
    theirs = rdflib.Graph()
    for triple in as_rdflib(data, name).quads():
        theirs.add(triple[:3])
    ours = rdflib.Graph()
    lines = ox.serialize(
        (quad.triple for quad in ox.parse(data, format=OX[name])), format=ox.RdfFormat.N_TRIPLES
    )
    ours.parse(data=lines, format="nt")
    assert isomorphic(to_isomorphic(ours), to_isomorphic(theirs))
    assert not [term for triple in ours for term in triple if isinstance(term, rdflib.BNode)]


def test_turtle_is_written_for_people(tmp_path: Path) -> None:
    assert written(small_graph(), "turtle", tmp_path).decode() == (
        "# Entities, accepted edges and scores. Why each is believed: provenance.ttl.\n"
        "\n"
        "@prefix benchmark: <https://w3id.org/mlkg/benchmark/> .\n"
        "@prefix doc: <https://w3id.org/mlkg/doc/> .\n"
        "@prefix mlkg: <https://w3id.org/mlkg/ontology#> .\n"
        "@prefix model: <https://w3id.org/mlkg/model/> .\n"
        "@prefix owl: <http://www.w3.org/2002/07/owl#> .\n"
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        "@prefix result: <https://w3id.org/mlkg/result/> .\n"
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
        "\n"
        "benchmark:quiz a mlkg:Benchmark ;\n"
        '    rdfs:label "Quiz" ;\n'
        '    mlkg:hubId "org/quiz" ;\n'
        "    owl:sameAs <https://huggingface.co/datasets/org/quiz> .\n"
        "\n"
        "model:big a mlkg:Model ;\n"
        '    rdfs:label "Big" .\n'
        "\n"
        "model:tiny a mlkg:Model ;\n"
        '    rdfs:label "Tiny" ;\n'
        '    skos:altLabel "TINY" ;\n'
        '    mlkg:hubId "org/tiny" ;\n'
        "    owl:sameAs <https://huggingface.co/org/tiny> ;\n"
        '    mlkg:license "mit" ;\n'
        "    mlkg:introducedIn doc:2401.00001 ;\n"
        "    mlkg:distilledFrom model:big .\n"
        "\n"
        f"result:{rdf.result_iri(small_graph().results[0]).rpartition('/')[2]} a mlkg:Result ;\n"
        "    mlkg:resultOf model:tiny ;\n"
        "    mlkg:onBenchmark benchmark:quiz ;\n"
        '    mlkg:value "71.5%" ;\n'
        "    mlkg:number 71.5 .\n"
    )


def hub_links(graph: Graph, name: str, folder: Path) -> set[tuple[str, str, str]]:
    """The triples whose object is a page of the Hub, without the beginnings of their IRIs."""
    return {
        tuple(part.value.split("/", 3)[3] for part in quad.triple)  # type: ignore[misc]
        for quad in read_by_pyoxigraph(written(graph, name, folder), name)
        if quad.predicate.value.endswith(("sameAs", "Match"))
    }


@pytest.mark.parametrize("name", ["turtle", "trig", "nquads", "ntriples", "rdfxml", "jsonld"])
def test_a_repository_of_that_very_name_is_the_same_and_any_other_is_close(
    tmp_path: Path, name: str
) -> None:
    graph = Graph(
        entities=(
            Entity("benchmark/gpqa", "Benchmark", "GPQA", repositories=("Idavidrein/gpqa",)),
            Entity(
                "benchmark/gpqa-0-shot",
                "Benchmark",
                "GPQA (0-shot)",
                aliases=("Idavidrein/gpqa",),
                repositories=("Idavidrein/gpqa",),
            ),
            Entity("dataset/o-notes", "Dataset", "o/notes", repositories=("o/notes",)),
            Entity("model/deepseek-r1", "Model", "DeepSeek R1", repositories=("ds/DeepSeek-R1",)),
            Entity("model/llama-3-8b", "Model", "Llama 3 8B", repositories=("m/Meta-Llama-3-8B",)),
        )
    )
    assert hub_links(graph, name, tmp_path) == {
        ("mlkg/benchmark/gpqa", "2002/07/owl#sameAs", "datasets/Idavidrein/gpqa"),
        ("mlkg/benchmark/gpqa-0-shot", "2004/02/skos/core#closeMatch", "datasets/Idavidrein/gpqa"),
        ("mlkg/dataset/o-notes", "2002/07/owl#sameAs", "datasets/o/notes"),
        ("mlkg/model/deepseek-r1", "2002/07/owl#sameAs", "ds/DeepSeek-R1"),
        ("mlkg/model/llama-3-8b", "2004/02/skos/core#closeMatch", "m/Meta-Llama-3-8B"),
    }


def test_a_triple_is_plain_if_and_only_if_its_assertion_is_accepted(tmp_path: Path) -> None:
    dataset = as_rdflib(written(small_graph(), "nquads", tmp_path), "nquads")
    model = rdflib.Namespace(BASE + "model/")
    plain = {p for _, p, _ in dataset.triples((model.tiny, None, model.big))}
    assert plain == {MLKG.distilledFrom}
    asserted = {
        (dataset.value(a, rdflib.RDF.predicate), dataset.value(a, MLKG.status))
        for a in dataset.subjects(rdflib.RDF.type, MLKG.Assertion)
    }
    assert asserted == {
        (MLKG.distilledFrom, MLKG.Accepted),
        (MLKG.fineTunedFrom, MLKG.Candidate),
        (MLKG.prunedFrom, MLKG.Negated),
    }


# --- assertions and evidence -------------------------------------------------------------------


def read_twice() -> Graph:
    """The small graph, where three readings support one edge, two of them in one sentence."""
    card = replace(
        evidence("distilled"),
        document="org/tiny",
        field="yaml:base_model",
        span=Span(4, 16),
        sentence="license: mit",
        kind="declared",
        extractor="card",
        rule="base_model",
        confidence=0.75,
    )
    readings = (
        evidence("distilled", subject=Span(21, 25), object=Span(44, 47)),
        evidence("distilled", extractor="learned", rule="head-7", confidence=0.6),
        card,
    )
    first, *others = small_graph().edges
    return replace(small_graph(), edges=(replace(first, evidence=readings), *others))


def selected(quads: Collection[ox.Quad], query: str) -> list[tuple[str, ...]]:
    """The rows of ``query`` over the union of all graphs, as IRIs without their bases."""
    store = ox.Store()
    store.extend(quads)
    rows = store.query(query, prefixes=dict(schema.PREFIXES), use_default_graph_as_union=True)
    values = [tuple(row[name].value for name in rows.variables) for row in rows]
    return sorted(
        tuple(value.replace(schema.NAMESPACE, "").replace(BASE, "") for value in row)
        for row in values
    )


REIFIED = "?a rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o"
WITH_PROVENANCE = {
    **dict.fromkeys(("provenance", "nquads", "ntriples", "trig", "rdfxml"), REIFIED),
    "rdf12": "?a rdf:reifies <<( ?s ?p ?o )>>",
}


@pytest.mark.parametrize("name", sorted(WITH_PROVENANCE))
def test_a_statement_has_one_assertion_and_each_reading_of_it_one_evidence(
    tmp_path: Path, name: str
) -> None:
    graph = read_twice()
    quads = read_by_pyoxigraph(written(graph, name, tmp_path), name)
    statement = WITH_PROVENANCE[name]
    asserted = selected(quads, f"SELECT ?a ?s ?p ?o {{ ?a a mlkg:Assertion . {statement} }}")
    assert sorted(row[1:] for row in asserted) == sorted(edge.key for edge in graph.edges)
    assert len({row[0] for row in asserted}) == len(graph.edges)
    rows = selected(
        quads,
        "SELECT ?s ?p ?o ?document ?field ?sentence ?begin ?end ?kind ?extractor ?rule ?confidence "
        f"{{ {statement} . ?a mlkg:hasEvidence ?e . ?e a mlkg:Evidence ; "
        "mlkg:fromDocument/dcterms:identifier ?document ; mlkg:field ?field ; "
        "mlkg:sentence ?sentence ; mlkg:beginOffset ?begin ; mlkg:endOffset ?end ; "
        "mlkg:evidenceKind ?kind ; mlkg:extractedBy/rdfs:label ?extractor ; mlkg:rule ?rule ; "
        "mlkg:confidence ?confidence }",
    )
    abstract = ("2401.00001", "abstract")
    distilled = (SENTENCES["distilled"].of(TEXT), "21", "48", "Extracted")
    pruned = (SENTENCES["pruned"].of(TEXT), "49", "76", "Extracted")
    metadata = ("org/tiny", "yaml:base_model", "license: mit", "4", "16", "Declared")
    to_big = ("model/tiny", "distilledFrom", "model/big")
    by_cues = ("cues", "rule-1", "0.9")
    assert rows == sorted(
        [
            (*to_big, *abstract, *distilled, *by_cues),
            (*to_big, *abstract, *distilled, "learned", "head-7", "0.6"),
            (*to_big, *metadata, "card", "base_model", "0.75"),
            ("model/tiny", "fineTunedFrom", "model/big", *abstract, *distilled, *by_cues),
            ("model/tiny", "prunedFrom", "model/big", *abstract, *pruned, *by_cues),
        ]
    )
    # The score has its evidence too, and nothing else has any.
    everything = selected(quads, "SELECT ?of ?e { ?of mlkg:hasEvidence ?e }")
    assert len({name for _, name in everything}) == len(everything) == len(rows) + 1


def named(graph: Graph, folder: Path) -> list[tuple[str, ...]]:
    """Each statement of the dump, with the IRI of its assertion and of each evidence."""
    quads = read_by_pyoxigraph(written(graph, "nquads", folder), "nquads")
    return selected(quads, f"SELECT ?s ?p ?o ?a ?e {{ {REIFIED} ; mlkg:hasEvidence ?e }}")


def test_the_same_content_has_the_same_iri_in_another_build(tmp_path: Path) -> None:
    """Whatever else the build holds, and however sure it is of what it read."""
    edge = read_twice().edges[0]
    alone = replace(read_twice(), edges=(edge,), results=())
    before = named(alone, tmp_path)
    assert len(before) == 3
    others = (Edge("model/big", "trainedOn", "model/big", (evidence("pruned"),), 0.9),)
    surer = tuple(replace(reading, confidence=0.99) for reading in reversed(edge.evidence))
    again = replace(
        small_graph(),
        edges=(*others, replace(edge, evidence=surer, confidence=0.99, status="candidate")),
        manifest={"run": "another"},
    )
    assert [row for row in named(again, tmp_path) if row[:3] == edge.key] == before
    # Stable within a major version: whoever has linked to them finds them again.
    (first, *_) = named(replace(alone, edges=(small_graph().edges[0],)), tmp_path)
    key = "\x1f".join(edge.key).encode()
    assert first[3] == f"assertion/{hashlib.sha256(key).hexdigest()[:16]}"
    assert first[4] == "evidence/89d59b63bd0cbcf5"


READING = evidence("distilled", subject=Span(21, 25), object=Span(44, 47))


@pytest.mark.parametrize(
    "change",
    [
        {"document": "org/tiny"},
        {"field": "body"},
        {"span": Span(21, 47)},
        {"span": Span(20, 48)},
        {"sentence": "Tiny is distilled from Bog."},
        {"kind": "declared"},
        {"extractor": "learned"},
        {"rule": "rule-2"},
        {"subject": None},
        {"object": Span(43, 47)},
        {"negated": True},
        {"premises": ("model/tiny fineTunedFrom model/big",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_reading_has_another_iri(tmp_path: Path, change: dict[str, Any]) -> None:
    edge = Edge("model/tiny", "distilledFrom", "model/big", (READING,), 0.9)
    other = replace(edge, evidence=(replace(READING, **change),))
    (before,), (after,) = (
        named(replace(small_graph(), edges=(each,)), tmp_path) for each in (edge, other)
    )
    assert before[:4] == after[:4]
    assert before[4] != after[4]


def test_how_python_prints_a_span_is_no_part_of_an_iri(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rdf.evidence_iri("assertion/1", READING)
    monkeypatch.setattr(Span, "__repr__", lambda span: f"{span.start}:{span.end}")
    assert rdf.evidence_iri("assertion/1", READING) == before


@pytest.mark.parametrize(
    "change", [{"subject": "benchmark/quiz"}, {"relation": "trainedOn"}, {"object": "model/tiny"}]
)
def test_another_statement_has_another_assertion_and_evidence_of_its_own(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    edge = Edge("model/tiny", "distilledFrom", "model/big", (READING,), 0.9)
    (before,), (after,) = (
        named(replace(small_graph(), edges=(each,)), tmp_path)
        for each in (edge, replace(edge, **change))
    )
    assert before[3] != after[3]
    assert before[4] != after[4]


def nodes(term: object) -> Iterator[object]:
    """A term, and those within it where it is a triple."""
    yield term
    if isinstance(term, ox.Triple):
        for part in (term.subject, term.predicate, term.object):
            yield from nodes(part)


@settings(FEW, max_examples=15)
@example(read_twice())
@given(graphs())
def test_no_format_has_a_blank_node_whatever_the_input_says(tmp_path: Path, graph: Graph) -> None:
    also = (*rdf.alignments(), "inferred")
    for name in OX:
        quads = read_by_pyoxigraph(written(graph, name, tmp_path, also=also), name)
        assert quads or name == "nanopub", name
        blank = [
            quad
            for quad in quads
            for term in (*nodes(quad.triple), quad.graph_name)
            if isinstance(term, ox.BlankNode)
        ]
        assert blank == [], name


def test_one_query_proves_that_offsets_select_the_sentence(tmp_path: Path) -> None:
    store = ox.Store()
    store.load(written(small_graph(), "nquads", tmp_path), format=ox.RdfFormat.N_QUADS)
    rows = store.query(
        """SELECT ?sentence (SUBSTR(?text, ?begin + 1, ?end - ?begin) AS ?selected) WHERE {
             ?e mlkg:sentence ?sentence ; mlkg:beginOffset ?begin ; mlkg:endOffset ?end ;
                mlkg:fromDocument/nif:isString ?text }""",
        prefixes=dict(schema.PREFIXES),
        use_default_graph_as_union=True,
    )
    proven = sorted((row["sentence"].value, row["selected"].value) for row in rows)
    expected = [SENTENCES[name].of(TEXT) for name in ("distilled", "distilled", "pruned", "scores")]
    assert proven == sorted((sentence, sentence) for sentence in expected)


def test_the_hash_pins_the_text_that_offsets_count_into(tmp_path: Path) -> None:
    dataset = as_rdflib(written(small_graph(), "provenance", tmp_path), "provenance")
    document = rdflib.URIRef(BASE + "doc/2401.00001")
    text = str(dataset.value(document, rdflib.URIRef(schema.PREFIXES["nif"] + "isString")))
    assert text == TEXT
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert str(dataset.value(document, MLKG.textSha256)) == digest


def test_numbers_are_integers_and_decimals(tmp_path: Path) -> None:
    quads = read_by_pyoxigraph(written(small_graph(), "nquads", tmp_path), "nquads")
    kinds = {
        quad.object.datatype.value.rpartition("#")[2]
        for quad in quads
        if isinstance(quad.object, ox.Literal)
    }
    assert kinds == {"string", "integer", "decimal", "boolean", "gYear"}


@pytest.mark.parametrize(
    ("written_as", "number"),
    [
        ("71.5", "71.5"),
        ("100", "100.0"),
        ("-0.50", "-0.5"),
        ("-0", "0.0"),
        ("007", "7.0"),
        ("1e5", ""),
        ("NaN", ""),
        ("", ""),
        ("٣", ""),
    ],
)
def test_a_value_is_a_number_only_where_it_is_a_decimal(written_as: str, number: str) -> None:
    assert canonical_decimal(written_as) == number


def test_only_an_exact_repository_is_the_same_as_a_hub_page() -> None:
    assert rdf.hub_iri("org/name", "Model") == "https://huggingface.co/org/name"
    assert rdf.hub_iri("datasets/org/n", "Dataset") == "https://huggingface.co/datasets/org/n"
    assert rdf.hub_iri("gpt2", "Model") == "https://huggingface.co/gpt2"
    assert rdf.hub_iri("see org/name", "Model") is None
    assert rdf.hub_iri("../x", "Model") is None


def test_prefixes_are_declared_only_where_used_and_none_is_made_up(tmp_path: Path) -> None:
    for name in ("turtle", "provenance", "trig", "void", "nanopub", "rdf12"):
        text = written(small_graph(), name, tmp_path).decode()
        declared = re.findall(r"^@prefix (\w+):", text, flags=re.MULTILINE)
        body = text.rpartition("@prefix")[2].partition("\n")[2]
        outside_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', body)
        used = set(
            re.findall(r"(?<![\w<:/])(\w+):[\w%.-]*", re.sub(r"<[^>]*>", "", outside_strings))
        )
        assert set(declared) == used, name
        assert not re.search(r"\bns\d+:", text), name


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in OX:
        assert written(small_graph(), name, tmp_path) == written(small_graph(), name, tmp_path)


def test_another_base_moves_what_is_ours_and_leaves_the_ontology(tmp_path: Path) -> None:
    text = written(small_graph(), "nquads", tmp_path, base="http://example.org/kg").decode()
    assert (
        "<http://example.org/kg/model/tiny> <https://w3id.org/mlkg/ontology#distilledFrom>" in text
    )
    assert BASE not in text.replace(schema.NAMESPACE, "")
    with pytest.raises(UsageError, match="no absolute IRI"):
        written(small_graph(), "nquads", tmp_path, base="not an iri")


def test_foreign_triples_are_added_only_on_request_and_only_between_fitting_types(
    tmp_path: Path,
) -> None:
    edge = Edge("model/tiny", "trainedOn", "benchmark/quiz", (evidence("distilled"),), 0.9)
    tuned = Edge("model/tiny", "fineTunedFrom", "model/big", (evidence("distilled"),), 0.9)
    graph = replace(small_graph(), edges=(tuned, edge))
    plain = triples(read_by_pyoxigraph(written(graph, "turtle", tmp_path), "turtle"))
    also = ("fair4ml", "mldcat-ap", "schema")
    more = triples(read_by_pyoxigraph(written(graph, "turtle", tmp_path, also=also), "turtle"))
    tiny, big = f"<{BASE}model/tiny>", f"<{BASE}model/big>"
    about_tiny = {triple for triple in more - plain if triple.startswith(tiny)}
    kind = f"<{schema.PREFIXES['rdf']}type>"
    assert about_tiny == {
        f"{tiny} {kind} <https://w3id.org/fair4ml#MLModel>",
        f"{tiny} {kind} <http://data.europa.eu/it6/MachineLearningModel>",
        f"{tiny} {kind} <https://schema.org/CreativeWork>",
        f'{tiny} <http://purl.org/dc/terms/title> "Tiny"',
        f'{tiny} <https://schema.org/name> "Tiny"',
        f"{tiny} <https://w3id.org/fair4ml#fineTunedFrom> {big}",
        f"{tiny} <http://data.europa.eu/it6/fineTunedFrom> {big}",
        f"{tiny} <https://schema.org/isBasedOn> {big}",
    }
    with pytest.raises(NotFound, match="fair4ml"):
        written(graph, "turtle", tmp_path, also=("fairml",))


def test_hidden_teachers_and_ancestors_are_materialised_apart(tmp_path: Path) -> None:
    reading = (evidence("distilled"),)
    entities = tuple(
        Entity(name, kind, name)
        for name, kind in (
            ("dataset/notes", "Dataset"),
            ("model/big", "Model"),
            ("model/grand", "Model"),
            ("model/guess", "Model"),
            ("model/tiny", "Model"),
        )
    )
    graph = Graph(
        small_graph().documents,
        entities,
        (
            Edge("dataset/notes", "generatedBy", "model/big", reading, 0.9),
            Edge("model/big", "fineTunedFrom", "model/grand", reading, 0.9),
            Edge("model/tiny", "fineTunedFrom", "model/guess", reading, 0.2, "candidate"),
            Edge("model/tiny", "trainedOn", "dataset/notes", reading, 0.9),
        ),
    )
    plain = read_by_pyoxigraph(written(graph, "nquads", tmp_path), "nquads")
    more = read_by_pyoxigraph(written(graph, "nquads", tmp_path, also=("inferred",)), "nquads")
    model = BASE + "model/"
    above, taught = f"<{MLKG.hasAncestor}>", f"<{MLKG.taughtThroughDataBy}>"
    assert {quad.graph_name.value for quad in more - plain} == {BASE + rdf.INFERRED}
    assert triples(more - plain) == {
        f"<{BASE}dataset/notes> {above} <{model}big>",
        f"<{BASE}dataset/notes> {above} <{model}grand>",
        f"<{model}big> {above} <{model}grand>",
        f"<{model}tiny> {taught} <{model}big>",
        f"<{model}tiny> {above} <{model}big>",
        f"<{model}tiny> {above} <{model}grand>",
    }


def test_an_inferred_assertion_names_its_premises(tmp_path: Path) -> None:
    premise = "model/tiny distilledFrom model/big"
    inferred = evidence("distilled", kind="inferred", premises=(premise,))
    edge = Edge("model/tiny", "derivedFrom", "model/big", (inferred,), 0.9)
    graph = replace(small_graph(), edges=(edge, *small_graph().edges))
    dataset = as_rdflib(written(graph, "nquads", tmp_path), "nquads")
    (found,) = dataset.subjects(MLKG.evidenceKind, MLKG.Inferred)
    rests_on = dataset.value(found, MLKG.premise)
    assert dataset.value(rests_on, rdflib.RDF.predicate) == MLKG.distilledFrom


def test_rdf_1_2_reifies_what_is_asserted(tmp_path: Path) -> None:
    store = ox.Store()
    store.load(written(small_graph(), "rdf12", tmp_path), format=ox.RdfFormat.TURTLE)
    rows = store.query(
        """SELECT ?p ?status WHERE { ?a rdf:reifies <<( ?s ?p ?o )>> ; mlkg:status ?status
             FILTER EXISTS { ?s ?p ?o } }""",
        prefixes=dict(schema.PREFIXES),
    )
    found = [(row["p"].value, row["status"].value) for row in rows]
    assert found == [(str(MLKG.distilledFrom), str(MLKG.Accepted))]


def test_each_nanopublication_has_its_four_graphs_and_links_them(tmp_path: Path) -> None:
    store = ox.Store()
    store.load(written(small_graph(), "nanopub", tmp_path), format=ox.RdfFormat.TRIG)
    rows = list(
        store.query(
            """SELECT ?np ?p ?sentence WHERE {
                 GRAPH ?head { ?np a np:Nanopublication ; np:hasAssertion ?a ;
                   np:hasProvenance ?why ; np:hasPublicationInfo ?info }
                 GRAPH ?a { ?s ?p ?o }
                 GRAPH ?why { ?a mlkg:hasEvidence/mlkg:sentence ?sentence }
                 GRAPH ?info { ?np ?about ?run } }""",
            prefixes=dict(schema.PREFIXES),
        )
    )
    sentence = SENTENCES["distilled"].of(TEXT)
    assert [(row["p"].value, row["sentence"].value) for row in rows] == [
        (str(MLKG.distilledFrom), sentence)
    ]


def test_void_counts_what_the_dump_holds(tmp_path: Path) -> None:
    quads = read_by_pyoxigraph(written(small_graph(), "nquads", tmp_path), "nquads")
    description = as_rdflib(written(small_graph(), "void", tmp_path), "turtle")
    void = rdflib.VOID
    this = rdflib.URIRef(BASE + "void#dataset")
    assert int(str(description.value(this, void.triples))) == len(quads)
    by_property = {
        str(description.value(part, void.property)): int(str(description.value(part, void.triples)))
        for part in description.objects(this, void.propertyPartition)
    }
    counted: dict[str, int] = {}
    for quad in quads:
        counted[quad.predicate.value] = counted.get(quad.predicate.value, 0) + 1
    assert by_property == counted


def test_void_counts_links_to_the_hub_by_how_close_they_are(tmp_path: Path) -> None:
    quiz = Entity("benchmark/quiz-0", "Benchmark", "Quiz (0-shot)", repositories=("org/quiz",))
    graph = replace(small_graph(), entities=(quiz, *small_graph().entities), edges=(), results=())
    description = as_rdflib(written(graph, "void", tmp_path), "turtle")
    void = rdflib.VOID
    links = {
        str(description.value(one, void.linkPredicate)): int(
            str(description.value(one, void.triples))
        )
        for one in description.subjects(rdflib.RDF.type, void.Linkset)
    }
    assert links == {str(rdflib.OWL.sameAs): 2, str(rdflib.SKOS.closeMatch): 1}


def test_the_context_of_json_ld_makes_plain_keys_of_our_terms(tmp_path: Path) -> None:
    data = json.loads(written(small_graph(), "jsonld", tmp_path))
    (tiny,) = [node for node in data["@graph"] if node["@id"] == "model:tiny"]
    assert tiny == {
        "@id": "model:tiny",
        "@type": "Model",
        "rdfs:label": "Tiny",
        "skos:altLabel": "TINY",
        "hubId": "org/tiny",
        "owl:sameAs": "https://huggingface.co/org/tiny",
        "license": "mit",
        "introducedIn": "doc:2401.00001",
        "distilledFrom": "model:big",
    }


def test_every_file_of_a_build_has_an_exporter() -> None:
    assert set(FILES) <= set(EXPORTERS)
    assert all(callable(exporter(name)) for name in OX)
    with pytest.raises(NotFound, match="turtle"):
        exporter("turtel")


# --- memory ------------------------------------------------------------------------------------


class Long:
    """A graph that is made as it is read: only what the writer keeps can take memory."""

    manifest: Mapping[str, object] = MappingProxyType({"run": "long"})
    merges = ()

    def __init__(self, size: int) -> None:
        self._size = size

    def _each(self, make: Callable[[int], object]) -> "Made":
        return Made(self._size, make)

    @property
    def documents(self) -> "Made":
        return self._each(lambda n: Document(f"d{n:07}", "paper", f"Title {n}", TEXT))

    @property
    def entities(self) -> "Made":
        return self._each(lambda n: Entity(f"model/m{n:07}", "Model", f"M{n}"))

    @property
    def edges(self) -> "Made":
        reading = (evidence("distilled"),)
        return self._each(
            lambda n: Edge(f"model/m{n:07}", "fineTunedFrom", "model/m0000000", reading, 0.9)
        )

    @property
    def results(self) -> "Made":
        return self._each(
            lambda n: Result(f"model/m{n:07}", None, None, str(n), str(n), (evidence("scores"),))
        )


class Made(Collection[Any]):
    """Values made one at a time."""

    def __init__(self, size: int, make: Callable[[int], object]) -> None:
        self._size, self._make = size, make

    def __iter__(self) -> Iterator[object]:
        return map(self._make, range(self._size))

    def __len__(self) -> int:
        return self._size

    def __contains__(self, value: object) -> bool:
        return False


@pytest.mark.parametrize("name", sorted(OX))
def test_memory_does_not_grow_with_the_graph(tmp_path: Path, name: str) -> None:
    def peak(size: int) -> int:
        gc.collect()
        tracemalloc.start()
        exporter(name)(Long(size), tmp_path / "out")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)  # caches of terms and of the ontology are filled
    # Two hundred documents more are a megabyte more of RDF; what the collector has not yet
    # looked at may make a part of that.
    assert peak(300) < peak(100) + 300_000
