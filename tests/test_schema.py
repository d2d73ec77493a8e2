"""The ontology admits what the annotators wrote, and documents every term."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import rdflib
from small import small

from kg import schema, store
from kg.cli import main
from kg.exporters.schema_page import example_query, page
from kg.query import load
from kg.resources import ontology

ADMITTED_BY_THE_GUIDELINES = {
    "distilledFrom": {(h, t) for h in ("Model", "Dataset") for t in ("Model", "Dataset")},
    "fineTunedFrom": {("Model", "Model")},
    "adapterOf": {("Model", "Model")},
    "quantizedFrom": {("Model", "Model")},
    "prunedFrom": {("Model", "Model")},
    "mergedFrom": {("Model", "Model")},
    "convertedFrom": {("Model", "Model")},
    "derivedFrom": {("Model", "Model"), ("Dataset", "Dataset"), ("Benchmark", "Dataset")},
    "generatedBy": {("Dataset", "Model")},
    "memberOf": {("Model", "Model")},
    "successorOf": {("Model", "Model"), ("Method", "Method")},
    "trainedOn": {("Model", "Dataset"), ("Method", "Dataset")},
    "evaluatedOn": {(h, t) for h in ("Model", "Method") for t in ("Benchmark", "Dataset")},
    "outperforms": {(x, x) for x in ("Model", "Method", "Dataset")},
    "comparedWith": {(h, t) for h in ("Model", "Method") for t in ("Model", "Method")},
    "usesMethod": {(h, "Method") for h in ("Model", "Method", "Dataset", "Benchmark")},
    "appliedTo": {("Method", "Model")},
    "partOf": {("Method", "Method")}
    | {(h, t) for h in ("Dataset", "Benchmark") for t in ("Dataset", "Benchmark")},
    "addressesTask": {(h, "Task") for h in ("Model", "Method", "Dataset", "Benchmark")},
}


@pytest.mark.parametrize(
    ("iri", "short"),
    [
        ("https://w3id.org/mlkg/ontology#trainedOn", "mlkg:trainedOn"),
        ("https://w3id.org/mlkg/model/qwen2.5-7b", "model:qwen2.5-7b"),
        ("https://w3id.org/mlkg/doc/arxiv:2401.1", "doc:arxiv:2401.1"),
        ("https://huggingface.co/datasets/a/b", "https://huggingface.co/datasets/a/b"),
        ("https://w3id.org/mlkg/model/", "https://w3id.org/mlkg/model/"),
    ],
)
def test_an_iri_is_shortened_where_its_rest_is_one_word(iri: str, short: str) -> None:
    assert schema.curie(iri) == short


def test_the_relations_are_those_of_the_guidelines_and_adapter_of() -> None:
    assert set(schema.relations()) == set(ADMITTED_BY_THE_GUIDELINES)


@pytest.mark.parametrize("name", sorted(ADMITTED_BY_THE_GUIDELINES))
def test_every_pair_of_the_guidelines_is_admitted(name: str) -> None:
    assert ADMITTED_BY_THE_GUIDELINES[name] <= schema.relations()[name].pairs


def test_every_pair_that_annotators_wrote_is_admitted(shared: Path) -> None:
    refused: Counter[tuple[str, str, str]] = Counter()
    with (shared / "gold" / "train.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            label = {entity["canonical"]: entity["label"] for entity in document["entities"]}
            for edge in document["edges"]:
                ends = label[edge["head"]], label[edge["tail"]]
                if not schema.relations()[edge["type"]].admits(*ends):
                    refused[edge["type"], *ends] += 1
    assert refused == {}


def test_domain_and_range_are_the_unions_of_the_admitted_pairs() -> None:
    """A reasoner types the ends of no edge that we assert with a class they do not have."""
    below = {
        "Artifact": {"Model", "Dataset", "Benchmark", "Method"},
        "DataResource": {"Dataset", "Benchmark"},
    }
    for relation in schema.relations().values():
        term = schema.terms()[relation.name]
        for ends, side in ((term.domain, 0), (term.range, 1)):
            classes = set().union(*(below.get(end, {end}) for end in ends))
            assert classes == {pair[side] for pair in relation.pairs}, relation.name


def test_a_domain_holds_all_that_stands_below_it() -> None:
    below = {
        "Artifact": {"Model", "Dataset", "Benchmark", "Method"},
        "DataResource": {"Dataset", "Benchmark"},
    }
    terms = schema.terms()
    for term in terms.values():
        for parent in (terms[name] for name in term.parents if name in terms):
            if term.kind == "object property" and parent.kind == term.kind:
                for mine, theirs in ((term.domain, parent.domain), (term.range, parent.range)):
                    own = set().union(*(below.get(end, {end}) for end in mine))
                    upper = set().union(*(below.get(end, {end}) for end in theirs))
                    assert own <= upper, (term.name, parent.name)


def test_every_term_is_documented() -> None:
    bare = [
        term.name
        for term in schema.terms().values()
        if not (term.label and term.definition and term.example)
    ]
    assert bare == []


def test_every_property_has_a_domain_and_a_range() -> None:
    bare = [
        term.name
        for term in schema.terms().values()
        if term.kind in ("object property", "datatype property")
        and not (term.domain and term.range)
    ]
    assert bare == []


def test_inverses_point_at_each_other() -> None:
    terms = schema.terms()
    one_sided = [
        term.name
        for term in terms.values()
        if term.inverse and terms[term.inverse].inverse != term.name
    ]
    assert one_sided == []
    assert all(terms[name].inverse for name in schema.relations())


def test_lineage_is_what_hands_something_down() -> None:
    relations = schema.relations()
    assert {name: r.strand for name, r in relations.items() if r.lineage} == {
        "adapterOf": "weights",
        "convertedFrom": "weights",
        "derivedFrom": None,
        "distilledFrom": "knowledge",
        "fineTunedFrom": "weights",
        "generatedBy": "data",
        "mergedFrom": "weights",
        "prunedFrom": "weights",
        "quantizedFrom": "weights",
    }
    assert relations["adapterOf"].ancestors == (
        "fineTunedFrom",
        "weightsDerivedFrom",
        "derivedFrom",
        "hasAncestor",
    )
    assert [name for name, r in relations.items() if r.symmetric] == ["comparedWith"]


def test_no_foreign_class_or_property_is_made_equivalent_or_put_above_but_prov() -> None:
    foreign = {
        parent
        for term in schema.terms().values()
        for parent in term.parents
        if parent.startswith("http")
    }
    allowed = (schema.PREFIXES["prov"], schema.PREFIXES["rdf"], schema.PREFIXES["dcterms"])
    assert [iri for iri in sorted(foreign) if not iri.startswith(allowed)] == []


# --- kg schema ---------------------------------------------------------------------------------


def test_the_page_explains_every_term_and_needs_no_network() -> None:
    text = page()
    assert [name for name in schema.terms() if f'id="{name}"' not in text] == []
    assert "<script" not in text
    loaded = re.findall(r'(?:src=|@import|url\(|<link[^>]*href=)"?([^"\s>]*)', text)
    assert loaded == []
    targets = set(re.findall(r'href="#([^"]*)"', text))
    assert targets <= set(re.findall(r'id="([^"]*)"', text))


def test_every_example_query_runs() -> None:
    loaded = load(small())
    for term in schema.terms().values():
        loaded.query(
            example_query(term), prefixes=dict(schema.PREFIXES), use_default_graph_as_union=True
        )


def test_the_page_counts_and_shows_what_a_graph_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write(small(), tmp_path)
    out = tmp_path / "schema.html"
    assert main(["schema", "--html", "--graph", str(tmp_path), "-o", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    section = text.partition('id="distilledFrom"')[2].partition("</section>")[0]
    assert "model:tiny mlkg:distilledFrom model:big ." in section
    assert "<dt>in this graph</dt><dd>1</dd>" in section
    capsys.readouterr()
    assert main(["schema", "--graph", str(tmp_path), "--json"]) == 0
    counted = {t["name"]: t["count"] for t in json.loads(capsys.readouterr().out)["data"]}
    assert (counted["Model"], counted["usesMethod"], counted["Candidate"]) == (5, 2, 1)


def test_a_term_is_described_whatever_its_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "distilled-from"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mlkg:distilledFrom (distilled from), object property")
    assert "inverse: teacherOf" in out
    assert main(["schema", "distiledFrom"]) == 4
    assert "distilledFrom" in capsys.readouterr().err


# --- what a reasoner makes of it ---------------------------------------------------------------

#: The class that every foreign term is given as its domain, range and superclass below.
TRAP = rdflib.URIRef("urn:test:trap")
OURS = rdflib.Namespace(schema.NAMESPACE)
THINGS = rdflib.Namespace("urn:test:")


def reasoned(
    *triples: tuple[str, str, str], axiom: tuple[str, str, str] | None = None
) -> rdflib.Graph:
    """Return what OWL 2 RL infers from the ontology and ``triples`` between things of a test."""
    owlrl = pytest.importorskip("owlrl")
    graph = rdflib.Graph().parse(ontology("mlkg.ttl"), format="turtle")
    if axiom:
        graph.add(tuple(map(rdflib.URIRef, axiom)))
    # A vocabulary's own axioms would come with it wherever both are loaded together; the trap
    # stands for all of them, so that nothing depends on a copy of somebody else's file.
    foreign = {
        term
        for term in graph.objects()
        if isinstance(term, rdflib.URIRef) and not str(term).startswith(OWN_OR_STANDARD)
    }
    assert len(foreign) > 10
    for term in foreign:
        graph.add((term, rdflib.RDFS.domain, TRAP))
        graph.add((term, rdflib.RDFS.range, TRAP))
        graph.add((term, rdflib.RDFS.subClassOf, TRAP))
    for subject, relation, target in triples:
        graph.add((THINGS[subject], OURS[relation], THINGS[target]))
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    return graph


OWN_OR_STANDARD = (
    schema.NAMESPACE,
    *(schema.PREFIXES[name] for name in ("rdf", "rdfs", "owl", "xsd", "prov", "dcterms")),
)


@pytest.fixture(scope="module")
def inferred() -> rdflib.Graph:
    """A student trained on data that a teacher made, the teacher's bases, and a quantization."""
    return reasoned(
        ("student", "trainedOn", "data"),
        ("data", "generatedBy", "teacher"),
        ("pupil", "trainedOn", "distillate"),
        ("distillate", "distilledFrom", "teacher"),
        ("teacher", "fineTunedFrom", "base"),
        ("base", "prunedFrom", "root"),
        ("small", "quantizedFrom", "student"),
        ("student", "comparedWith", "rival"),
        ("rival", "trainedOn", "other"),
    )


def pairs(graph: rdflib.Graph, relation: str) -> set[tuple[str, str]]:
    start = str(THINGS)
    return {
        (str(subject).removeprefix(start), str(target).removeprefix(start))
        for subject, target in graph.subject_objects(OURS[relation])
    }


def test_a_reasoner_finds_the_teacher_behind_the_data(inferred: rdflib.Graph) -> None:
    assert pairs(inferred, "taughtThroughDataBy") == {("student", "teacher"), ("pupil", "teacher")}
    assert pairs(inferred, "hiddenTeacherOf") == {("teacher", "student"), ("teacher", "pupil")}
    # It is no plain distillation, which somebody would have had to state.
    assert pairs(inferred, "distilledFrom") == {("distillate", "teacher")}


def test_a_reasoner_closes_ancestors_over_every_kind_of_derivation(inferred: rdflib.Graph) -> None:
    above = {"teacher", "base", "root"}
    assert pairs(inferred, "hasAncestor") == {
        *(("small", name) for name in {"student", *above}),
        *((name, other) for name in ("student", "pupil", "data", "distillate") for other in above),
        *(("teacher", name) for name in above - {"teacher"}),
        ("base", "root"),
    }
    # One step stays one step: what stands above it is transitive, itself it is not.
    assert pairs(inferred, "derivedFrom") == {
        ("data", "teacher"),
        ("distillate", "teacher"),
        ("teacher", "base"),
        ("base", "root"),
        ("small", "student"),
    }


def test_alignments_drag_in_no_foreign_domain(inferred: rdflib.Graph) -> None:
    assert set(inferred.subjects(rdflib.RDF.type, TRAP)) == set()
    assert set(inferred.objects(THINGS.student, rdflib.RDF.type)) >= {OURS.Artifact}


def test_the_trap_closes_where_a_term_is_made_equivalent() -> None:
    """What the test above would show, had an alignment been more than an annotation."""
    foreign = schema.PREFIXES["fair4ml"] + "fineTunedFrom"
    graph = reasoned(
        ("student", "fineTunedFrom", "base"),
        axiom=(OURS.fineTunedFrom, str(rdflib.OWL.equivalentProperty), foreign),
    )
    assert set(graph.subjects(rdflib.RDF.type, TRAP)) >= {THINGS.student, THINGS.base}
