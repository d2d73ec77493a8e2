"""The review queue: what is asked, in which order, and what an answer becomes."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kg import overrides, review, store
from kg.cli import main
from kg.errors import UsageError
from kg.overrides import Overrides, Rule
from kg.values import Document, Edge, Entity, Evidence, Graph, Merge, Span

TEXT = "Two models\nTinyNet is based on BigNet."
WEAK = Evidence("d1", "abstract", Span(11, 38), TEXT[11:38], "extracted", "cues", "x", 0.4)


def entity(name: str, kind: str = "model", **fields: object) -> Entity:
    return Entity(f"{kind}/{name.lower()}", kind.title(), name, **fields)  # type: ignore[arg-type]


def graph(*edges: Edge, entities: tuple[Entity, ...] = ()) -> Graph:
    known = (entity("BigNet"), entity("TinyNet"), *entities)
    document = Document("d1", "paper", "Two models", TEXT)
    return Graph((document,), tuple(sorted(known, key=lambda e: e.id)), edges)


CANDIDATE = Edge("model/tinynet", "derivedFrom", "model/bignet", (WEAK,), 0.4, "candidate")


def test_a_candidate_edge_is_asked_with_its_sentence() -> None:
    (question,) = review.queue(graph(CANDIDATE))
    assert (question.kind, question.subject, question.relation, question.object) == (
        *("edge", "TinyNet", "derivedFrom", "BigNet"),
    )
    assert question.why == "too weak to be accepted"
    assert question.evidence == WEAK


def test_evidence_with_and_without_places_is_ordered() -> None:
    """A table names no place for the model it describes, a sentence does."""
    placed = replace(WEAK, subject=Span(11, 18), object=Span(31, 37))
    assert sorted([placed, WEAK]) == [WEAK, placed]
    (question,) = review.queue(graph(replace(CANDIDATE, evidence=(WEAK, placed))))
    assert question.evidence == placed


@pytest.mark.parametrize(
    "edge",
    [
        replace(CANDIDATE, status="accepted", confidence=0.9),
        replace(CANDIDATE, evidence=(replace(WEAK, kind="curated"),)),
    ],
)
def test_what_is_sure_or_decided_is_not_asked(edge: Edge) -> None:
    assert review.queue(graph(edge)) == []


@pytest.mark.parametrize("answer", ["accept", "reject", "unsure"])
def test_an_answered_question_is_not_asked_again(answer: str) -> None:
    (question,) = review.queue(graph(CANDIDATE))
    decided = Overrides((review.rule(question, answer),))
    assert review.queue(graph(CANDIDATE), decided) == []


def test_names_nearly_alike_are_asked_as_one_thing_but_not_two_sizes() -> None:
    alike = (entity("GraphBench-XL", "benchmark"), entity("GraphBenchs-XL", "benchmark"))
    sizes = (entity("Qwen2.5-7B"), entity("Qwen2.5-72B"))
    (question,) = review.queue(graph(entities=(*alike, *sizes)))
    assert (question.kind, question.subject, question.object) == (
        *("merge", "benchmark/graphbench-xl", "benchmark/graphbenchs-xl"),
    )
    assert review.rule(question, "reject").verb == "keep_apart"


@pytest.mark.parametrize(
    ("one", "other", "repositories"),
    [
        ("models_Qwen2_7B_readme", "models_Qwen2.5_7B_readme", ()),
        ("Pass@10 of twenty", "Pass@100 of twenty", ()),
        ("final_model_lr1e-07", "final_model_lr3e-07", ()),
        ("LEGAL-BERT-small", "LEGAL-BERT-small-F", ()),
        ("HumanEvaluation", "HumanEvaluation+", ()),
        ("albert-tuned", "albert-tuned", ("a/albert-tuned", "b/albert-tuned")),
    ],
)
def test_what_a_number_a_word_or_a_repository_tells_apart_is_not_asked(
    one: str, other: str, repositories: tuple[str, ...]
) -> None:
    """Alike they are, and two all the same; without the difference they are asked about."""
    pair = (Entity("metric/one", "Metric", one), Entity("metric/two", "Metric", other))
    if repositories:
        pair = tuple(
            replace(thing, repositories=(repository,))
            for thing, repository in zip(pair, repositories, strict=True)
        )
    assert review.queue(Graph(entities=pair)) == []
    (question,) = review.queue(
        Graph(entities=tuple(replace(e, name=one, repositories=()) for e in pair))
    )
    assert question.kind == "merge"


def test_lineage_that_only_a_name_suggests_is_asked_and_a_family_is_not() -> None:
    """However sure: nothing states it."""
    named = (replace(WEAK, kind="inferred", confidence=0.95),)
    tuned = Edge("model/tinynet", "fineTunedFrom", "model/bignet", named, 0.95)
    (question,) = review.queue(graph(tuned, replace(tuned, relation="memberOf")))
    assert (question.relation, question.why) == ("fineTunedFrom", "inferred, and stated nowhere")
    stated = replace(tuned, evidence=(*named, replace(WEAK, confidence=0.95)))
    assert review.queue(graph(stated)) == []


def test_lineage_comes_before_what_is_better_connected() -> None:
    methods = tuple(entity(f"Method{i}", "method") for i in range(4))
    used = tuple(
        Edge("model/bignet", "usesMethod", m.id, (WEAK,), 0.4, "candidate") for m in methods
    )
    descent = Edge("model/tinynet", "derivedFrom", "model/other", (WEAK,), 0.4, "candidate")
    asked = review.queue(graph(*used, descent, entities=(*methods, entity("Other"))))
    assert [q.relation for q in asked] == ["derivedFrom", *["usesMethod"] * 4]


@pytest.mark.parametrize("answer", ["accept", "reject", "unsure"])
def test_two_names_that_were_decided_are_not_asked_again(answer: str) -> None:
    alike = graph(
        entities=(entity("GraphBench-XL", "benchmark"), entity("GraphBenchs-XL", "benchmark"))
    )
    (question,) = review.queue(alike)
    assert review.queue(alike, Overrides((review.rule(question, answer),))) == []
    by_name = Rule("keep_apart", ("GraphBench-XL", "GraphBenchs-XL"))
    assert review.queue(alike, Overrides((by_name,))) == []


def test_namesakes_are_asked_with_a_sentence_each_however_short_the_name() -> None:
    texts = ("SAGE\nSAGE is a sampler.", "SAGE again\nWe call our tutor SAGE.")
    names = ("d1", "d2")
    namesakes = Graph(
        tuple(Document(d, "paper", "", text) for d, text in zip(names, texts, strict=True)),
        (
            Entity("method/mae", "Method", "MAE", mentioned_in=(("d1", 1),)),
            Entity("method/mae-d2", "Method", "MAE", mentioned_in=(("d2", 1),)),
            Entity("model/sage", "Model", "SAGE", mentioned_in=(("d1", 2),)),
            Entity("model/sage-d2", "Model", "SAGE", mentioned_in=(("d2", 2),)),
        ),
    )
    asked = {(q.subject, q.object): q.examples for q in review.queue(namesakes)}
    assert asked == {
        ("method/mae", "method/mae-d2"): (("MAE", "d1", ""), ("MAE", "d2", "")),
        ("model/sage", "model/sage-d2"): (("SAGE", "d1", "SAGE"), ("SAGE", "d2", "SAGE again")),
    }


def test_an_end_whose_name_is_that_of_two_things_is_asked_by_its_id() -> None:
    """A rule that called it by name would be about either."""
    twice = Entity("model/tinynet-d2", "Model", "TinyNet")
    question = next(q for q in review.queue(graph(CANDIDATE, entities=(twice,))) if q.relation)
    assert (question.subject, question.object) == ("model/tinynet", "BigNet")
    decided = Overrides((review.rule(question, "reject"),))
    assert [q.kind for q in review.queue(graph(CANDIDATE, entities=(twice,)), decided)] == ["merge"]


def test_what_much_depends_on_comes_first() -> None:
    hub = tuple(entity(f"Child{i}") for i in range(5))
    sure = tuple(
        Edge(child.id, "fineTunedFrom", "model/bignet", (replace(WEAK, confidence=0.9),), 0.9)
        for child in hub
    )
    lonely = Edge("model/child0", "derivedFrom", "model/child1", (WEAK,), 0.4, "candidate")
    first, second = review.queue(graph(CANDIDATE, *sure, lonely, entities=hub))
    assert (first.object, second.object) == ("BigNet", "Child1")


def test_the_table_round_trips_decisions() -> None:
    questions = review.queue(graph(CANDIDATE))
    out = io.StringIO()
    assert review.write_csv(questions, out) == 1
    edited = out.getvalue().rstrip("\r\n").removesuffix(",,") + ",Reject,only compared\r\n"
    rules = review.read_csv(io.StringIO(edited), questions, author="Ada", date="2026-11-24")
    assert rules == [
        Rule(
            *("reject_edge", ("TinyNet", "derivedFrom", "BigNet")),
            *("Ada", "2026-11-24", "only compared", "d1"),
        )
    ]


@pytest.mark.parametrize(
    ("sentence", "cell"),
    [
        ('=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'),
        ("-INFINITY", "'-INFINITY"),
        ("\r=1+1", "'\n=1+1"),
        ("-2.5", "-2.5"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(sentence: str, cell: str) -> None:
    evil = replace(WEAK, sentence=sentence)
    out = io.StringIO(newline="")
    review.write_csv(review.queue(graph(replace(CANDIDATE, evidence=(evil,)))), out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["sentence"] == cell


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("nothere,accept", "line 2: 'nothere' is not in the queue"),
        ("{id},maybe", "line 2: 'maybe'"),
    ],
)
def test_a_bad_decision_names_its_line(row: str, message: str) -> None:
    questions = review.queue(graph(CANDIDATE))
    table = "id,decision\n" + row.format(id=questions[0].id) + "\n"
    with pytest.raises(UsageError, match=message):
        review.read_csv(io.StringIO(table), questions)


def test_undo_takes_the_last_answer_back_and_quit_keeps_the_rest() -> None:
    other = Edge("model/bignet", "derivedFrom", "model/tinynet", (WEAK,), 0.4, "candidate")
    questions = review.queue(graph(CANDIDATE, other))
    keys = iter(["accept", "undo", "reject", "quit"])
    rules = review.interview(questions, lambda *_: next(keys))
    assert [rule.verb for rule in rules] == ["reject_edge"]


def test_merges_are_written_as_an_sssom_table() -> None:
    merged = replace(
        graph(
            entities=(
                entity("BERT", repositories=("google/bert",)),
                entity("Quiz-0-shot", "benchmark", repositories=("org/quiz",)),
            )
        ),
        merges=(Merge("model/bert", "Bert", "spelling", 1.0, "d1"),),
    )
    rows = [line.split("\t") for line in review.sssom(merged) if not line.startswith("#")]
    assert rows == [
        [
            *("subject_id", "subject_label", "subject_type", "predicate_id", "object_id"),
            *("object_label", "mapping_justification", "confidence", "comment"),
        ],
        [
            *("mlkg_entity:benchmark/quiz-0-shot", "Quiz-0-shot", "", "skos:closeMatch"),
            *("hf:datasets/org/quiz", "", "semapv:DatabaseCrossReference", "1.000", ""),
        ],
        [
            *("mlkg_entity:model/bert", "BERT", "", "owl:sameAs", "hf:google/bert"),
            *("", "semapv:DatabaseCrossReference", "1.000", ""),
        ],
        [
            *("", "Bert", "rdfs literal", "skos:exactMatch", "mlkg_entity:model/bert"),
            *("BERT", "semapv:LexicalMatching", "1.000", "spelling, d1"),
        ],
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stored graph with one edge and one pair of names to decide."""
    alike = (
        entity("GraphBench-XL", "benchmark", mentioned_in=(("d1", 1),)),
        entity("GraphBenchs-XL", "benchmark", mentioned_in=(("d1", 1),)),
    )
    store.write(graph(CANDIDATE, entities=alike), tmp_path / "out")
    return tmp_path


def test_a_table_is_applied_whatever_the_limit_and_told_in_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue, decisions = folder / "queue.csv", folder / "overrides.yaml"
    assert main(["review", str(folder / "out"), "--csv", str(queue)]) == 0
    rows = list(csv.DictReader(io.StringIO(queue.read_text("utf-8"))))
    with queue.open("w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, review.COLUMNS)
        table.writeheader()
        table.writerows({**row, "decision": "reject"} for row in rows)
    capsys.readouterr()
    read = ["review", str(folder / "out"), "--apply", str(queue), "--limit", "1", "--json"]
    assert main([*read, "--overrides", str(decisions)]) == 0
    said = json.loads(capsys.readouterr().out)["data"]
    assert said == {"written": 2, "overrides": str(decisions)}
    assert {rule.verb for rule in overrides.load(decisions).rules} == {"reject_edge", "keep_apart"}


def _queue(folder: Path) -> Path:
    """A table in which every question of the graph is answered by ``reject``."""
    questions = review.queue(store.StoredGraph(folder / "out"))
    rows = "".join(f"{question.id},reject,né\n" for question in questions)
    path = folder / "queue.csv"
    path.write_text(f"id,decision,note\n{rows}", encoding="utf-8")
    return path


def test_questions_are_chosen_by_relation_and_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A relation brings those under it; an unknown one is an error."""
    edges = (
        Edge("model/bignet", "usesMethod", "method/glue", (WEAK,), 0.4, "candidate"),
        Edge("model/tinynet", "fineTunedFrom", "model/bignet", (WEAK,), 0.4, "candidate"),
    )
    things = (entity("Glue", "method"), Entity("model/bignet-d2", "Model", "BigNet"))
    store.write(graph(*edges, entities=things), tmp_path)

    def asked(*options: str) -> list[str]:
        assert main(["review", str(tmp_path), "--json", *options]) == 0
        return [row["relation"] for row in json.loads(capsys.readouterr().out)["data"]]

    assert asked() == ["fineTunedFrom", "usesMethod", ""]
    assert asked("--relation", "derivedFrom") == ["fineTunedFrom"]
    assert asked("--relation", "derivedFrom,usesMethod", "--kind", "edge", "--limit", "1") == [
        "fineTunedFrom"
    ]
    assert asked("--kind", "merge") == [""]
    assert main(["review", str(tmp_path), "--json", "--relation", "begat"]) == 2


def test_a_table_with_the_mark_of_a_spreadsheet_is_read(folder: Path) -> None:
    queue, decisions = _queue(folder), folder / "overrides.yaml"
    queue.write_text(queue.read_text("utf-8"), encoding="utf-8-sig")
    read = ["review", str(folder / "out"), "--apply", str(queue), "--overrides", str(decisions)]
    assert main(read) == 0
    assert [rule.reason for rule in overrides.load(decisions).rules] == ["né", "né"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "id,decision\nx,né\n".encode("latin-1"),
            "'utf-8' codec can't decode byte 0xe9 in position 15: invalid continuation byte",
        ),
        (b"id,decision\nx," + b"y" * 200_000, "field larger than field limit (131072)"),
    ],
)
def test_a_table_that_is_none_is_told(
    folder: Path, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    csv.field_size_limit(131_072)  # readers raise it for the whole process
    queue = folder / "queue.csv"
    queue.write_bytes(content)
    assert main(["review", str(folder / "out"), "--apply", str(queue)]) == 1
    assert capsys.readouterr().err == (
        f"kg: {queue}: is no table in UTF-8 ({says}); save it as CSV in UTF-8\n"
    )


def _until_a_key_is_read(terminal: int) -> None:
    """Wait until the other end reads single keys: what is typed before that is thrown away."""
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        time.sleep(0.01)


def test_one_key_answers_a_question_in_the_terminal(folder: Path) -> None:
    """Skip, go back, reject the first and merge the second: both decisions are kept."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "kg", "review", "out", "--author", "Ada"],
        cwd=folder,
        env={
            **{**os.environ, "COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"},
            "PYTHONPATH": str(Path(__file__).parent.parent),
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    guard = threading.Timer(120, running.kill)  # a key that is lost is waited for for ever
    guard.start()
    shown = b""
    for number, key in enumerate([b"s", b"b", b"x", b"r", b"m"]):
        # The key "x" answers nothing, so the question is not shown again after it.
        asked = number + 1 - (number > 2)
        while shown.count(b"uit and save") < asked and (part := os.read(ours, 4096)):
            shown += part
        _until_a_key_is_read(ours)
        os.write(ours, key)
        if key == b"x":
            time.sleep(0.5)  # nothing is shown that says when the next key is read
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed.
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert running.wait(60) == 0
    guard.cancel()
    text = shown.decode()
    assert "1 of 2: too weak to be accepted, 0.40" in text
    assert "TinyNet is based on BigNet." in text
    assert "2 decisions written to overrides.yaml" in text
    found = overrides.load(folder / "overrides.yaml").rules
    assert {(rule.verb, rule.author) for rule in found} == {
        *(("reject_edge", "Ada"), ("merge", "Ada")),
    }
