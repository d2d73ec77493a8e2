"""The first hour of a new user, by what the README says: build, explore, ask, trace, correct.

On the sample that ships with kg and, where the corpora are, on the saved Hugging Face papers page.
Each test is a step and goes on where the one before ended.
"""

import csv
import html
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import kg
from kg.assemble import spelling
from kg.values import Edge

ROOT = Path(__file__).parent.parent


@dataclass
class Hour:
    """What the user has in front of them."""

    folder: Path
    source: Path
    #: What one step leaves for a later one.
    wrong_edge: tuple[str, str, str] = ("", "", "")
    wrong_merge: tuple[str, str] = ("", "")
    said: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command in the user's folder and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "kg", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=600,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    @property
    def graph(self) -> kg.KnowledgeGraph:
        """The graph that the last build wrote."""
        return kg.load(self.folder / "out")

    def edge(self) -> Edge:
        """The edge that the user found wrong, as the graph has it now."""
        (found,) = (edge for edge in self.graph.edges if edge.key == self.wrong_edge)
        return found


@pytest.fixture(scope="module", params=["sample", "seed"])
def hour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hour:
    if request.param == "sample":
        source = ROOT / "kg" / "docs" / "sample"
    else:
        shared: Path = request.getfixturevalue("shared")
        source = shared / "seed" / "huggingface-papers-page.txt"
    return Hour(tmp_path_factory.mktemp(request.param), source)


def test_1_build(hour: Hour) -> None:
    printed = hour.run("build", str(hour.source), "-o", "out")
    graph = hour.graph
    documents = len(graph.documents)
    assert printed.startswith(f"out: {documents} documents ({documents} read now), ")
    assert documents >= 70
    assert {"graph.html", "graph.ttl", "report.md"} <= {
        p.name for p in (hour.folder / "out").iterdir()
    }


def test_2_explore(hour: Hour) -> None:
    name = next(edge.subject for edge in hour.graph.edges if edge.relation == "distilledFrom")
    hour.run("explore", "out", "--focus", name, "-o", "part.html")
    whole, part = hour.folder / "out" / "graph.html", hour.folder / "part.html"
    assert 0 < part.stat().st_size < whole.stat().st_size
    # The page forbids itself every request.
    assert "default-src 'none'" in html.unescape(whole.read_text(encoding="utf-8"))


def test_3_ask(hour: Hour) -> None:
    question = (
        "SELECT ?student ?teacher WHERE { ?s mlkg:distilledFrom ?t . ?s rdfs:label ?student . "
        "?t rdfs:label ?teacher } ORDER BY ?student"
    )
    rows = list(csv.reader(hour.run("query", "out", question, "--format", "csv").splitlines()))
    names = {entity.id: entity.name for entity in hour.graph.entities}
    stated = {
        (names[edge.subject], names[edge.object])
        for edge in hour.graph.edges
        if edge.relation == "distilledFrom" and edge.status == "accepted"
    }
    assert rows[0] == ["student", "teacher"]
    assert {(student, teacher) for student, teacher in rows[1:]} == stated != set()


def test_4_trace(hour: Hour) -> None:
    edge = next(
        edge
        for edge in hour.graph.edges
        if edge.relation == "distilledFrom" and edge.status == "accepted"
    )
    printed = " ".join(hour.run("lineage", "out", edge.subject).split())
    names = {entity.id: entity.name for entity in hour.graph.entities}
    assert f"distilled from {names[edge.object]}" in printed


def test_5_find_a_wrong_edge_and_reject_it(hour: Hour) -> None:
    """The queue as a table: the first edge that was accepted is decided against."""
    hour.run("review", "out", "--csv", "queue.csv")
    with (hour.folder / "queue.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    accepted = {edge.key for edge in hour.graph.edges if edge.status == "accepted"}
    # A name stands there, or the id of what shares its name with another.
    ids = {entity.name: entity.id for entity in hour.graph.entities}
    ids |= {entity.id: entity.id for entity in hour.graph.entities}
    row, hour.wrong_edge = next(
        (row, key)
        for row in rows
        if row["kind"] == "edge"
        and (key := (ids[row["subject"]], row["relation"], ids[row["object"]])) in accepted
    )
    assert row["sentence"]
    row |= {"decision": "reject", "note": "the sentence does not say so"}
    with (hour.folder / "queue.csv").open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    hour.run("review", "out", "--apply", "queue.csv", "--author", "Ada")
    assert "reject_edge" in (hour.folder / "overrides.yaml").read_text(encoding="utf-8")


def test_6_find_a_wrong_merge_and_undo_it(hour: Hour) -> None:
    """What joined two different names is shown by kg explain; a rule keeps them apart."""
    names = {entity.id: entity.name for entity in hour.graph.entities}
    mentioned = {entity.id: len(entity.mentioned_in) for entity in hour.graph.entities}
    merge = next(
        merge
        for merge in hour.graph.merges
        if merge.reason in ("year", "lexicon", "format", "organisation", "spelling")
        and spelling.key(merge.name) != spelling.key(names[merge.entity])
        and mentioned[merge.entity] > 1
    )
    hour.wrong_merge = (names[merge.entity], merge.name)
    printed = " ".join(hour.run("explain", "out", merge.entity).split())
    assert f"{merge.name}: {merge.reason}" in printed
    with (hour.folder / "overrides.yaml").open("a", encoding="utf-8") as rules:
        rules.write(f'  - keep_apart: ["{hour.wrong_merge[0]}", "{hour.wrong_merge[1]}"]\n')
        rules.write("    author: Ada\n    reason: two things\n")


def test_7_build_again_and_both_hold(hour: Hour) -> None:
    before = hour.edge()
    assert (before.status, len(hour.graph.entities)) == ("accepted", len(list(hour.graph.entities)))
    arguments = ("build", str(hour.source), "-o", "out", "--overrides", "overrides.yaml")
    printed = hour.run(*arguments)
    assert "(0 read now)" in printed
    assert _corrected(hour)
    # And at a build after that, with another document beside them.
    text = "We evaluate our new model, OwlNet-7B, on GLUE. OwlNet-7B is distilled from BERT."
    (hour.folder / "new.md").write_text(f"# OwlNet\n\n{text}\n", encoding="utf-8")
    hour.run("build", "new.md", "-o", "out", "--add", "--overrides", "overrides.yaml")
    assert _corrected(hour)
    assert any("OwlNet" in entity.name for entity in hour.graph.entities)


def _corrected(hour: Hour) -> bool:
    edge = hour.edge()
    assert edge.status == "retracted"
    assert [e.kind for e in edge.evidence if e.negated] == ["curated"]
    assert "Ada" in hour.run("explain", "out", *hour.wrong_edge)
    stays, leaves = hour.wrong_merge
    called = {
        entity.id: {spelling.key(n) for n in (entity.name, *entity.aliases)}
        for entity in hour.graph.entities
    }
    one = {id_ for id_, keys in called.items() if spelling.key(stays) in keys}
    other = {id_ for id_, keys in called.items() if spelling.key(leaves) in keys}
    assert one
    assert other
    return not one & other
