"""Trees, paths, problems and formats on small graphs whose answers are known."""

import csv
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree  # parses what we wrote ourselves
from dataclasses import replace

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kg
from kg import cli, store
from kg.errors import NotFound, UsageError
from kg.lineage import find, trace
from kg.lineage.compare import compare
from kg.lineage.formats import MERMAID_EDGES, as_cyclonedx, as_data, as_dot, as_mermaid
from kg.lineage.network import Filter, Network
from kg.lineage.picture import as_html, as_svg, lay_out
from kg.lineage.problems import check, conflicts
from kg.values import Document, Edge, Entity, Evidence, Graph, Result, Span

TEXT = "Student learns from Teacher and is tuned from Base."


def entity(name, kind="Model", *, described=True, **options):
    """Return an entity that one document names, and describes unless told otherwise."""
    return Entity(
        f"{kind.lower()}/{name.lower()}",
        kind,
        name,
        introduced_in=("d1",) if described else (),
        mentioned_in=(("d1", 1),),
        **options,
    )


def edge(subject, relation, object_, *, kind="extracted", confidence=0.9, document="d1", **more):
    """Return an edge with one piece of evidence, a span of :data:`TEXT`."""
    item = Evidence(
        document, "abstract", Span(0, len(TEXT)), TEXT, kind, "cues", "rule", confidence,
        Span(0, 7), Span(20, 27),
    )  # fmt: skip
    return Edge(subject, relation, object_, (item,), confidence, **more)


@pytest.fixture
def family() -> Graph:
    """A student of a teacher's data, tuned from a base of a family, and copied."""
    entities = [
        entity("Student-7B", facts=(("license", "mit", "d1"),)),
        entity("Student-7B-GGUF"),
        entity("Base-7B", described=False),
        entity("Base"),
        entity("Base-7B-Instruct"),
        entity("Teacher"),
        entity("Rival"),
        entity("Data", "Dataset"),
    ]
    edges = [
        edge("model/student-7b", "fineTunedFrom", "model/base-7b", kind="declared"),
        edge("model/student-7b", "trainedOn", "dataset/data"),
        edge("dataset/data", "generatedBy", "model/teacher", confidence=0.7),
        edge("model/student-7b-gguf", "quantizedFrom", "model/student-7b", kind="inferred"),
        edge("model/base-7b", "memberOf", "model/base"),
        edge("model/base-7b-instruct", "memberOf", "model/base"),
        edge("model/student-7b", "outperforms", "model/rival"),
        edge("model/student-7b", "fineTunedFrom", "model/rival", status="negated"),
    ]
    return Graph(
        (Document("d1", "paper", "A title", TEXT, "https://example.org/d1"),),
        tuple(sorted(entities, key=lambda e: e.id)),
        tuple(sorted(edges, key=lambda e: e.key)),
        (Result("model/student-7b", None, None, "80.1", "80.1", edges[0].evidence),),
    )


@pytest.fixture(scope="module")
def browser():
    """Chromium without a screen; skipped where there is none, but not in CI."""
    absent = pytest.fail if os.environ.get("CI") else pytest.skip
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("no playwright: pip install 'mlkg[test]'")
    if not binary:
        absent("no Chromium: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=binary, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser):
    """A fresh tab."""
    page = browser.new_page()
    yield page
    page.close()


def chain(length: int) -> Graph:
    """Return models of which each is fine-tuned from the next."""
    names = [f"m{i:07d}" for i in range(length)]
    return Graph(
        entities=tuple(entity(name) for name in names),
        edges=tuple(
            edge(f"model/{a}", "fineTunedFrom", f"model/{b}") for a, b in itertools.pairwise(names)
        ),
    )


def shape(steps):
    """Return steps as nested ``(relation, entity, mark, children)``."""
    return [(s.hop.relation if s.hop else "", s.entity, s.mark, shape(s.children)) for s in steps]


def test_a_tree_holds_parents_data_and_copies(family):
    """Weights, data and what the data was made by; comparison and negation are no lineage."""
    lineage = trace(family, "student 7b")
    assert shape(lineage.up) == [
        ("fineTunedFrom", "model/base-7b", "gap", []),
        ("trainedOn", "dataset/data", "", [("generatedBy", "model/teacher", "end", [])]),
    ]
    assert shape(lineage.down) == [("quantizedFrom", "model/student-7b-gguf", "", [])]
    assert str(lineage.coverage) == "4 hops: 3 evidenced, 1 inferred · 1 gap"


def test_what_has_no_parent_has_a_gap_and_no_hop(family):
    """A gap is counted apart from the hops that are there."""
    lineage = trace(family, "Rival")
    assert lineage.gaps == ("no parent is stated for Rival",)
    assert str(lineage.coverage) == "0 hops: 0 evidenced, 0 inferred · 1 gap"


def test_a_family_is_no_ancestor(family):
    """memberOf shows as family and members, never among parents."""
    lineage = trace(family, "Base-7B")
    assert [step.entity for step in lineage.families] == ["model/base"]
    assert lineage.up == ()
    whole = trace(family, "Base")
    assert shape(whole.members) == [
        (
            "memberOf",
            "model/base-7b",
            "member",
            [
                ("memberOf", "model/base-7b-instruct", "member", []),
                (
                    "fineTunedFrom",
                    "model/student-7b",
                    "",
                    [("quantizedFrom", "model/student-7b-gguf", "", [])],
                ),
            ],
        )
    ]
    folded = trace(family, "Base", folded=True)
    assert shape(folded.members) == [
        (
            "memberOf",
            "model/base-7b",
            "member",
            [("memberOf", "model/base-7b-instruct", "member", [])],
        )
    ]


def test_descent_within_a_family_is_said_at_the_member():
    """That a member is tuned from another is no less shown than what came of it outside."""
    names = ("Base", "Base-7B", "Base-7B-Instruct")
    tuned = edge("model/base-7b-instruct", "fineTunedFrom", "model/base-7b", kind="declared")
    edges = [
        edge("model/base-7b", "memberOf", "model/base"),
        edge("model/base-7b-instruct", "memberOf", "model/base"),
        tuned,
    ]
    documents = (Document("d1", "paper", "A title", TEXT),)
    graph = Graph(documents, tuple(entity(name) for name in names), tuple(edges), ())
    lineage = trace(graph, "Base")
    (base,) = lineage.members
    (instruct,) = base.children
    (within,) = instruct.children
    assert (base.entity, instruct.entity) == ("model/base-7b", "model/base-7b-instruct")
    assert (within.entity, within.mark) == ("model/base-7b", "within")
    assert within.hop is not None
    assert within.hop.key == tuned.key
    assert str(lineage.coverage) == "1 hop: 1 evidenced, 0 inferred · 0 gaps"


def test_a_hop_of_a_member_that_stands_above_is_not_shown_again():
    """A member that came of the family itself, with what came of it, is told once."""
    edges = (
        edge("model/r1-distil", "memberOf", "model/r1", kind="inferred"),
        edge("model/r1-distil", "distilledFrom", "model/r1", kind="inferred"),
        edge("model/r1-zero", "memberOf", "model/r1", kind="inferred"),
        edge("model/light", "fineTunedFrom", "model/r1-distil"),
        edge("model/other", "fineTunedFrom", "model/r1-zero"),
    )
    names = ("R1", "R1-Distil", "R1-Zero", "Light", "Other")
    documents = (Document("d1", "paper", "A title", TEXT),)
    lineage = trace(Graph(documents, tuple(map(entity, names)), edges), "R1")
    assert shape(lineage.down) == [
        ("distilledFrom", "model/r1-distil", "", [("fineTunedFrom", "model/light", "", [])])
    ]
    assert shape(lineage.members) == [
        ("memberOf", "model/r1-distil", "member", []),
        ("memberOf", "model/r1-zero", "member", [("fineTunedFrom", "model/other", "", [])]),
    ]
    assert [step.note for step in lineage.members] == ["as shown above", ""]
    shown = str(lineage)
    assert shown.count("R1-Distil") == 2
    assert shown.count("Light") == 1
    assert re.search("R1-Distil .* as shown above\n", shown)
    assert str(lineage.coverage) == "3 hops: 2 evidenced, 1 inferred · 0 gaps"


def test_a_member_says_of_what_kind_the_hop_to_its_family_is():
    """As other hops do; most families are known by a name alone."""
    from rich.console import Console

    from kg.lineage.text import show

    edges = (
        edge("model/r1-distil", "memberOf", "model/r1", kind="inferred"),
        edge("model/r1-zero", "memberOf", "model/r1", confidence=0.72),
    )
    documents = (Document("d1", "paper", "A title", TEXT),)
    entities = tuple(map(entity, ("R1", "R1-Distil", "R1-Zero")))
    lineage = trace(Graph(documents, entities, edges), "R1")
    members = {}
    for evidence in ("short", "none"):
        console = Console(width=100, color_system=None)
        with console.capture() as captured:
            show(lineage, console, evidence=evidence)
        members[evidence] = [line for line in captured.get().splitlines() if "──" in line]
    assert members == {
        "short": [
            "├── R1-Distil  inferred 0.90 · 1 document  by its name",
            "└── R1-Zero  extracted 0.72 · 1 document",
        ],
        "none": [
            "├── R1-Distil  inferred 0.90 · 1 document",
            "└── R1-Zero  extracted 0.72 · 1 document",
        ],
    }


def test_a_member_shows_the_hop_to_the_family_that_it_stands_under():
    """Even where it is a member of the wider family, too, and that was found first."""
    wide, base, uncased = (entity(name) for name in ("Ant", "Ant-base", "Ant-base-uncased"))
    edges = [
        edge(uncased.id, "memberOf", wide.id, confidence=0.6),
        edge(base.id, "memberOf", wide.id, kind="inferred", confidence=0.95),
        edge(uncased.id, "memberOf", base.id, kind="inferred", confidence=0.95),
    ]
    documents = (Document("d1", "paper", "Ant", TEXT),)
    graph = Graph(documents, (wide, base, uncased), tuple(edges), ())
    (shown,) = trace(graph, "Ant").members
    (inner,) = [step for step in shown.children if step.mark == "member"]
    assert [(step.hop.object, step.hop.confidence) for step in (shown, inner)] == [
        (wide.id, 0.95),
        (base.id, 0.95),
    ]


def test_options_narrow_what_is_followed(family):
    """Direction, depth, relation with those under it, confidence, inferred or not."""
    assert trace(family, "Student-7B", direction="up").down == ()
    shallow = trace(family, "Student-7B", depth=1)
    assert shape(shallow.up)[1] == ("trainedOn", "dataset/data", "cut", [])
    assert [s.entity for s in trace(family, "Student-7B", relations=["trainedon"]).up] == [
        "dataset/data"
    ]
    assert trace(family, "Student-7B", inferred=False).down == ()
    sure = trace(family, "Student-7B", min_confidence=0.8)
    assert shape(sure.up)[1] == ("trainedOn", "dataset/data", "end", [])
    with pytest.raises(UsageError, match="fineTunedFrom"):
        trace(family, "Student-7B", relations=["finetuned"])


def test_names_are_found_anyhow_and_the_nearest_are_told(family):
    """Case, blanks and hyphens do not matter; an unknown name answers with its neighbours."""
    assert find(family, "STUDENT_7b").id == "model/student-7b"
    assert find(family, "dataset/data").name == "Data"
    with pytest.raises(NotFound) as caught:
        find(family, "studnt 7b")
    assert caught.value.nearest[0] == "Student-7B"


def test_a_circle_is_marked_and_ends():
    """A descends from B, B from A: the tree stops, the check fails."""
    entities = (entity("A"), entity("B"))
    edges = (
        edge("model/a", "fineTunedFrom", "model/b"),
        edge("model/b", "fineTunedFrom", "model/a"),
    )
    graph = Graph(entities=entities, edges=edges)
    assert shape(trace(graph, "A", direction="up").up) == [
        ("fineTunedFrom", "model/b", "", [("fineTunedFrom", "model/a", "cycle", [])])
    ]
    (cycle,) = [p for p in check(Network(graph)) if p.kind == "cycle"]
    assert (cycle.words, cycle.fails) == ("a circle of descent: A, B", True)


def every_format(lineage):
    """Return a lineage in each format, JSON encoded."""
    data = [json.dumps(form(lineage)) for form in (as_data, as_cyclonedx)]
    return [*data, str(lineage), *as_mermaid(lineage), as_dot(lineage), as_svg(lineage)]


def test_a_chain_without_end_is_cut_and_every_format_is_written():
    """After a hundred hops, with a mark, a count and a notice; what is cut can be asked for."""
    lineage = trace(chain(700), "model/m0000000")
    steps = list(lineage.steps())
    note = "goes on; ask for the lineage of this one"
    assert [step.mark for step in steps] == [""] * 99 + ["cut"]
    assert (steps[-1].entity, steps[-1].note, lineage.cut) == ("model/m0000100", note, 1)
    assert all(text for text in every_format(lineage)[:3])
    text = str(lineage).splitlines()
    assert [line.split("── ")[-1] for line in text if "goes on" in line] == ["... goes on"]
    assert "steps left out of a tree too large to show: 1" in text
    assert trace(chain(700), "model/m0000100").up[0].entity == "model/m0000101"


def test_families_within_families_without_end_are_cut():
    """Members nest a hundred deep, each with what came of it."""
    names = [f"m{i:03d}" for i in range(700)]
    tuned = ["m099", *(f"n{i:03d}" for i in range(700))]
    links = [
        *((b, "memberOf", a) for a, b in itertools.pairwise(names)),
        *((b, "fineTunedFrom", a) for a, b in itertools.pairwise(tuned)),
    ]
    graph = Graph(
        entities=tuple(entity(name) for name in (*names, *tuned[1:])),
        edges=tuple(edge(f"model/{b}", relation, f"model/{a}") for b, relation, a in links),
    )
    lineage = trace(graph, "model/m000")
    members = [step.entity for step in lineage.steps() if step.mark == "member"]
    assert members == [f"model/m{i:03d}" for i in range(1, 101)]
    assert lineage.cut == 2
    assert all(text for text in every_format(lineage)[:3])


def test_what_was_shown_is_not_shown_again():
    """A diamond's tip has its children once."""
    names = ("top", "left", "right", "tip", "root")
    pairs = [("top", "left"), ("top", "right"), ("left", "tip"), ("right", "tip"), ("tip", "root")]
    graph = Graph(
        entities=tuple(sorted((entity(n) for n in names), key=lambda e: e.id)),
        edges=tuple(sorted((edge(f"model/{a}", "derivedFrom", f"model/{b}") for a, b in pairs),
                           key=lambda e: e.key)),
    )  # fmt: skip
    left, right = shape(trace(graph, "top", direction="up").up)
    assert left[3] == [("derivedFrom", "model/tip", "", [("derivedFrom", "model/root", "end", [])])]
    assert right[3] == [("derivedFrom", "model/tip", "shown", [])]


def test_paths_and_common_ancestors(family):
    """The chain of hops up, none down, and what two have in common."""
    network = Network(family)
    hops = network.path("model/student-7b-gguf", "model/teacher")
    assert [hop.relation for hop in hops] == ["quantizedFrom", "trainedOn", "generatedBy"]
    assert network.path("model/teacher", "model/student-7b-gguf") is None
    assert network.path("model/teacher", "model/teacher") == []
    assert network.common("model/student-7b-gguf", "dataset/data") == [("dataset/data", 2, 0)]
    assert network.common("model/rival", "dataset/data") == []


def test_conflicts_name_both_sides(family):
    """Two parents without a merge, two kinds for one pair, a size that cannot be."""
    more = [
        edge("model/student-7b", "fineTunedFrom", "model/teacher"),
        edge("model/student-7b", "distilledFrom", "model/base-7b", document="d1"),
        edge("model/base-7b-instruct", "fineTunedFrom", "model/base-72b"),
    ]
    graph = Graph(
        family.documents,
        tuple(sorted((*family.entities, entity("Base-72B")), key=lambda e: e.id)),
        tuple(sorted((*family.edges, *more), key=lambda e: e.key)),
    )
    found = {problem.kind: problem.words for problem in conflicts(Network(graph))}
    assert found == {
        "disputed": "Student-7B fine-tuned from Rival is negated",
        "kinds": "Student-7B and Base-7B: distilled from: extracted by d1; "
        "fine-tuned from: declared by d1",
        "parents": "Student-7B is fine-tuned from Base-7B and Teacher, and no merge is stated",
        "size": "Base-7B-Instruct fine-tuned from Base-72B, but 7B is not 72B",
    }


def test_a_family_beside_its_member_is_no_second_parent():
    """BERT and bert-base are one parent told twice, however wide the family; a third is another."""
    member = edge("model/bert-base", "memberOf", "model/bert")
    wider = edge("model/bert", "memberOf", "model/berts")
    tuned = [
        edge("model/lepton", "fineTunedFrom", f"model/{parent}")
        for parent in ("bert-base", "bert", "berts", "t5")
    ]
    names = [entity(name) for name in ("Lepton", "BERT-base", "BERT", "BERTs", "T5")]

    def told(*edges):
        return [(p.words, p.edges) for p in conflicts(Network(Graph((), tuple(names), edges)))]

    assert told(member, wider, *tuned[:3]) == []
    words = "Lepton is fine-tuned from {}, and no merge is stated"
    assert told(member, wider, *tuned) == [
        (words.format("BERT-base and T5"), (tuned[0].key, tuned[3].key))
    ]
    assert told(wider, *tuned[:2]) == [
        (words.format("BERT and BERT-base"), (tuned[1].key, tuned[0].key))
    ]


def test_no_circle_is_made_of_candidates():
    """What may be so contradicts nothing; what is believed, or was disputed, does."""
    there = edge("dataset/traces", "generatedBy", "model/r1")
    found = {
        status: [p.kind for p in conflicts(Network(Graph(edges=(there, back))))]
        for status in ("candidate", "disputed", "accepted")
        for back in [edge("model/r1", "trainedOn", "dataset/traces", status=status)]
    }
    assert found == {
        "candidate": [],
        "disputed": ["cycle", "disputed"],
        "accepted": ["cycle"],
    }


def test_a_sentence_of_several_edges_is_printed_once(tmp_path, capsys):
    """After all that it says; another document's is another sentence."""
    edges = (
        edge("model/a", "derivedFrom", "model/b"),
        edge("model/b", "distilledFrom", "model/a"),
        edge("model/a", "fineTunedFrom", "model/c", kind="declared"),
        edge("model/a", "fineTunedFrom", "model/d", kind="declared", document="d2"),
    )
    store.write(Graph(entities=tuple(map(entity, "ABCD")), edges=edges), tmp_path / "graph")
    assert run(str(tmp_path / "graph"), "--conflicts") == 0
    assert " ".join(capsys.readouterr().out.split()) == (
        "cycle a circle of descent: A, B"
        f" derived from (extracted), distilled from (extracted): “{TEXT}” d1"
        " parents A is fine-tuned from C and D, and no merge is stated"
        f" fine-tuned from (declared): “{TEXT}” d1"
        f" fine-tuned from (declared): “{TEXT}” d2"
    )


def test_circles_are_looked_for_once_however_many_there_are(monkeypatch):
    """A hundred circles, every other one broken: the graph is gone through twice."""
    searched = []
    cycles = Network.cycles
    monkeypatch.setattr(
        Network, "cycles", lambda network, *chosen: searched.append(1) or cycles(network, *chosen)
    )
    broken = {"accepted": "", "disputed": " (broken by disputing an edge)"}
    statuses = [list(broken)[i % 2] for i in range(100)]
    edges = [
        link
        for i, status in enumerate(statuses)
        for link in (
            edge(f"model/a{i:02d}", "derivedFrom", f"model/b{i:02d}"),
            edge(f"model/b{i:02d}", "derivedFrom", f"model/a{i:02d}", status=status),
        )
    ]
    found = [p for p in conflicts(Network(Graph(edges=tuple(edges)))) if p.kind == "cycle"]
    assert [(p.words, p.fails) for p in found] == [
        (f"a circle of descent: model/a{i:02d}, model/b{i:02d}{broken[s]}", s == "accepted")
        for i, s in enumerate(statuses)
    ]
    assert len(searched) == 2


def test_a_check_finds_tests_on_training_data_and_missing_parents(family):
    """Tested on what it was trained on, and a parent that nothing describes."""
    edges = (*family.edges, edge("model/student-7b-gguf", "evaluatedOn", "dataset/data"))
    graph = Graph(family.documents, family.entities, tuple(sorted(edges, key=lambda e: e.key)))
    failing = {p.kind: p.words for p in check(Network(graph)) if p.fails}
    assert failing == {
        "missing": "Student-7B fine-tuned from Base-7B: named, but not described in any document"
        " here",
        "tested-on-training": "Student-7B-GGUF was trained (through Student-7B) on Data, on which"
        " it is tested",
    }


def test_families_are_compared(family):
    """Members, data and what came of them."""
    comparison = compare(Network(family), "Base", "Teacher")
    assert comparison.left.members == ("model/base-7b", "model/base-7b-instruct")
    assert comparison.left.descendants == (("fineTunedFrom", "model/student-7b"),)
    assert comparison.right.descendants == (("generatedBy", "dataset/data"),)


# ---------------------------------------------------------------- formats


def test_the_text_is_readable_at_any_width(family):
    """Relations and kinds in words, quotes with their document, nothing wider than asked."""
    from kg.lineage.text import as_text

    text = as_text(trace(family, "Student-7B"))
    assert "fine-tuned from Base-7B  declared 0.90 · 1 document" in text
    assert "Student-7B-GGUF quantized from it  inferred" in text
    assert f"“{TEXT}” d1" in text
    assert text.endswith("4 hops: 3 evidenced, 1 inferred · 1 gap\n")
    assert "\x1b" not in text
    for width in (40, 60, 120):
        narrow = as_text(trace(family, "Student-7B"), width=width)
        assert max(map(len, narrow.splitlines())) <= width


def test_json_holds_every_piece_of_evidence(family):
    """The tree as plain values."""
    data = json.loads(json.dumps(as_data(trace(family, "Student-7B"))))
    assert data["root"]["name"] == "Student-7B"
    assert data["up"][0]["relation"] == "fineTunedFrom"
    assert data["up"][0]["evidence"][0]["sentence"] == TEXT
    assert data["coverage"] == {"hops": 4, "evidenced": 3, "inferred": 1, "gaps": 1}


#: The subset of Mermaid's flowchart grammar that is written.
MERMAID_LINE = re.compile(
    r"flowchart BT|"
    r'  n\d+(?:\["[^"\n]*"\]|\[\("[^"\n]*"\)\]|\{\{"[^"\n]*"\}\}|\("[^"\n]*"\))|'
    r'  n\d+ (?:-->|-\.->)\|"[^"|\n]*"\| n\d+|'
    r"  linkStyle \d+ stroke:#[0-9A-F]{6}|  style n\d+ stroke-width:3px"
)


def test_mermaid_is_well_formed_and_names_every_hop(family):
    """Every line is of the grammar; the arrows are the hops."""
    lineage = trace(family, "Student-7B")
    text, notice = as_mermaid(lineage)
    assert notice == ""
    assert all(MERMAID_LINE.fullmatch(line) for line in text.splitlines())
    names = dict(re.findall(r'(n\d+)[\[({]+"([^"]*)"', text))
    arrows = {
        (names[a], words, names[b])
        for a, words, b in re.findall(r'(n\d+) -\.?-?>\|"([^"]*)"\| (n\d+)', text)
    }
    assert arrows == {
        ("Student-7B", "fine-tuned from", "Base-7B"),
        ("Student-7B", "trained on", "Data"),
        ("Data", "generated by", "Teacher"),
        ("Student-7B-GGUF", "quantized from", "Student-7B"),
    }


def test_mermaid_is_cut_with_a_notice():
    """More edges than a renderer takes: the nearest stay, and a sentence says so."""
    names = [f"child{i}" for i in range(900)]
    graph = Graph(
        entities=tuple(sorted((entity(n) for n in ["root", *names]), key=lambda e: e.id)),
        edges=tuple(sorted((edge(f"model/{n}", "fineTunedFrom", "model/root") for n in names),
                           key=lambda e: e.key)),
    )  # fmt: skip
    text, notice = as_mermaid(trace(graph, "root"))
    assert text.count("-->") <= MERMAID_EDGES
    assert len(text) < 50_000
    assert "of 900" in notice


def test_cyclonedx_validates_and_every_reference_resolves(family):
    """Against the schema of version 1.6, strictly."""
    bom = as_cyclonedx(trace(family, "Student-7B"))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom)) is None
    refs = {component["bom-ref"] for component in bom["components"]}
    refs.add(bom["metadata"]["component"]["bom-ref"])
    used = {d for row in bom["dependencies"] for d in [row["ref"], *row.get("dependsOn", [])]}
    assert used <= refs
    root = bom["metadata"]["component"]
    assert root["licenses"] == [{"license": {"id": "MIT"}}]
    assert [a["name"] for a in root["pedigree"]["ancestors"]] == ["Base-7B"]
    assert root["modelCard"]["modelParameters"]["datasets"] == [{"ref": "dataset/data"}]


def test_the_picture_is_xml_with_boxes_that_do_not_overlap(family):
    """Well-formed SVG with title and description; layers from ancestors to descendants."""
    lineage = trace(family, "Student-7B")
    root = ElementTree.fromstring(as_svg(lineage))  # noqa: S314 (our own)
    tags = [child.tag.rpartition("}")[2] for child in root]
    assert tags[:2] == ["title", "desc"]
    boxes = lay_out(lineage).boxes
    layers = {box.entity: box.layer for box in boxes}
    assert layers["model/base-7b"] == -1
    assert layers["model/teacher"] == -2
    assert layers["model/student-7b-gguf"] == 1
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a.y != b.y or a.x + a.width <= b.x or b.x + b.width <= a.x


def test_the_page_holds_hostile_names_as_data():
    """Names from strangers never become markup, and nothing is loaded from elsewhere."""
    name = '</script><img src=x onerror=alert(1)>{{data}}"&'
    graph = Graph(
        (Document("d1", "paper", "t", TEXT),),
        (entity("A"), Entity("model/hostile", "Model", name, mentioned_in=(("d1", 1),))),
        (edge("model/a", "fineTunedFrom", "model/hostile"),),
    )
    page = as_html(trace(graph, "A"))
    assert "<img" not in page
    assert page.count("</script>") == 2
    assert not re.search(r"(?:src|href)=[\"']https?:", page)
    packed = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(packed[1])["entities"]["model/hostile"]["name"] == name
    ElementTree.fromstring(as_svg(trace(graph, "A")))  # noqa: S314 (our own)


def test_characters_that_xml_forbids_are_shown_as_the_replacement_character():
    """In the title, the boxes, the lines and their sentences."""
    sentence = "a\x00b\x0bc\ufffe"
    link = edge("model/a", "fineTunedFrom", "model/b\x1f")
    link = replace(link, evidence=(replace(link.evidence[0], sentence=sentence),))
    graph = Graph(entities=(entity("A"), entity("B\x1f")), edges=(link,))
    root = ElementTree.fromstring(as_svg(trace(graph, "model/b\x1f")))  # noqa: S314 (our own)
    assert [e.text for e in root.iter("{http://www.w3.org/2000/svg}title")] == [
        "Lineage of B\ufffd",
        "fine-tuned from: a\ufffdb c\ufffd",
        "B\ufffd (model)",
        "A (model)",
    ]


def test_the_page_shows_the_sentence_on_a_click(family, tmp_path, browser_page):
    """In a real browser, with no request but the file itself and no error."""
    path = tmp_path / "lineage.html"
    path.write_text(as_html(trace(family, "Student-7B")), encoding="utf-8")
    requests, errors = [], []
    browser_page.on("request", lambda request: requests.append(request.url))
    browser_page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    browser_page.goto(path.as_uri())
    browser_page.locator(".hop").first.focus()
    browser_page.keyboard.press("Enter")
    assert browser_page.locator("#panel blockquote").first.inner_text() == TEXT
    assert browser_page.locator("#panel mark").all_inner_texts() == ["Student", "Teacher"]
    assert browser_page.locator("#panel a").first.get_attribute("href") == "https://example.org/d1"
    assert (requests, errors) == ([path.as_uri()], [])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20),
    st.integers(0, 8),
)
def test_trees_end_and_agree_with_the_closure(pairs, start):
    """Whatever the edges, circles included: the tree is finite and holds every ancestor."""
    graph = Graph(
        entities=tuple(entity(f"m{i}") for i in range(9)),
        edges=tuple(
            edge(f"model/m{a}", "derivedFrom", f"model/m{b}") for a, b in sorted(pairs) if a != b
        ),
    )
    network = Network(graph)
    lineage = trace(network, f"m{start}", direction="up")
    shown = {step.entity for step in lineage.steps()} - {f"model/m{start}"}
    assert shown == network.ancestors(f"model/m{start}").keys()
    for ancestor, hops in network.ancestors(f"model/m{start}").items():
        assert len(network.path(f"model/m{start}", ancestor)) == hops


# ---------------------------------------------------------------- from cards


def test_a_declared_finetune_that_the_text_calls_distillation_is_both(tmp_path):
    """Both kinds stand, each with who says so, and the conflict is listed."""
    text = (
        "---\nbase_model: org/Base-7B\nbase_model_relation: finetune\n---\n"
        "# Student-7B\n\nStudent-7B is distilled from Base-7B.\n"
    )
    (tmp_path / "me@Student-7B.md").write_text(text, encoding="utf-8")
    graph = kg.build(tmp_path)
    said = {
        (edge.relation, edge.object, item.kind, item.document, item.sentence)
        for edge in graph.edges
        for item in edge.evidence
    }
    card = "card-me--Student-7B"
    base = "model/base-7b"
    assert said == {
        ("fineTunedFrom", base, "declared", card, "base_model: org/Base-7B"),
        ("distilledFrom", base, "extracted", card, "Student-7B is distilled from Base-7B."),
    }
    (problem,) = conflicts(Network(graph))
    assert (problem.kind, problem.words) == (
        "kinds",
        f"Student-7B and Base-7B: distilled from: extracted by {card};"
        f" fine-tuned from: declared by {card}",
    )


def test_front_matter_that_does_not_parse_still_gives_the_parent_and_is_reported(tmp_path):
    """What stands before and after the broken lines is read; the report names the lost key."""
    text = (
        "---\nlicense: mit\npretty: a: b\nwidget: [1, {\n"
        "base_model: org/Base-7B\nbase_model_relation: quantized\n---\n# Copy-7B\n"
    )
    (tmp_path / "me@Copy-7B.md").write_text(text, encoding="utf-8")
    out = tmp_path / "out"
    assert cli.main(["build", str(tmp_path / "me@Copy-7B.md"), "-o", str(out)]) == 0
    graph = store.StoredGraph(out)
    assert [edge.key for edge in graph.edges] == [
        ("model/copy-7b", "quantizedFrom", "model/base-7b")
    ]
    (copy,) = (one for one in graph.entities if one.id == "model/copy-7b")
    assert ("license", "mit", "card-me--Copy-7B") in copy.facts
    (line,) = (
        line
        for line in (out / "report.md").read_text(encoding="utf-8").splitlines()
        if "front matter" in line
    )
    assert line.endswith(
        "me@Copy-7B.md, front matter: the YAML front matter is not readable, line 3:"
        " mapping values are not allowed here; read key by key; not read: widget"
    )


# ---------------------------------------------------------------- the command


@pytest.fixture
def folder(family, tmp_path):
    """The family as a folder that the command reads."""
    store.write(family, tmp_path / "graph")
    return str(tmp_path / "graph")


def run(*arguments):
    """Return exit status and standard output of ``kg lineage``, via the library."""
    return cli.main(["lineage", *arguments])


def test_the_stored_graph_gives_the_same_tree(family, folder):
    """Streaming from disk or from memory: the same text."""
    assert str(trace(store.StoredGraph(folder), "Student-7B")) == str(trace(family, "Student-7B"))


@pytest.mark.parametrize("form", ["tree", "json", "mermaid", "dot", "svg", "html", "cyclonedx"])
def test_every_format_is_written_and_stable(folder, tmp_path, form, capsys):
    """Each format into a file, twice the same bytes."""
    paths = [tmp_path / f"one.{form}", tmp_path / f"two.{form}"]
    for path in paths:
        assert run(folder, "Student-7B", "--format", form, "-o", str(path)) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len(paths[0].read_bytes()) > 100
    assert capsys.readouterr().out == ""


def test_json_has_the_common_envelope(folder, capsys):
    """schema_version, data and warnings."""
    assert run(folder, "student 7b", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert sorted(answer) == ["data", "schema_version", "warnings"]


def test_common_ancestors_in_json_come_by_the_hops_asked_for(tmp_path, capsys):
    """A shorter way below the confidence asked for is not the way shown."""
    graph = Graph(
        entities=tuple(entity(name) for name in "ABCD"),
        edges=(
            edge("model/a", "fineTunedFrom", "model/b"),
            edge("model/a", "fineTunedFrom", "model/c", confidence=0.5),
            edge("model/b", "fineTunedFrom", "model/c"),
            edge("model/d", "fineTunedFrom", "model/c"),
        ),
    )
    store.write(graph, tmp_path / "graph")
    options = ["--common", "A", "D", "--min-confidence", "0.8", "--json"]
    assert run(str(tmp_path / "graph"), *options) == 0
    (found,) = json.loads(capsys.readouterr().out)["data"]
    ways = [
        [(hop["subject"]["id"], hop["object"]["id"]) for hop in found[way]]
        for way in ("from_first", "from_second")
    ]
    assert found["id"] == "model/c"
    assert ways == [
        [("model/a", "model/b"), ("model/b", "model/c")],
        [("model/d", "model/c")],
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--path", "Student-7B-GGUF", "Teacher"], 0, "3 hops; the weakest is 0.70 sure"),
        (["--path", "Student-7B-GGUF", "Student-7B"], 0, "\n1 hop; the weakest is 0.90 sure"),
        (
            ["--common", "Student-7B-GGUF", "Student-7B"],
            0,
            "Student-7B: 1 hop from Student-7B-GGUF, 0 hops from Student-7B\n",
        ),
        (["--path", "Student-7B", "Base"], 0, "\n1 hop and 1 membership; the weakest is 0.90 sure"),
        (["--path", "Base-7B", "Base"], 0, "\n0 hops and 1 membership; the weakest is 0.90 sure"),
        (["--compare", "Base", "Teacher"], 0, "members"),
        (["--conflicts"], 0, "negated"),
        (["Student-7B", "--licences"], 0, "unknown stays unknown"),
        (["Student-7B", "--check"], 3, "missing"),
        (["Teacher", "--check"], 0, "nothing contradicts anything"),
    ],
)
def test_other_questions(folder, arguments, status, words, capsys):
    """Path, common ancestors, comparison, conflicts, licences and check."""
    assert run(folder, *arguments) == status
    assert words in capsys.readouterr().out


def test_a_member_stands_for_a_family_at_either_end(family):
    """The hops of membership are part of the path; two families of one model are not joined."""
    edges = (
        *family.edges,
        edge("model/student-7b", "memberOf", "model/student"),
        edge("model/student-7b", "memberOf", "model/pupils"),
        edge("model/student", "memberOf", "model/students"),
    )
    network = Network(Graph(family.documents, family.entities, edges))
    assert network.path("model/student-7b", "model/base") is None
    tuned = ("model/student-7b", "fineTunedFrom", "model/base-7b")
    base = ("model/base-7b", "memberOf", "model/base")
    student = ("model/student-7b", "memberOf", "model/student")
    students = ("model/student", "memberOf", "model/students")
    for one, other, keys in (
        ("model/student-7b", "model/base", [tuned, base]),
        ("model/students", "model/base-7b", [students, student, tuned]),
        ("model/student", "model/base", [student, tuned, base]),
        ("model/base-7b", "model/base", [base]),
        ("model/students", "model/student-7b", [student, students]),
    ):
        for ends in ((one, other), (other, one)):
            hops, over = network.joined(*ends)
            assert ([hop.key for hop in hops], over) == (keys, "")
    assert network.family_path("model/student", "model/pupils") is None
    assert network.family_path("model/base", "model/student") is None
    surer = Filter(min_confidence=0.95)
    assert network.family_path("model/student-7b", "model/base", surer) is None


def test_what_has_no_lineage_is_said_and_what_to_ask_instead(tmp_path, capsys):
    """A method, task or metric has none; a benchmark may, and a method that was trained does."""
    names = (("Old trick", "Method"), ("QA", "Task"), ("F1", "Metric"), ("Quiz", "Benchmark"))
    entities = (*(entity(*name) for name in names), entity("SIFT", "Method"), entity("M1"))
    graph = Graph(entities=entities, edges=(edge("method/sift", "trainedOn", "benchmark/quiz"),))
    nothing = "nothing here says what it comes from, or what came of it"
    explain = "its names, documents and edges: kg explain"
    folder = tmp_path / "a graph"
    store.write(graph, folder)

    def told(name, *options):
        assert run(str(folder), name, *options) == 0
        return capsys.readouterr().out.splitlines()[1:]

    assert told("Old trick") == [
        "a method has no lineage: models and datasets have one",
        f"methods by how many use them: kg query '{folder}' methods",
        f"{explain} '{folder}' 'Old trick'",
    ]
    for name, kind in names[1:3]:
        assert told(name) == [
            f"a {kind.lower()} has no lineage: models and datasets have one",
            f"{explain} '{folder}' {name}",
        ]
    assert told("Quiz", "--up") == [
        nothing,
        f"what was evaluated on it: kg query '{folder}' tested-on --param benchmark=Quiz",
        f"{explain} '{folder}' Quiz",
        "0 hops: 0 evidenced, 0 inferred · 0 gaps",
    ]
    assert told("M1")[1:] == [nothing, "0 hops: 0 evidenced, 0 inferred · 1 gap"]
    assert told("SIFT")[0] == "comes from"
    assert told("SIFT", "--down")[0] == nothing
    assert str(trace(graph, "QA")).splitlines()[1:] == [
        "a task has no lineage: models and datasets have one",
        f"{explain} DIR QA",
    ]
    for name, warnings in (("QA", 2), ("M1", 0)):
        assert run(str(folder), name, "--json") == 0
        assert len(json.loads(capsys.readouterr().out)["warnings"]) == warnings


def test_names_with_brackets_and_colons_are_shown_as_they_are(tmp_path, capsys):
    """A name of a stranger is no markup and no picture, in cells, headings and lines."""
    graph = Graph(
        entities=(
            entity("A [/x] one", facts=(("license", "[red]mit", "d1"),)),
            entity("B [red]two :cat:"),
        ),
        edges=(edge("model/a [/x] one", "fineTunedFrom", "model/b [red]two :cat:"),),
    )
    store.write(graph, tmp_path / "graph")
    ids = ["model/a [/x] one", "model/b [red]two :cat:"]
    assert run(str(tmp_path / "graph"), "--compare", *ids) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == "A [/x] one fine-tuned from B [red]two :cat:"
    cells = [[cell.strip() for cell in re.split("[│┃]", line)] for line in shown.splitlines()]
    assert ["", "", "A [/x] one", "B [red]two :cat:", "both", ""] in cells
    assert ["", "licences", "[red]mit", "-", "", ""] in cells
    assert run(str(tmp_path / "graph"), ids[0], "--json") == 0


def test_long_lines_of_a_chain_stand_below_their_hop(family):
    """On a narrow screen only the heading begins at the margin, and nothing hangs over."""
    from rich.console import Console

    from kg.lineage.text import show_hops

    network = Network(family)
    hops = network.path("model/student-7b-gguf", "model/student-7b")
    console = Console(width=44, color_system=None)
    with console.capture() as captured:
        show_hops(network, hops, console, ["A heading"])
    assert captured.get().splitlines() == [
        "A heading",
        "  Student-7B-GGUF quantized from",
        "    Student-7B  inferred 0.90 · 1 document",
        "    “Student learns from Teacher and is",
        "    tuned from Base.” d1",
    ]


def test_mistakes_are_told_in_sentences(folder, capsys):
    """Unknown names exit 4 with the nearest, contradictory calls exit 2."""
    assert run(folder, "Studnt-7B") == 4
    assert "the nearest are: Student-7B" in capsys.readouterr().err
    assert run(folder) == 2
    assert run(folder, "--conflicts", "--check") == 2
    assert run(folder, "Student-7B", "--depth", "0") == 2
    assert run(folder, "Student-7B", "--relation", "nonsense") == 2
    capsys.readouterr()
    assert run(folder, "--path", "Rival", "Data") == 4
    assert capsys.readouterr().err == (
        "kg: no hops lead from Rival to Data or back, and nothing is an ancestor of both;"
        " their own lineages say what is known of each\n"
    )


def test_the_closure_tells_in_json_what_it_wrote_and_is_whole_or_not_there(
    folder, tmp_path, capsys, monkeypatch
):
    path = tmp_path / "closure.tsv"
    assert run(folder, "--closure", str(path), "--json") == 0
    pairs = len(path.read_text(encoding="utf-8").splitlines()) - 1
    assert json.loads(capsys.readouterr().out)["data"] == {"file": str(path), "pairs": pairs}
    before = path.read_bytes()

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kg.lineage.network.Network.ancestors", stopped)
    assert run(folder, "--closure", str(path)) == 130
    assert (path.read_bytes(), list(tmp_path.glob("closure*"))) == (before, [path])


def test_the_closure_is_written_on_request(folder, tmp_path, capsys):
    """Every pair of descendant and ancestor, with the number of hops."""
    path = tmp_path / "closure.tsv"
    assert run(folder, "--closure", str(path)) == 0
    rows = list(csv.DictReader(path.open(encoding="utf-8"), delimiter="\t"))
    assert {(r["descendant"], r["ancestor"], r["hops"]) for r in rows} == {
        ("dataset/data", "model/teacher", "1"),
        ("model/student-7b", "model/base-7b", "1"),
        ("model/student-7b", "dataset/data", "1"),
        ("model/student-7b", "model/teacher", "2"),
        ("model/student-7b-gguf", "model/student-7b", "1"),
        ("model/student-7b-gguf", "model/base-7b", "2"),
        ("model/student-7b-gguf", "dataset/data", "2"),
        ("model/student-7b-gguf", "model/teacher", "3"),
    }


def test_nothing_heavy_is_imported(folder):
    """kg lineage starts without spaCy, rdflib, networkx, pandas or onnxruntime."""
    script = (
        "import sys; from kg import cli; cli.main(['lineage', sys.argv[1], 'Student-7B']);"
        "heavy = {'spacy', 'rdflib', 'networkx', 'pandas', 'onnxruntime', 'duckdb', 'pyvis'};"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, folder], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ancestors_of_a_long_chain_are_quick():
    """Fifty thousand generations: no recursion, and far below a second."""
    network = Network(chain(50_000))
    assert network.up("model/m0000000")  # the edges are read when they are first asked for
    start = time.process_time()  # of this process, since others may keep the machine busy
    assert len(network.ancestors("model/m0000000", Filter())) == 49_999
    assert time.process_time() - start < 0.5
    assert network.cycles() == []
