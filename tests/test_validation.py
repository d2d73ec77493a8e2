"""A sound graph conforms; each way of breaking it is caught, here and by pySHACL."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from small import small

from kg import schema, store
from kg.cli import main
from kg.errors import UsageError
from kg.exporters import exporter
from kg.query import load
from kg.resources import ontology
from kg.validation import constraints, validate

# rdflib warns of its own use of what it deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")

BASE = "https://w3id.org/mlkg/"
PREFIXES = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in schema.PREFIXES.items())


@dataclass(frozen=True)
class Break:
    """A way to break a graph: the update that does it, and the shape that must notice."""

    name: str
    update: str
    shape: str
    message: str


#: ``IN`` and ``FROM`` are filled in: our graphs stand in named graphs.
BREAKS = [
    Break(
        "a name is missing", "DELETE { model:big rdfs:label ?l }", "S1", "exactly one rdfs:label"
    ),
    Break("two names", 'INSERT { model:big rdfs:label "B" }', "S1", "exactly one rdfs:label"),
    Break("no repository", 'INSERT { model:big mlkg:hubId "see below" }', "S1", "org/name"),
    Break("two kinds", "INSERT { model:big a mlkg:Dataset }", "S12", "two kinds"),
    Break("no status", "DELETE { ?a mlkg:status mlkg:Candidate }", "S2", "one known mlkg:status"),
    Break("a strange status", "INSERT { ?a mlkg:status mlkg:Believed }", "S2", "one known"),
    Break("too sure", "INSERT { ?a mlkg:confidence 1.5 }", "S2", "from 0 to 1"),
    Break("no evidence", "DELETE { ?a mlkg:hasEvidence ?e }", "S2", "an assertion has evidence"),
    Break(
        "the plain triple is missing",
        "DELETE { model:tiny mlkg:distilledFrom model:big }",
        "S3",
        "its triple is missing",
    ),
    Break(
        "a candidate is believed",
        "INSERT { model:base mlkg:derivedFrom model:big }",
        "S3",
        "its triple stands in the graph",
    ),
    Break(
        "wrong support",
        "DELETE { ?a mlkg:supportCount 1 } INSERT { ?a mlkg:supportCount 7 }",
        "S4",
        "number of distinct documents",
    ),
    Break("no document", "DELETE { ?e mlkg:fromDocument ?d }", "S5", "exactly one document"),
    Break("no rule", "DELETE { ?e mlkg:rule ?r }", "S5", "names its rule"),
    Break(
        "begins after its end", "INSERT { ?e mlkg:beginOffset 9999 }", "S5", "before mlkg:endOffset"
    ),
    Break(
        "another sentence",
        'DELETE { ?e mlkg:sentence ?s } INSERT { ?e mlkg:sentence "Never said." }',
        "S6",
        "do not select its sentence",
    ),
    Break("no hash", "DELETE { ?d mlkg:textSha256 ?h }", "S7", "64 hexadecimal digits"),
    Break(
        "trained on a task",
        "INSERT { model:tiny mlkg:trainedOn task:quizzing }",
        "S8",
        "between things of these types",
    ),
    Break(
        "a cycle", "INSERT { model:big mlkg:fineTunedFrom model:tiny-gguf }", "S9", "own ancestor"
    ),
    Break(
        "a merge of one", "INSERT { model:tiny mlkg:mergedFrom model:big }", "S10", "two parents"
    ),
    Break(
        "quantized twice",
        "INSERT { model:tiny-gguf mlkg:quantizedFrom model:big }",
        "S10",
        "quantized from one parent",
    ),
    Break(
        "an edge without reason",
        "INSERT { model:big mlkg:usesMethod method:lora }",
        "S11",
        "without an assertion",
    ),
    Break("no value", "DELETE { ?r mlkg:value ?v }", "S13", "as written"),
    Break("no number", 'INSERT { ?r mlkg:number "many" }', "S13", "one decimal"),
    Break("no key", "DELETE { ?f mlkg:key ?k }", "S14", "one key"),
]

#: Which things the free variables of the updates stand for.
WHERE = """WHERE {
  GRAPH ?g1 { ?a mlkg:status mlkg:Candidate ; mlkg:hasEvidence ?e }
  GRAPH ?g2 { ?e mlkg:fromDocument ?d ; mlkg:rule ?r0 ; mlkg:sentence ?s }
  GRAPH ?g3 { ?d mlkg:textSha256 ?h }
  GRAPH ?g4 { model:big rdfs:label ?l }
  GRAPH ?g5 { ?r mlkg:resultOf model:base ; mlkg:value ?v }
  GRAPH ?g6 { ?f a mlkg:Fact ; mlkg:key ?k }
}"""


def in_graphs(update: str) -> str:
    """Delete from both graphs, insert into one: which one does not matter to a union."""
    text = update.replace("mlkg:rule ?r ", "mlkg:rule ?r0 ").replace(
        "?e mlkg:rule ?r }", "?e mlkg:rule ?r0 }"
    )
    parts = []
    for part in text.split("INSERT"):
        if part.strip().startswith("DELETE"):
            body = part.strip().removeprefix("DELETE").strip()[1:-1]
            graphs = (f"<{BASE}graph/statements>", f"<{BASE}graph/provenance>")
            parts.append("DELETE { " + " ".join(f"GRAPH {g} {{{body}}}" for g in graphs) + " }")
        elif part.strip():
            body = part.strip()[1:-1]
            parts.append(f"INSERT {{ GRAPH <{BASE}graph/statements> {{{body}}} }}")
    return f"{PREFIXES} {' '.join(parts)} {WHERE}"


@pytest.fixture
def sound() -> ox.Store:
    return load(small())


def test_a_sound_graph_conforms(sound: ox.Store) -> None:
    assert validate(sound) == []


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: b.name)
def test_a_broken_graph_is_caught(sound: ox.Store, broken: Break) -> None:
    before = set(sound)
    sound.update(in_graphs(broken.update))
    assert set(sound) != before, "the update changed nothing"
    found = validate(sound)
    assert any(v.shape.startswith(broken.shape) and broken.message in v.message for v in found), (
        found
    )


def test_every_shape_of_ours_is_broken_by_some_test() -> None:
    numbers = {constraint.shape.split()[0] for constraint in constraints()}
    assert numbers == {broken.shape for broken in BREAKS}


def test_p_y_s_h_a_c_l_comes_to_the_same_verdict(sound: ox.Store) -> None:
    """All breaks at once, so that the slow engine runs once."""
    pyshacl = pytest.importorskip("pyshacl")
    for broken in BREAKS:
        # What takes away the thing that another break needs is left to the tests above.
        if broken.name not in ("a name is missing", "no status", "no document", "no evidence"):
            sound.update(in_graphs(broken.update))
    lines = ox.serialize({quad.triple for quad in sound}, format=ox.RdfFormat.N_TRIPLES)
    data = rdflib.Graph().parse(data=lines, format="nt")
    conforms, report, _ = pyshacl.validate(
        data, shacl_graph=str(ontology("shapes.ttl")), advanced=False, inference="none"
    )
    sh = rdflib.SH
    theirs = {
        (
            str(report.value(result, sh.focusNode)),
            str(report.value(result, sh.resultMessage)),
            str(report.value(result, sh.resultSeverity)).rpartition("#")[2].lower(),
        )
        for result in report.subjects(rdflib.RDF.type, sh.ValidationResult)
    }
    ours = {(v.focus, v.message, v.severity) for v in validate(sound)}
    assert not conforms
    assert ours == theirs


def test_the_pairs_of_the_shapes_are_those_of_the_ontology() -> None:
    by_message = {constraint.message: constraint.query for constraint in constraints()}
    for name, relation in schema.relations().items():
        query = by_message[f"mlkg:{name} does not stand between things of these types"]
        for head in ("Model", "Dataset", "Benchmark", "Method", "Task", "Metric"):
            for tail in ("Model", "Dataset", "Benchmark", "Method", "Task", "Metric"):
                pair = f"?this a mlkg:{head} . ?value a mlkg:{tail} "
                assert (pair in query) == relation.admits(head, tail), (name, head, tail)


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store.write(small(), tmp_path)
    return tmp_path


Capture = pytest.CaptureFixture[str]


def test_a_sound_folder_is_reported_so(folder: Path, capsys: Capture) -> None:
    assert main(["validate", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("conforms: 34 shapes")


def test_a_violation_is_reported_with_its_place_and_status_3(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    extra = tmp_path / "extra.ttl"
    extra.write_text(
        f"<{BASE}model/big> <{schema.NAMESPACE}usesMethod> <{BASE}method/lora> .", encoding="utf-8"
    )
    assert main(["validate", str(folder), str(extra)]) == 3
    out = capsys.readouterr().out
    assert "violation S11 no edge without an assertion" in out
    assert "model:big  method:lora" in out
    assert "does not conform" in out
    assert main(["validate", str(folder), str(extra), "--json"]) == 3
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["conforms"] is False
    assert [violation["focus"] for violation in data["violations"]] == [f"{BASE}model/big"]


def test_without_provenance_what_needs_it_is_left_out_and_said(
    tmp_path: Path, capsys: Capture
) -> None:
    exporter("turtle")(small(), tmp_path / "graph.ttl")
    exporter("provenance")(small(), tmp_path / "provenance.ttl")
    both = [str(tmp_path / name) for name in ("graph.ttl", "provenance.ttl")]
    assert main(["validate", both[0]]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("conforms: ")
    assert said.err == (
        "kg: not checked, since there is no provenance here: S11 no edge without an assertion; "
        "give graph.nq, or provenance.ttl as well\n"
    )
    assert main(["validate", *both]) == 0
    assert capsys.readouterr().err == ""


def test_finished_pages_without_a_store_are_read_from_graph_ttl(
    tmp_path: Path, capsys: Capture
) -> None:
    """As a clone's outputs/ are; and the folder's path leads to the same answers."""
    exporter("turtle")(small(), tmp_path / "graph.ttl")
    assert main(["validate", str(tmp_path)]) == 0
    assert capsys.readouterr().err.startswith(f"kg: {tmp_path} holds neither store/ nor graph.nq: ")
    assert main(["query", str(tmp_path), "bases", "--format", "csv"]) == 0
    said = capsys.readouterr()
    assert "Big,https://w3id.org/mlkg/model/big,2" in said.out
    assert len(said.err.splitlines()) == 1


def test_a_warning_is_no_failure(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        """@prefix sh: <http://www.w3.org/ns/shacl#> .
        @prefix mlkg: <https://w3id.org/mlkg/ontology#> .
        mlkg:Licensed a sh:NodeShape ; sh:targetClass mlkg:Model ; sh:property [
          sh:path mlkg:license ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "licence?"
        ] .""",
        encoding="utf-8",
    )
    assert main(["validate", str(folder), "--shapes", str(shapes)]) == 0
    assert "licence? (4)" in capsys.readouterr().out


def test_a_constraint_that_is_not_known_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        """@prefix sh: <http://www.w3.org/ns/shacl#> .
        [] a sh:NodeShape ; sh:targetClass <http://e/C> ; sh:closed true .""",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="sh:closed"):
        constraints(shapes)
