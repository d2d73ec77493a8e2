"""Questions get the answers that stand in the graph; wild and unsafe ones are stopped."""

import io
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from small import small

from kg import schema, store
from kg.cli import main
from kg.errors import KGError, NotFound, TimedOut, UsageError
from kg.exporters import exporter
from kg.exporters.rdf import to_rdflib
from kg.lineage import find
from kg.query import Job, ask, canned, language, load, question, questions, select, worker
from kg.query.answers import Answer, Value, write
from kg.query.running import answer
from kg.query.sources import opening
from kg.query.stores import disk_store
from kg.query.table import table
from kg.values import Entity, Result

ONTOLOGY = schema.NAMESPACE
BASE = "https://w3id.org/mlkg/"
PAPER, LATER, CARD = (f"{BASE}doc/{x}" for x in ("2401.00001", "2402.00002", "org%2Ftiny-gguf"))
DISTIL = "We distil Tiny from Big and fine-tune it from Base."
PRUNED = "It is not pruned from Big."
TINY_BIG = {"subject": "Tiny", "object": "Big"}
PICK = "# title: t\n# param: x entity - a thing\nSELECT ?x { ?x rdfs:label ?name }"
#: A query that no engine ends in time.
WILD = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p }"

GRAPH = small()
NOTES = "dataset/notes"

#: Every canned question, what it is asked, and what it answers.
ANSWERS: dict[str, tuple[dict[str, str], list[tuple[str | None, ...]]]] = {
    "ancestors": (
        {"model": "tiny gguf"},
        [
            ("Tiny", "mlkg:distilledFrom", "Big", "model:big"),
            ("Tiny", "mlkg:fineTunedFrom", "Base", "model:base"),
            ("tiny-gguf", "mlkg:quantizedFrom", "Tiny", "model:tiny"),
        ],
    ),
    "bases": (
        {},
        [("Big", "model:big", "2"), ("Base", "model:base", "1"), ("Tiny", "model:tiny", "1")],
    ),
    "benchmarks": ({}, [("Notes", "dataset:notes", "1"), ("Quiz", "benchmark:quiz", "1")]),
    "candidates": (
        {},
        [("Base", "mlkg:derivedFrom", "Big", "0.3", "Perhaps Base comes from Big.", LATER)],
    ),
    "conflicts": (
        {},
        [("each is said to outperform the other", "Base", "mlkg:outperforms", "Tiny")],
    ),
    "descendants": (
        {"model": "big model"},
        [
            (None, "Big", "Notes", "mlkg:generatedBy", "dataset:notes"),
            (None, "Big", "Tiny", "mlkg:distilledFrom", "model:tiny"),
            (None, "Tiny", "tiny-gguf", "mlkg:quantizedFrom", "model:tiny-gguf"),
        ],
    ),
    "distilled": ({}, [("Tiny", "Big", "0.95", "extracted", DISTIL, PAPER)]),
    "hidden-teachers": ({}, [("Tiny", "Notes", "mlkg:generatedBy", "Big")]),
    "introduced": (
        {},
        [
            ("Tiny", "mlkg:Model", "Tiny learns from Big", PAPER),
            ("tiny-gguf", "mlkg:Model", "tiny-gguf", CARD),
        ],
    ),
    "leaderboard": (
        {"benchmark": "QUIZ"},
        [
            ("accuracy", "Base", "80", "80", "1", LATER),
            (None, "Tiny", "71.5%", "71.5", "1", PAPER),
        ],
    ),
    "licences": (
        {"model": "tiny-gguf"},
        [
            ("tiny-gguf", "itself", "mit", CARD),
            ("Notes", "data", None, None),
            ("Base", "ancestor", None, None),
            ("Big", "ancestor", None, None),
            ("Tiny", "ancestor", None, None),
        ],
    ),
    "methods": ({}, [("LoRA", "method:lora", "2")]),
    "names": ({"thing": "org/tiny"}, [("name", "Tiny"), ("hub", "org/tiny"), ("alias", "TINY")]),
    "only-source": (
        {"document": "org/tiny-gguf"},
        [("tiny-gguf", "mlkg:quantizedFrom", "Tiny", "accepted")],
    ),
    "proof": (
        {"subject": "Tiny", "object": "Big"},
        [
            (
                *("mlkg:distilledFrom", "accepted", "0.95", DISTIL, "extracted", "r1", None),
                *(PAPER, "21", "72", "true"),
            ),
            (
                *("mlkg:prunedFrom", "negated", "0.9", PRUNED, "extracted", "r1", "true"),
                *(PAPER, "184", "210", "true"),
            ),
        ],
    ),
    "siblings": ({"model": "Notes"}, [("model:tiny", "Tiny", "Big")]),
    "tested-on": ({"benchmark": "quiz"}, [("Tiny", "mlkg:Model", "model:tiny")]),
    "trained-and-tested": (
        {"model": "tiny"},
        [
            ("mlkg:trainedOn", "Notes", "dataset:notes", "0.9"),
            ("mlkg:evaluatedOn", "Notes", "dataset:notes", "0.9"),
            ("mlkg:evaluatedOn", "Quiz", "benchmark:quiz", "0.9"),
        ],
    ),
    "trained-on-test": ({}, [("Tiny", "Notes", "Notes")]),
}


def expected(name: str) -> list[tuple[str | None, ...]]:
    """The rows of :data:`ANSWERS` with prefixes expanded."""

    def full(cell: str | None) -> str | None:
        prefix, colon, local = (cell or "").partition(":")
        known = {"mlkg", "model", "dataset", "benchmark", "method"}
        return schema.PREFIXES[prefix] + local if colon and prefix in known else cell

    return [tuple(map(full, row)) for row in ANSWERS[name][1]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph's folder as ``kg build`` leaves it."""
    home = tmp_path_factory.mktemp("graph")
    store.write(small(), home)
    exporter("nquads")(small(), home / "graph.nq")
    return home


def kg(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "kg", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# --- canned questions --------------------------------------------------------------------------


def test_there_are_answers_for_every_canned_question() -> None:
    assert set(ANSWERS) == set(questions())
    assert len(ANSWERS) >= 12


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_canned_question_is_answered(name: str) -> None:
    answered = answer(load(GRAPH), Job(question(name).sparql, name, ANSWERS[name][0]))
    rows = [tuple(None if cell is None else cell.value for cell in row) for row in answered.rows]
    assert rows == expected(name)


def test_python_gets_numbers_and_a_yes_or_no() -> None:
    values = "(6 0.9 false '7' 'x'^^xsd:integer)"
    query = f"SELECT ?i ?d ?b ?t ?bad {{ VALUES (?i ?d ?b ?t ?bad) {{ {values} }} }}"
    (row,) = select(GRAPH, query)
    assert row == {"i": 6, "d": 0.9, "b": False, "t": "7", "bad": "x"}
    assert [type(cell) for cell in row.values()] == [int, float, bool, str, str]
    assert select(GRAPH, "ASK { ?s a mlkg:Model }") is True
    assert select(GRAPH, "ASK { ?s a mlkg:Modell }") is False


def test_training_and_testing_that_one_sentence_shows_is_no_contamination() -> None:
    """ "Trained on Notes and strong on Notes" read twice is no test on what was trained on."""
    (shown,) = (e.evidence for e in GRAPH.edges if (e.relation, e.object) == ("trainedOn", NOTES))
    edges = tuple(
        replace(e, evidence=shown) if (e.relation, e.object) == ("evaluatedOn", NOTES) else e
        for e in GRAPH.edges
    )
    assert select(replace(GRAPH, edges=edges), "trained-on-test") == []


def test_two_parents_contradict_unless_one_sentence_names_both_or_one_is_the_family() -> None:
    """As kg lineage --conflicts has it."""
    (tuned,) = (e for e in GRAPH.edges if e.relation == "fineTunedFrom")

    def told(parent: str, sentence: str) -> list[tuple[object, ...]]:
        shown = (replace(tuned.evidence[0], sentence=sentence),)
        edges = (*GRAPH.edges, replace(tuned, object=parent, evidence=shown))
        rows = select(replace(GRAPH, edges=tuple(sorted(edges, key=lambda e: e.key))), "conflicts")
        return [tuple(row.values()) for row in rows if row["what"].startswith("two")]

    assert told("model/big", tuned.evidence[0].sentence) == []
    (row,) = told("model/big", "Tiny is Big, tuned.")
    assert row[1:] == ("Tiny", "https://w3id.org/mlkg/ontology#fineTunedFrom", "Base and Big")


@pytest.mark.parametrize("name", sorted(ANSWERS))
@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")
def test_rdflib_gives_the_same_answers(name: str) -> None:
    """The questions are plain SPARQL 1.1: no engine is needed that is not standard."""
    dataset = to_rdflib(small())
    given = ANSWERS[name][0]

    def ask_rdflib(text: str) -> Answer:
        found = dataset.query(text, initNs=dict(schema.PREFIXES))
        columns = [str(variable) for variable in found.vars]
        rows = tuple(
            tuple(None if row[c] is None else value_of(row[c]) for c in columns) for row in found
        )
        return Answer("rows", tuple(columns), rows)

    query, _ = canned.bind(question(name), given, ask_rdflib)
    rows = [tuple(None if v is None else v.value for v in row) for row in ask_rdflib(query).rows]
    # Decimals keep their written form here, and Oxigraph's canonical one is shorter.
    short = {"80.0": "80", "1.0": "1"}
    assert [tuple(short.get(cell, cell) for cell in row) for row in rows] == expected(name)


def value_of(term: object) -> Value:
    if isinstance(term, rdflib.URIRef):
        return Value("uri", str(term))
    assert isinstance(term, rdflib.Literal)
    return Value("literal", str(term), str(term.datatype or ""))


def test_every_question_has_a_title_and_describes_its_parameters() -> None:
    for item in questions().values():
        assert item.title != item.name, item.name
        variables = {t.text[1:] for t in language.tokens(item.sparql) if t.kind == "variable"}
        assert {parameter.name for parameter in item.parameters} <= variables, item.name
        assert all(parameter.about for parameter in item.parameters)


def test_a_parameter_may_narrow_a_question() -> None:
    assert select(GRAPH, "distilled", teacher="Base") == []
    assert [
        row["name"] for row in select(GRAPH, "leaderboard", benchmark="Quiz", by="Accuracy")
    ] == ["Base"]
    assert select(GRAPH, "candidates", least="0.31") == []
    (proof,) = select(GRAPH, "proof", subject="tiny", object="big", relation="PrunedFrom")
    assert proof["status"] == "negated"
    assert proof["relation"] == ONTOLOGY + "prunedFrom"


def test_a_leaderboard_is_metric_by_metric_best_first() -> None:
    """An error leads with the lowest; 0.9 beside 57.3 is 90; what is no number comes last."""
    names = ("WER", "pass@1")
    metrics = tuple(Entity(f"metric/{i}", "Metric", name) for i, name in enumerate(names))
    shown = GRAPH.results[0].evidence
    scores = [
        ("model/base", "metric/0", "0.72", 0.9),
        ("model/tiny", "metric/0", "0.09", 0.9),
        ("model/big", "metric/1", "0.9", 0.9),
        ("model/base", "metric/1", "57.3", 0.4),
        ("model/tiny", "metric/1", "best", 0.9),
    ]
    results = tuple(
        Result(s, "benchmark/quiz", m, v, "" if v == "best" else v, shown, sure)
        for s, m, v, sure in scores
    )
    entities = tuple(sorted((*GRAPH.entities, *metrics), key=lambda entity: entity.id))
    graph = replace(GRAPH, entities=entities, results=results)
    asked = select(graph, "leaderboard", benchmark="Quiz")
    assert [(row["metricName"], row["name"], row["value"]) for row in asked] == [
        ("pass@1", "Big", "0.9"),
        ("pass@1", "Base", "57.3"),
        ("pass@1", "Tiny", "best"),
        ("WER", "Tiny", "0.09"),
        ("WER", "Base", "0.72"),
    ]
    assert len(select(graph, "leaderboard", benchmark="Quiz", least="0.5")) == 4
    assert len(select(graph, "leaderboard", benchmark="Quiz", by="wer")) == 2


def test_a_score_that_is_only_a_candidate_is_in_no_answer() -> None:
    first, *others = GRAPH.results
    graph = replace(GRAPH, results=(replace(first, status="candidate"), *others))
    assert [row["name"] for row in select(graph, "leaderboard", benchmark="Quiz")] == ["Tiny"]
    assert (
        select(graph, "SELECT * { ?e mlkg:sentence ?s . ?e ^mlkg:hasEvidence/mlkg:value '80' }")
        == []
    )


def test_what_came_of_a_family_came_of_its_members() -> None:
    rows = select(GRAPH, "descendants", model="Family")
    assert [(row["throughMember"], row["child"]) for row in rows] == [("Tiny", "tiny-gguf")]


def test_an_inferred_distillation_is_shown_without_a_sentence() -> None:
    """The words it was inferred from do not say it; and those that deny it are left out."""
    edge = next(edge for edge in GRAPH.edges if edge.relation == "distilledFrom")
    (shown,) = edge.evidence
    guessed = replace(shown, kind="inferred")
    denied = replace(shown, negated=True, rule="r2")
    edges = (replace(edge, evidence=(guessed, denied)),)
    (row,) = select(replace(GRAPH, edges=edges), "distilled")
    assert (row["kind"], row["sentence"]) == ("inferred", None)


@pytest.mark.parametrize("local", ["bloom", "arxiv:2405.14906", "org%2Ftiny-gguf"])
def test_a_document_is_shown_with_a_prefix_and_found_by_it(local: str) -> None:
    assert schema.curie(f"{BASE}doc/{local}") == f"doc:{local}"
    assert canned.resolve(f"doc:{local}", lambda query: Answer("rows")) == f"{BASE}doc/{local}"
    assert select(GRAPH, "SELECT ?t { doc:org%2Ftiny-gguf dcterms:title ?t }") != []


@pytest.mark.parametrize(
    "written",
    ["Tiny", "tiny", "T-I n_y", "model:tiny", "model/tiny", f"{BASE}model/tiny", "org/tiny"],
)
def test_a_thing_is_found_by_any_of_its_names(written: str) -> None:
    rows = select(GRAPH, "names", thing=written)
    assert rows[0] == {"kind": "name", "name": "Tiny"}


def test_of_two_things_of_one_name_the_exact_spelling_wins_then_the_usual_order() -> None:
    assert select(GRAPH, "SELECT ?x { ?x rdfs:label ?l }", l="base") == [
        {"x": BASE + "method/base"}
    ]
    for written, found in (("base", "method/base"), ("Base", "model/base"), ("BASE", "model/base")):
        rows = select(GRAPH, PICK, x=written)
        assert rows == [{"x": BASE + found}]
        assert find(GRAPH, written).id == found  # one name means one thing, whoever asks


@pytest.mark.parametrize(
    ("name", "given", "error", "words"),
    [
        ("ancestors", {"model": "tinny"}, NotFound, "Tiny"),
        ("ancestors", {}, UsageError, "needs --param model"),
        ("ancestors", {"modle": "Tiny"}, UsageError, "no parameter 'modle'; there are: model"),
        ("candidates", {"least": "much"}, UsageError, "decimal digits"),
        ("proof", {**TINY_BIG, "relation": "distiledFrom"}, NotFound, "distilledFrom"),
    ],
)
def test_a_wrong_parameter_is_told_with_the_remedy(
    name: str, given: dict[str, str], error: type[KGError], words: str
) -> None:
    with pytest.raises(error, match=words):
        select(GRAPH, name, **given)


# --- binding and refusing ----------------------------------------------------------------------


@settings(deadline=None)
@given(st.text())
def test_whatever_a_parameter_says_it_stays_one_literal(text: str) -> None:
    query = "SELECT ?x WHERE { ?s rdfs:label ?x FILTER(STR(?x) = ?wanted) }"
    bound = language.bind(query, {"wanted": canned.quote(text)})
    before, after = (list(language.tokens(text)) for text in (query, bound))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [(t.kind, t.text) for t in changed] == [("string", canned.quote(text))]


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_bound_text_comes_back_as_it_was_given(text: str) -> None:
    rows = select(GRAPH, "SELECT ?wanted {}", wanted=text)
    assert rows == [{"wanted": text}]


@settings(deadline=None)
@given(st.text())
def test_tokens_lose_nothing(text: str) -> None:
    assert "".join(token.text for token in language.tokens(text)) == text


def test_a_variable_inside_a_string_a_comment_or_an_iri_is_not_bound() -> None:
    query = 'SELECT ?y { ?y ?p "?x" . # ?x\n <http://e/?x> ?p ?x }'
    assert language.bind(query, {"x": "<http://v>"}) == (
        'SELECT ?y { ?y ?p "?x" . # ?x\n <http://e/?x> ?p <http://v> }'
    )


def test_a_bound_variable_stays_a_column_and_may_order() -> None:
    query = "SELECT ?x (COUNT(?x) AS ?n) { ?x a ?t } GROUP BY ?x ORDER BY DESC(?x) ?x LIMIT 3"
    assert language.bind(query, {"x": "<u:x>"}) == (
        "SELECT (<u:x> AS ?x) (COUNT(<u:x>) AS ?n) { <u:x> a ?t } "
        "GROUP BY (<u:x>) ORDER BY DESC(<u:x>) (<u:x>) LIMIT 3"
    )


UPDATES = [
    "INSERT DATA { <a:> <b:> <c:> }",
    "PREFIX x: <http://x/> delete where { ?s ?p ?o }",
    "LOAD <http://127.0.0.1/x>",
    "CLEAR ALL",
    "DROP GRAPH_ <http://x>",
    "WITH <http://x> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
]


@pytest.mark.parametrize("update", UPDATES)
def test_an_update_is_refused_in_words(folder: Path, update: str) -> None:
    done = kg("query", str(folder), update)
    assert (done.returncode, done.stdout) == (2, "")
    assert "update" in done.stderr


@cache
def load_small() -> ox.Store:
    return load(GRAPH)


def test_service_works_in_this_engine_where_it_is_allowed() -> None:
    """Without this, the tests below would pass on an engine that knows no SERVICE."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/sparql"
        job = Job(f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}", services=(url,))
        asking = Thread(target=answer, args=(load_small(), job), daemon=True)
        asking.start()
        server.settimeout(20)
        connection, _ = server.accept()
        connection.close()


HIDDEN_SERVICES = [
    "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { service silent <URL> { ?s ?p ?o } }",
    "SELECT * { ?s ?p 1.SERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { BIND(<URL> AS ?e) SERVICE ?e { ?s ?p ?o } }",
    "PREFIX h: <URL> SELECT * { SERVICE h: { ?s ?p ?o } }",
    "PREFIX : <URL> SELECT * { SERVICE:{ ?s ?p ?o } }",
    "PREFIX : <URL> SELECT * { ?s ?p true.SERVICE:{ ?s ?p ?o } }",
    "SELECT * { ?s ?p trueSERVICE<URL>{ ?s ?p ?o } }",
    "SELECT * { SERVICESILENT<URL>{ ?s ?p ?o } }",
    "SELECT * { ?s ?p 1e0SERVICE<URL>{ ?s ?p ?o } }",
    "SELECT * { #\nSERVICE<URL>{ ?s ?p ?o } }",
    r"SELECT * { \u0053ERVICE <URL> { ?s ?p ?o } }",
    "SELECT * { FILTER(1<2)SERVICE<URL>{ ?s ?p ?o } }",
    "SELECT * { { SELECT * { SERVICE <URL> { ?s ?p ?o } } } }",
    "ASK { FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "SELECT * { ?s ?p '''it's # ''' . SERVICE <URL> { ?s ?p ?o } }",
]


@pytest.mark.parametrize("query", HIDDEN_SERVICES)
def test_service_is_refused_and_the_other_server_is_never_called(query: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/sparql"
        with pytest.raises(UsageError):
            answer(load_small(), Job(query.replace("URL", url)))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "query",
    [
        'SELECT * { ?s ?p "SERVICE <http://x>" }',
        "SELECT * { ?service ?p ?o } # SERVICE <http://x> {}",
        "PREFIX SERVICE: <http://x/> SELECT * { ?s SERVICE:SERVICE ?o }",
        "SELECT * { ?s <http://x/SERVICE> 'INSERT' }",
    ],
)
def test_the_mere_word_is_not_refused(query: str) -> None:
    language.check_allowed(query)


def test_service_is_allowed_by_its_full_name_only() -> None:
    query = "SELECT * { SERVICE <http://a/sparql> { ?s ?p ?o } }"
    language.check_allowed(query, services=["http://a/sparql"])
    with pytest.raises(UsageError, match="allow-service"):
        language.check_allowed(query, services=["http://a/"])


# --- the command -------------------------------------------------------------------------------


def test_prefixes_are_preset_and_all_graphs_are_asked_at_once(folder: Path) -> None:
    query = """SELECT ?p ?c { model:tiny ?p model:big .
               ?a rdf:subject model:tiny ; rdf:predicate ?p ; mlkg:confidence ?c }"""
    done = kg("query", str(folder), query, "--format", "csv")
    assert done.stdout == f"p,c\r\n{ONTOLOGY}distilledFrom,0.95\r\n" or done.stdout == (
        f"p,c\n{ONTOLOGY}distilledFrom,0.95\n"
    )


def test_columns_stand_in_the_order_of_the_query(folder: Path) -> None:
    done = kg(
        "query", str(folder), "SELECT * { ?z mlkg:distilledFrom ?a ; rdfs:label ?m }", "--json"
    )
    assert json.loads(done.stdout) == {
        "schema_version": 1,
        "data": {
            "columns": ["z", "a", "m"],
            "rows": [{"z": f"{BASE}model/tiny", "a": f"{BASE}model/big", "m": "Tiny"}],
        },
        "warnings": [],
    }


def test_a_table_shows_short_names(folder: Path) -> None:
    done = kg("query", str(folder), "SELECT ?m ?p { ?m ?p model:big ; rdfs:label ?l } ORDER BY ?m")
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == ["m", "p"]
    assert lines[2:] == [
        ["dataset:notes", "mlkg:generatedBy"],
        ["model:tiny", "mlkg:distilledFrom"],
    ]


SENTENCE = "A student of seven billion parameters learns from what the teacher wrote, and no more."
PROOF = Answer(
    "rows",
    ("student", "teacher", "sure", "sentence"),
    (
        (
            Value("literal", "Tiny"),
            Value("literal", "Big"),
            Value("literal", "0.9", schema.PREFIXES["xsd"] + "decimal"),
            Value("literal", SENTENCE),
        ),
        (Value("literal", "Distil-師"), None, None, Value("literal", "x" * 70)),
    ),
)
TABLES = {
    120: f"""
 student     teacher   sure   sentence
 {"─" * 116}
 Tiny        Big        0.9   {SENTENCE}
 Distil-師                    {"x" * 70}
""",
    60: f"""
 student     teacher   sure
 {"─" * 27}
 Tiny        Big        0.9
   sentence  A student of seven billion parameters learns
             from what the teacher wrote, and no more.

 Distil-師
   sentence  {"x" * 47}
             {"x" * 23}
""",
    20: f"""
 student     sure
 {"─" * 17}
 Tiny         0.9
   teacher
   Big
   sentence
   A student of
   seven billion
   parameters learns
   from what the
   teacher wrote,
   and no more.

 Distil-師
   sentence
   {"x" * 17}
   {"x" * 17}
   {"x" * 17}
   {"x" * 17}
   xx
""",
}


@pytest.mark.parametrize("width", TABLES)
def test_columns_that_do_not_fit_stand_below_each_row(width: int) -> None:
    """Names stay side by side; a sentence gets lines of its own instead of a narrow column."""
    screen = Console(width=width, file=io.StringIO(), color_system=None)
    with screen.capture() as shown:
        screen.print(table(PROOF, width))
    lines = shown.get().splitlines()
    assert "\n".join(line.rstrip() for line in lines).rstrip() + "\n" == TABLES[width]
    assert max(map(cell_len, lines)) <= width


ROW = Answer(
    "rows",
    ("a", "b"),
    (
        (Value("uri", "http://e/x"), Value("literal", 'say "hi",\n\tnow', "", "en")),
        (None, Value("literal", "7", schema.PREFIXES["xsd"] + "integer")),
    ),
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("csv", 'a,b\r\nhttp://e/x,"say ""hi"",\n\tnow"\r\n,7\r\n'),
        ("tsv", '?a\t?b\n<http://e/x>\t"say \\"hi\\",\\n\\tnow"@en\n\t7\n'),
        ("jsonl", '{"a": "http://e/x", "b": "say \\"hi\\",\\n\\tnow"}\n{"a": null, "b": 7}\n'),
        ("md", '| a | b |\n| --- | --- |\n| http://e/x | say "hi", now |\n|  | 7 |\n'),
    ],
)
def test_rows_are_written_in_each_format(name: str, text: str) -> None:
    assert "".join(write(ROW, name)) == text


def test_json_is_that_of_sparql_results() -> None:
    assert json.loads("".join(write(ROW, "json"))) == {
        "head": {"vars": ["a", "b"]},
        "results": {
            "bindings": [
                {
                    "a": {"type": "uri", "value": "http://e/x"},
                    "b": {"type": "literal", "value": 'say "hi",\n\tnow', "xml:lang": "en"},
                },
                {
                    "b": {
                        "type": "literal",
                        "value": "7",
                        "datatype": schema.PREFIXES["xsd"] + "integer",
                    }
                },
            ]
        },
    }


def test_construct_answers_turtle_and_ask_a_word(folder: Path) -> None:
    query = "CONSTRUCT { ?s mlkg:teacherOf ?o } { ?o mlkg:distilledFrom ?s }"
    done = kg("query", str(folder), query)
    graph = rdflib.Graph().parse(data=done.stdout, format="turtle")
    assert [tuple(map(str, triple)) for triple in graph] == [
        (f"{BASE}model/big", ONTOLOGY + "teacherOf", f"{BASE}model/tiny")
    ]
    assert "@prefix mlkg:" in done.stdout
    assert kg("query", str(folder), "ASK { ?s mlkg:distilledFrom ?o }").stdout == "true\n"
    assert "DESCRIBE" in kg("query", str(folder), query, "--format", "csv").stderr


def test_a_query_may_come_from_a_file_or_standard_input(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.rq"
    file.write_text("# param: model entity - a model\nSELECT ?x { ?model mlkg:distilledFrom ?x }")
    done = kg("query", str(folder), "--file", str(file), "--param", "model=TINY", "--format", "tsv")
    assert done.stdout == f"?x\n<{BASE}model/big>\n"
    done = subprocess.run(
        [sys.executable, "-m", "kg", "query", str(folder), "-", "--format", "tsv"],
        input="SELECT (1 AS ?x) {}",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "?x\n1\n"


def test_any_rdf_file_can_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "x.ttl"
    file.write_text("<http://e/a> a <http://e/B> .")
    done = kg("query", str(file), "SELECT ?s { ?s a <http://e/B> }", "--format", "csv")
    assert done.stdout.split() == ["s", "http://e/a"]
    file.write_text("<http://e/a> a ")
    done = kg("query", str(file), "ASK {}")
    assert done.returncode == 1
    assert str(file) in done.stderr


def test_a_graph_without_rdf_files_is_exported_for_the_time_being(tmp_path: Path) -> None:
    store.write(small(), tmp_path)
    done = kg("query", str(tmp_path), "ASK { model:tiny mlkg:distilledFrom model:big }")
    assert done.stdout == "true\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "store"]


def test_no_rows_is_explained(folder: Path) -> None:
    done = kg("query", str(folder), "SELECT ?x { ?x mlkg:distiledFrom model:huge }")
    assert done.returncode == 0
    assert "the ontology has no mlkg:distiledFrom; did you mean mlkg:distilledFrom" in done.stderr
    assert "this graph holds no model:huge" in done.stderr
    done = kg("query", str(folder), "SELECT ?x { ?x mlkg:distilledFrom ?x }")
    assert "not together" in done.stderr


@pytest.mark.parametrize(
    ("query", "absent"),
    [
        ("SELECT ?x { ?x rdfs:label 'zzzz' }", (("zzzz", ()),)),
        ("SELECT ?x { ?x rdfs:label 'tiny' }", (("tiny", ("Tiny", "tiny-gguf")),)),
        ('SELECT ?x { ?x rdfs:label """Ti\\"ny"""@en }', (('Ti"ny', ("Tiny",)),)),
        ("SELECT ?x { ?x rdfs:label ?n FILTER(?n = 'Bgi') }", (("Bgi", ("Big",)),)),
        ("SELECT ?x { ?x rdfs:label ?n FILTER(CONTAINS(?n, 'zz')) }", ()),
        ("SELECT ?x { ?x mlkg:mentionCount '77'^^xsd:integer }", ()),
        ("SELECT ?x { ?x rdfs:label 'Tiny' ; mlkg:distilledFrom ?x }", ()),
        ("SELECT ?x { ?x rdfs:label 'Tiny' }", ()),
    ],
)
def test_a_text_that_the_graph_has_not_is_answered_with_near_names(
    query: str, absent: tuple[tuple[str, tuple[str, ...]], ...]
) -> None:
    assert answer(load(GRAPH), Job(query)).absent == absent


def test_no_rows_for_want_of_a_text_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", str(folder), "SELECT ?x { ?x rdfs:label 'tiny' }"]) == 0
    assert capsys.readouterr().err == (
        "kg: no rows: no text of this graph is 'tiny'; the nearest names are: Tiny, tiny-gguf\n"
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["leaderboard", "--param", "benchmark=Notes"], "the graph states none for Notes"),
        (["ancestors", "--param", "model=Big"], "the graph states none for Big"),
        (["only-source", "--param", "document=zz"], "no text of this graph is 'zz'"),
    ],
)
def test_no_rows_of_a_canned_question_are_told_of_what_was_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], asked: list[str], says: str
) -> None:
    """No word of the question itself is held against the graph."""
    assert main(["query", str(folder), *asked]) == 0
    assert capsys.readouterr().err == f"kg: no rows: {says}\n"


def test_no_rows_of_an_inverse_are_told_the_other_way_round(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", str(folder), "SELECT * { ?x mlkg:teacherOf ?y }"]) == 0
    said = capsys.readouterr().err
    assert "kg: mlkg:teacherOf is never written: ask ?y mlkg:distilledFrom ?x\n" in said


def test_no_rows_for_want_of_provenance_are_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exporter("turtle")(small(), tmp_path / "graph.ttl")
    assert main(["query", str(tmp_path / "graph.ttl"), "distilled"]) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("kg: no rows: there is no provenance here")


def test_a_syntax_error_shows_the_line_and_the_place(folder: Path) -> None:
    done = kg("query", str(folder), "SELECT ?x {\n  ?x mlkg:trainedOn }")
    assert done.returncode == 2
    words, line, mark = done.stderr.splitlines()
    assert "line 2" in words
    assert line.strip() == "?x mlkg:trainedOn }"
    assert line[mark.index("^") :].startswith("}")


PRESET = ", ".join(f"{prefix}:" for prefix in schema.PREFIXES)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "the query is empty; kg query --list shows the canned questions"),
        ("# nothing\n", "the query is empty; kg query --list shows the canned questions"),
        (
            "SELEC ?a { ?a ?b ?c }",
            "the query does not parse: line 1, column 1: SELEC is no word of SPARQL; did you mean "
            "SELECT?\n  SELEC ?a { ?a ?b ?c }\n  ^",
        ),
        (
            "SELECT ?a { ?a ?b ?c }\nODER BY ?a",
            "the query does not parse: line 2, column 1: ODER is no word of SPARQL; did you mean "
            "ORDER?\n  ODER BY ?a\n  ^",
        ),
        (
            "SELECT ?a { ?a xyzzy ?c }",
            "the query does not parse: line 1, column 16: xyzzy is no word of SPARQL\n"
            "  SELECT ?a { ?a xyzzy ?c }\n                 ^",
        ),
        (
            "PREFIX ex: <http://e.org/>\nSELECT ?a { ex:a foo:bar ?a }",
            f"the query does not parse: line 2, column 18: no prefix is called foo:; preset are "
            f"{PRESET}; PREFIX foo: <IRI> declares another\n  SELECT ?a {{ ex:a foo:bar ?a }}\n"
            "                   ^",
        ),
    ],
)
def test_a_query_that_does_not_parse_is_told_what_was_meant(query: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(GRAPH, query)
    assert str(caught.value) == words


def test_an_empty_query_is_no_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "nowhere", " "]) == 2
    assert capsys.readouterr().err == (
        "kg: the query is empty; kg query --list shows the canned questions\n"
    )


def test_a_limit_says_that_there_is_more(folder: Path) -> None:
    query = "SELECT ?s { ?s a mlkg:Model } ORDER BY ?s"
    done = kg("query", str(folder), query, "--limit", "2", "--format", "tsv")
    assert done.stdout.count("\n") == 3
    assert "stopped at 2 rows" in done.stderr
    assert "stopped" not in kg("query", str(folder), query, "--limit", "5").stderr


def test_only_a_named_graph_is_asked_on_request(folder: Path) -> None:
    graph = f"{BASE}graph/provenance"
    query = "ASK { ?x mlkg:distilledFrom ?y }"
    assert kg("query", str(folder), query, "--graph", graph).stdout == "false\n"
    assert kg(
        "query", str(folder), f"ASK FROM <{graph}> {{ ?x mlkg:distilledFrom ?y }}"
    ).stdout == ("false\n")


def test_an_unknown_question_names_the_nearest(folder: Path) -> None:
    done = kg("query", str(folder), "ancestor")
    assert done.returncode == 4
    assert "ancestors" in done.stderr


def test_questions_are_listed_and_shown() -> None:
    listed = kg("query", "--list").stdout
    assert all(name in listed for name in questions())
    assert kg("query", "--show", "bases").stdout == questions()["bases"].sparql
    shown = json.loads(kg("query", "--list", "--json").stdout)["data"]
    assert [item["name"] for item in shown] == list(questions())


def test_nothing_heavy_is_imported_for_a_query(folder: Path) -> None:
    code = (
        "import sys; from kg.cli import main\n"
        f"main(['query', {str(folder)!r}, 'bases', '--format', 'csv'])\n"
        "print(sorted({'spacy', 'rdflib', 'networkx', 'numpy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# --- time --------------------------------------------------------------------------------------


def test_a_wild_query_is_stopped_in_time_and_its_process_is_gone(folder: Path) -> None:
    before = children()
    begin = time.monotonic()
    with opening(folder) as source, pytest.raises(TimedOut, match="timed out after 1 s"):
        ask(source, Job(WILD), timeout=1)
    assert time.monotonic() - begin < 10
    assert children() == before


def children() -> set[int]:
    """The processes that this one has started and that still are there, dead ones included."""
    if not sys.platform.startswith("linux"):
        pytest.skip("processes are counted in /proc, which only Linux has")
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            if int(status.rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found


def test_timing_out_is_an_exit_status_and_no_empty_table(folder: Path) -> None:
    done = kg("query", str(folder), WILD, "--timeout", "0.5")
    assert (done.returncode, done.stdout) == (5, "")
    assert "timed out after 0.5 s" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child")
def test_no_query_outlives_the_one_who_asked(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kg", "query", str(folder), WILD], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    found: set[int] = set()
    while not found and time.monotonic() < deadline:
        found = descendants(process.pid)
        time.sleep(0.05)
    time.sleep(0.5)
    process.kill()
    process.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in found) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found
    assert not [pid for pid in found if Path(f"/proc/{pid}").exists()]


def descendants(parent: int) -> set[int]:
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return {int(pid) for pid in path.read_text().split()} if path.exists() else set()


#: Text of 16 * 16^6 characters, made at once and without a scan: hundreds of megabytes.
GREEDY = (
    'SELECT (STRLEN(?g) AS ?n) { BIND("abcdefghijklmnop" AS ?a) '
    + "".join(
        f"BIND(CONCAT({', '.join([f'?{old}'] * 16)}) AS ?{new}) "
        for old, new in zip("abcdef", "bcdefg", strict=True)
    )
    + "}"
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits memory")
def test_a_query_that_wants_too_much_memory_ends_and_says_so(folder: Path) -> None:
    """The same query is answered with more memory in the same time, so that it is no time-out."""
    with opening(folder, memory=2000) as source:
        assert ask(source, Job(GREEDY), timeout=60).rows[0][0] == Value(
            "literal", str(16**7), schema.PREFIXES["xsd"] + "integer", ""
        )
    with (
        opening(folder, memory=400) as source,
        pytest.raises(KGError, match="needs more memory than it may have") as raised,
    ):
        ask(source, Job(GREEDY), timeout=60)
    assert not isinstance(raised.value, TimedOut)


# --- other servers -----------------------------------------------------------------------------


@pytest.fixture
def answering(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """A server that gives one answer; the test sets status, headers and body."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    seen: list[tuple[dict[str, str], bytes]] = []
    replies: list[tuple[int, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((dict(self.headers), body))
            status, headers, content = replies[min(len(seen), len(replies)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sparql", replies, seen
    server.shutdown()
    server.server_close()


JSON = {"Content-Type": "application/sparql-results+json"}


def test_an_endpoint_gets_prefixes_a_name_and_the_query(answering, capsys) -> None:  # type: ignore[no-untyped-def]
    from urllib.parse import parse_qs

    url, replies, seen = answering
    body = {
        "head": {"vars": ["a", "z"]},
        "results": {"bindings": [{"z": {"type": "uri", "value": "http://e/1"}}]},
    }
    replies.append((200, JSON, json.dumps(body).encode()))
    query = "SELECT * { ?z mlkg:trainedOn ?a }"
    assert main(["query", "--endpoint", url, query, "--format", "tsv"]) == 0
    assert capsys.readouterr().out == "?z\t?a\n<http://e/1>\t\n"
    ((headers, sent),) = seen
    assert headers["User-Agent"].startswith("mlkg/")
    assert parse_qs(sent.decode()) == {"query": [f"PREFIX mlkg: <{ONTOLOGY}>\n{query}"]}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((400, {}, b"no such function: FOO"), "400 Bad Request: no such function: FOO"),
        ((503, {"Content-Type": "text/html"}, b"<html><p>Too <b>busy</b></html>"), "Too busy"),
        ((200, {"Content-Type": "text/html"}, b"<html>Who are you?</html>"), "Who are you?"),
        ((200, JSON, b""), "no SPARQL result"),
        ((200, JSON, b'{"head": {}}'), "no SPARQL result"),
    ],
)
def test_what_an_endpoint_complains_of_is_shown(answering, capsys, reply, words: str) -> None:  # type: ignore[no-untyped-def]
    url, replies, _ = answering
    replies.append(reply)
    assert main(["query", "--endpoint", url, "ASK {}"]) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_a_busy_endpoint_is_asked_again_when_it_says_when(answering, capsys) -> None:  # type: ignore[no-untyped-def]
    url, replies, seen = answering
    replies.append((429, {"Retry-After": "0"}, b""))
    replies.append((200, JSON, b'{"head": {}, "boolean": true}'))
    assert main(["query", "--endpoint", url, "ASK {}"]) == 0
    assert capsys.readouterr().out == "true\n"
    assert len(seen) == 2


def test_an_endpoint_that_is_not_there_is_an_error(capsys) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert main(["query", "--endpoint", f"http://127.0.0.1:{port}/", "ASK {}"]) == 1
    assert "is the server running?" in capsys.readouterr().err


def test_an_endpoint_that_is_silent_times_out(capsys) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert main(["query", "--endpoint", url, "ASK {}", "--timeout", "0.3"]) == 5
    assert "timed out after 0.3 s" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the signal is one of Linux")
def test_a_child_whose_parent_has_gone_before_it_asks_to_be_told_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.nt"
    file.write_text("")
    *python, code = worker.command()
    frame = worker.pack(worker.Opening(str(file)))
    done = subprocess.run([*python, code], input=frame, capture_output=True)
    assert (done.returncode, done.stdout != b"") == (0, True)
    orphan = code.replace(f"main({os.getpid()})", "main(1)")
    done = subprocess.run([*python, orphan], input=frame, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")


# --- large graphs ------------------------------------------------------------------------------


def test_a_large_graph_is_kept_as_a_store_and_a_new_one_never_answers_from_the_old(
    folder: Path, tmp_path: Path
) -> None:
    home = tmp_path / "graph"
    home.mkdir()
    dump = home / "graph.nq"
    dump.write_bytes((folder / "graph.nq").read_bytes())
    count = Job("SELECT (COUNT(*) AS ?n) { ?s a mlkg:Model }")
    for _ in range(2):
        with opening(home, on_disk=True) as source:
            assert [row[0].value for row in ask(source, count).rows if row[0]] == ["5"]
    assert len(list((home / ".kg" / "oxigraph").iterdir())) == 1
    with dump.open("a") as file:
        file.write(f"<{BASE}model/new> <{schema.PREFIXES['rdf']}type> <{ONTOLOGY}Model> .\n")
    with opening(home, on_disk=True) as source:
        assert [row[0].value for row in ask(source, count).rows if row[0]] == ["6"]
    assert len(list((home / ".kg" / "oxigraph").iterdir())) == 1


#: Makes the store of an RDF file, says so, and uses it until its input ends.
_USER = """
import sys
from pathlib import Path
from kg.query.stores import disk_store

print(disk_store(Path(sys.argv[1]), Path(sys.argv[2])).name, flush=True)
sys.stdin.read()
"""


def test_a_store_is_removed_once_no_process_uses_it(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    files = [tmp_path / f"{number}.nt" for number in range(3)]
    for file in files:
        file.write_text(f"<http://e/{file.stem}> <http://e/p> <http://e/o> .\n")

    def user(file: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", _USER, str(file), str(cache)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def stores() -> set[str]:
        return {path.name for path in cache.iterdir()}

    with user(files[0]) as first:
        used = first.stdout.readline().strip() if first.stdout else ""
        with user(files[1]) as second:
            new = second.stdout.readline().strip() if second.stdout else ""
            assert stores() == {used, new}
    with user(files[2]) as third:
        newest = third.stdout.readline().strip() if third.stdout else ""
        assert stores() == {newest}


def test_a_store_that_a_killed_process_was_making_is_removed_after_a_day(tmp_path: Path) -> None:
    cache, file = tmp_path / "cache", tmp_path / "a.nt"
    file.write_text("<http://e/s> <http://e/p> <http://e/o> .\n")
    for name, hours in (("new-young", 23), ("new-old", 25)):
        (cache / name).mkdir(parents=True)
        then = time.time() - hours * 3600
        os.utime(cache / name, (then, then))
    home = disk_store(file, cache)
    assert {path.name for path in cache.iterdir()} == {"new-young", home.name}
