"""The linker states what a text states, shows the sentence, and takes no rival for a parent."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import linker, schema
from kg.errors import UsageError
from kg.linker import learned, view
from kg.values import Document, LocalEntity, Mention, Reading, Span
from tests.marked import marked


def stated(source: str) -> set[tuple[str, str, str]]:
    """Return the accepted edges of a marked text."""
    document, entities, _ = marked(source, kind="paper")
    edges, results = linker.link(document, entities)
    reading = linker.accepted(Reading(document, tuple(entities), edges, results))
    return {(edge.head, edge.relation, edge.tail) for edge in reading.edges}


def lineage(source: str) -> set[tuple[str, str, str]]:
    """Return the accepted lineage of a marked text."""
    relations = schema.relations()
    return {edge for edge in stated(source) if relations[edge[1]].lineage}


def test_our_model_is_the_one_that_the_text_introduces() -> None:
    """What "our model" was distilled from is a parent of the introduced model."""
    text = (
        "We introduce [[Ant-1B|Model!]], a small reader. "
        "Our model is distilled from [[Bee-70B|Model]]."
    )
    assert ("Ant-1B", "distilledFrom", "Bee-70B") in lineage(text)


def test_a_list_of_parents_gives_an_edge_each() -> None:
    """Each member of a list is related by itself."""
    text = "[[Ant-AB|Model!]] is a merge of [[Ant-A|Model]], [[Ant-B|Model]] and [[Ant-C|Model]]."
    assert {("Ant-AB", "mergedFrom", f"Ant-{letter}") for letter in "ABC"} <= lineage(text)


def test_of_too_many_names_the_foremost_are_related(caplog: pytest.LogCaptureFixture) -> None:
    """What is introduced, then what is named most, then what is named first; the log says so."""
    others = ", ".join(f"[[Wasp{n}|Model]]" for n in range(160))
    text = (
        f"{others} are wasps. [[Bee-70B|Model]] hums. We introduce [[Ant-1B|Model!]]. "
        "Ant is distilled from [[Bee-70B|Model]]."
    )
    with caplog.at_level("INFO", logger="kg.linker"):
        found = stated(text.replace("Ant is", "[[Ant-1B|Model!]] is"))
    assert ("Ant-1B", "distilledFrom", "Bee-70B") in found
    assert not {f"Wasp{n}" for n in range(148, 160)} & {end for edge in found for end in edge[::2]}
    assert "names 162 things; only the foremost 150 are related" in caplog.text


def test_sizes_pair_two_lists() -> None:
    """Of two lists of the same sizes, each member belongs to the one of its size."""
    text = (
        "[[Ant-7B-W4|Model!]] and [[Ant-70B-W4|Model!]] were quantized to four bits "
        "from [[Ant-7B|Model]] and [[Ant-70B|Model]]."
    )
    assert lineage(text) == {
        ("Ant-7B-W4", "quantizedFrom", "Ant-7B"),
        ("Ant-70B-W4", "quantizedFrom", "Ant-70B"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "[[Ant-7B|Model!]] outperforms [[Bee-7B|Model]] on every test.",
        "[[Ant-7B|Model!]] is on par with [[Bee-7B|Model]], which was fine-tuned at great cost.",
        "[[Ant-7B|Model!]], trained from scratch, surpasses the distilled [[Bee-7B|Model]].",
        "[[Ant-7B|Model!]] is not fine-tuned from [[Bee-7B|Model]].",
        "[[Ant-7B|Model!]] might one day be distilled from [[Bee-7B|Model]].",
        "Unlike models distilled from [[Bee-7B|Model]], [[Ant-7B|Model!]] is honest.",
    ],
)
def test_what_is_compared_denied_or_hedged_is_no_parent(text: str) -> None:
    """Comparison, negation and hedging yield no lineage."""
    assert lineage(text) == set()


@pytest.mark.parametrize(
    "words",
    [
        "six dense models distilled from [[Ant-R1|Model!]] based on",
        "six dense models, all distilled from the [[Ant-R1|Model!]] and built upon",
        "students fine-tuned from [[Ant-R1|Model!]] and initialized with",
    ],
)
def test_a_source_is_no_child_of_what_its_own_children_are_based_on(words: str) -> None:
    """In "distilled from A based on B" it is the students that are based on B, never A."""
    text = f"We introduce [[Ant-R1|Model!]]. We release {words} [[Bee|Model]] and [[Cat|Model]]."
    document, entities, _ = marked(text, kind="paper")
    edges, _ = linker.link(document, entities)
    relations = schema.relations()
    assert [edge for edge in edges if relations[edge.relation].lineage] == []


def test_denied_lineage_is_kept_as_negated_evidence() -> None:
    """A denial is remembered, and never accepted."""
    document, entities, _ = marked(
        "It is not true that [[Ant-7B|Model!]] is distilled from [[Bee-7B|Model]]."
    )
    edges, _ = linker.link(document, entities)
    denied = [edge for edge in edges if edge.relation == "distilledFrom"]
    assert [(edge.head, edge.tail, edge.evidence[0].negated) for edge in denied] == [
        ("Ant-7B", "Bee-7B", True)
    ]


def test_evidence_quotes_the_text_and_marks_both_names() -> None:
    """Sentence and names stand where the evidence says."""
    document, entities, _ = marked(
        "A title of words.\n[[Ant-1B|Model]] is distilled from [[Bee-70B|Model]]. More follows."
    )
    edges, _ = linker.link(document, entities)
    (edge,) = [edge for edge in edges if edge.relation == "distilledFrom"]
    (shown,) = edge.evidence
    assert shown.sentence == shown.span.of(document.text)
    assert shown.sentence == "Ant-1B is distilled from Bee-70B."
    assert (shown.subject, shown.object) == (
        entities[0].mentions[0].span,
        entities[1].mentions[0].span,
    )
    assert (shown.extractor, shown.rule) == ("cues", "distilled-from")


def test_scores_name_their_model_and_benchmark() -> None:
    """A score belongs to the model and the benchmark beside it."""
    document, entities, _ = marked(
        "We present [[Ant-7B|Model!]]. "
        "[[Ant-7B|Model!]] achieves 74.2% [[accuracy|Metric]] on [[MMLU|Benchmark]]."
    )
    _, results = linker.link(document, entities)
    assert [(row.subject, row.on, row.metric, row.value) for row in results] == [
        ("Ant-7B", "MMLU", "accuracy", "74.2%")
    ]


def test_a_damaged_file_of_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights whose hash is not the manifest's are never run."""
    learned.manifest()
    (tmp_path / "relations.onnx.gz").write_bytes(b"damaged")
    monkeypatch.setattr(learned, "WEIGHTS", tmp_path)
    with pytest.raises(UsageError, match="damaged"):
        learned.session("relations.onnx.gz")


def test_the_manifest_names_its_weights() -> None:
    """Every file of weights has the hash that the manifest says."""
    files = learned.manifest()["files"]
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in learned.WEIGHTS.glob("*.gz")
    }
    assert found == files


_NAMES = ("Ant-7B", "Bee-70B", "MMLU", "distillation", "reading", "accuracy")
_LABELS = ("Model", "Model", "Benchmark", "Method", "Task", "Metric")
_PIECES = st.one_of(
    st.sampled_from(range(len(_NAMES))),
    st.sampled_from(
        [" is distilled from ", ", ", " and ", ". ", " on ", " 74.2% ", " (", ") ", "\n", " we "]
    ),
)


@given(st.lists(_PIECES, max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_admitted_edges_with_their_sentence(
    pieces: list[int | str],
) -> None:
    """Edges stand between admitted labels, quote the text, and are the same in every run."""
    text = ""
    spans: dict[int, list[Mention]] = {}
    for piece in pieces:
        if isinstance(piece, int):
            text += " "
            span = Span(len(text), len(text) + len(_NAMES[piece]))
            spans.setdefault(piece, []).append(Mention(span, _LABELS[piece], 1.0, "gold"))
            text += _NAMES[piece]
        else:
            text += piece
    entities = [
        LocalEntity(_NAMES[i], _LABELS[i], i == 0, tuple(found)) for i, found in spans.items()
    ]
    document = Document("doc", "text", "", text)
    edges, _ = linker.link(document, entities)
    labels = {entity.canonical: entity.label for entity in entities}
    for edge in edges:
        assert schema.relations()[edge.relation].admits(labels[edge.head], labels[edge.tail])
        for shown in edge.evidence:
            assert shown.sentence == shown.span.of(text)
            assert 0 <= shown.confidence <= 1
    again, _ = linker.link(document, entities)
    assert edges == again


def test_an_entity_without_a_mention_in_a_sentence_does_not_stop_the_linker() -> None:
    title = "TinyNet"
    document = Document("d", "model-card", title, f"{title}\nTinyNet is distilled from BERT.")
    mention = Mention(Span(0, 7), "Model", 0.9, "learned")
    other = Mention(Span(34, 38), "Model", 0.9, "learned")
    entities = [
        LocalEntity("TinyNet", "Model", True, (mention,)),
        LocalEntity("BERT", "Model", False, (other,)),
        LocalEntity("GLUE", "Benchmark", False, ()),
    ]
    edges, _ = linker.link(document, entities)
    assert ("TinyNet", "distilledFrom", "BERT") in {(e.head, e.relation, e.tail) for e in edges}


def test_a_winner_is_not_tested_on_itself() -> None:
    """A benchmark that another was tested on and lost to is no edge from it to itself."""
    seen = view.read(
        *marked("[[Ant|Method]] is tested on [[Bee|Dataset]], and [[Bee|Dataset]] is better.")[:2]
    )
    chances = {(1, "outperforms", 0): 0.9, (0, "evaluatedOn", 1): 0.9}
    linker._share_benchmarks(seen, chances, dict.fromkeys(schema.relations(), 0.5))
    assert chances == {(1, "outperforms", 0): 0.9, (0, "evaluatedOn", 1): 0.9}


def test_a_sentence_decides_which_of_two_comes_from_the_other() -> None:
    """However sure the trees are that it is the other way round."""
    document, entities, _ = marked("[[Ant-Chat|Model]] is fine-tuned from [[Ant|Model!]].")
    seen = view.read(document, entities)
    hits = tuple(linker.cues.find(seen))
    pairs = linker.features.pairs(seen, hits)
    opinions = np.array(
        [[0.99 if pair == (1, 0) else 0.0] for pair in zip(pairs.heads, pairs.tails, strict=True)]
    )
    said = {
        "thresholds": dict.fromkeys(schema.relations(), 0.5),
        "cues": dict.fromkeys((cue.id for cue in linker.cues.load().cues), 0.6),
        "relations": ("fineTunedFrom",),
    }
    found = linker.decide(seen, hits, pairs, opinions, said)
    assert list(found) == [(0, "fineTunedFrom", 1)]


@pytest.mark.parametrize(("told", "left"), [(0.9, False), (0.2, True)])
def test_the_data_that_made_a_child_is_the_childs(told: float, left: bool) -> None:
    """Of "we tune Bee on Cats to make Ant" the data is Bee's only where Ant is no sure child."""
    document, entities, _ = marked("[[Ant|Model!]] [[Bee|Model]] [[Cats|Dataset]]")
    seen = view.read(document, entities)
    pairs = linker.features.pairs(seen, ())
    names = ("fineTunedFrom", "trainedOn")
    chances = {(0, 1): (told, 0.0), (0, 2): (0.0, 0.9), (1, 2): (0.0, 0.9)}
    opinions = np.array(
        [chances.get(pair, (0.0, 0.0)) for pair in zip(pairs.heads, pairs.tails, strict=True)]
    )
    said = {"thresholds": dict.fromkeys(schema.relations(), 0.5), "cues": {}, "relations": names}
    found = linker.decide(seen, (), pairs, opinions, said)
    assert ((1, "trainedOn", 2) in found) is left
    assert (0, "trainedOn", 2) in found


@pytest.mark.parametrize(("second", "unsure"), [("", True), (" We train Cat on Bee.", False)])
def test_training_that_no_sentence_shows_is_unsure_beside_another_own_model(
    second: str, unsure: bool
) -> None:
    """Of two models that a paper presents, a sentence must show which one the data trained."""
    text = f"Ant\nWe present Ant. We collect Bee. Cat is better.{second}"
    entities = [
        LocalEntity(name, label, own, _mentions(text, name, label))
        for name, label, own in (
            ("Ant", "Model", True),
            ("Bee", "Dataset", True),
            ("Cat", "Model", True),
        )
    ]
    seen = view.read(Document("d", "paper", "Ant", text), entities)
    pairs = linker.features.pairs(seen, tuple(linker.cues.find(seen)))
    row = next(
        i for i, pair in enumerate(zip(pairs.heads, pairs.tails, strict=True)) if pair == (2, 1)
    )
    assert linker._ambiguous(seen, pairs, row, "trainedOn") is unsure
    assert not linker._ambiguous(seen, pairs, row, "usesMethod")


def _mentions(text: str, name: str, label: str) -> tuple[Mention, ...]:
    places = [at for at in range(len(text)) if text.startswith(name, at)]
    return tuple(Mention(Span(at, at + len(name)), label, 1.0, "gold") for at in places)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (
            "We fine-tune [[Bee|Model]] to get [[Ant-2B|Model!]] and [[Ant-4B|Model!]].",
            {("Ant-4B", "Bee")},
        ),
        (
            "[[Ant-2B|Model!]] and [[Ant-4B|Model!]] come from [[Bee-2B|Model]] and "
            "[[Bee-4B|Model]].",
            {("Ant-4B", "Bee-4B")},
        ),
        ("We fine-tune [[Bee|Model]] to get [[Ant-2B|Model!]] and [[Cat-4B|Model!]].", set()),
        ("We fine-tune [[Bee|Model]] to get [[Ant-2B|Model!]]. [[Ant-4B|Model!]] is new.", set()),
    ],
)
def test_sizes_that_are_listed_together_share_their_origin(
    text: str, more: set[tuple[str, str]]
) -> None:
    """Of one size it is known; the others of its list follow, each from its own size."""
    document, entities, _ = marked(text)
    seen = view.read(document, entities)
    at = {entity.canonical: place for place, entity in enumerate(entities)}
    origin = "Bee" if "Bee" in at else "Bee-2B"
    known = (at["Ant-2B"], "fineTunedFrom", at[origin])
    chances = {known: 0.9}
    linker._share_sizes(seen, chances, dict.fromkeys(schema.relations(), 0.5))
    assert chances == {known: 0.9} | {
        (at[head], "fineTunedFrom", at[tail]): 0.9 for head, tail in more
    }


def test_members_of_a_family_come_from_the_members_of_its_origin() -> None:
    """ "Ant, a family initialized from Bee (2B, 4B)": size by size, where both are named."""
    document, entities, _ = marked(
        "[[Ant|Model!]] is a family from [[Bee|Model]] ([[Bee-2B|Model]], [[Bee-4B|Model]]). "
        "[[Ant-2B|Model!]] is small."
    )
    seen = view.read(document, entities)
    at = {entity.canonical: place for place, entity in enumerate(entities)}
    known = (at["Ant"], "fineTunedFrom", at["Bee"])
    chances = {known: 0.9}
    linker._share_sizes(seen, chances, dict.fromkeys(schema.relations(), 0.5))
    assert chances == {known: 0.9, (at["Ant-2B"], "fineTunedFrom", at["Bee-2B"]): 0.9}


def test_the_sentence_that_implies_the_own_model_shows_an_edge() -> None:
    """Where no sentence names both, "our model" beside the other name is the evidence."""
    document, entities, _ = marked(
        "We present [[Ant|Model!]]. [[Bee|Dataset!]] is large. Our model is trained on "
        "[[Bee|Dataset!]]. [[Bee|Dataset!]] is free.",
        kind="paper",
    )
    seen = view.read(document, entities)
    shown = linker.evidence.of_pair(seen, (0, "trainedOn", 1), ((0, 2), (1, 0)), 0.9)
    assert shown.sentence == "Our model is trained on Bee."
    assert (shown.subject, shown.object) == (
        None,
        Span(document.text.index("Bee. Bee"), document.text.index("Bee. Bee") + 3),
    )


def test_a_method_that_is_a_process_still_says_where_a_model_comes_from() -> None:
    """ "Continual pre-training on Bee" names a method, and the origin of what is presented."""
    document, entities, _ = marked(
        "We present [[Ant|Model!]], obtained by [[continual pre-training|Method]] from "
        "[[Bee|Model]]."
    )
    seen = view.read(document, entities)
    hits = {
        (hit.cue.relation, entities[hit.head].canonical, entities[hit.tail].canonical)
        for hit in linker.cues.find(seen)
    }
    assert ("fineTunedFrom", "Ant", "Bee") in hits


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_two_things_together_are_no_likelier_than_either(one: float, other: float) -> None:
    """The log odds of both lie under each, and do not depend on the order."""
    both = float(learned.both(np.array([one]), np.array([other]))[0])
    assert both <= min(one, other) + 1e-6
    assert both == pytest.approx(float(learned.both(np.array([other]), np.array([one]))[0]))
    chance = 1 / ((1 + math.exp(-one)) * (1 + math.exp(-other)))
    assert 1 / (1 + math.exp(-both)) == pytest.approx(chance, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "family"),
    [("Ant-VL-7B", "Ant-VL"), ("Ant-7B", "Ant-7B-long"), ("Ant-2-7b-chat", "Ant-2-chat")],
)
def test_a_cards_model_is_not_tuned_from_its_own_family(name: str, family: str) -> None:
    """ "This Ant is a tuned model" names what it is, not what it comes from."""
    source = f"[[{name}|Model!]] is new.\nIt is a fine-tuned [[{family}|Model]]."

    def origins(text: str) -> set[tuple[str, str, str]]:
        edges, _ = linker.link(*marked(text, "model-card")[:2])
        return {
            (edge.head, edge.relation, edge.tail)
            for edge in edges
            if schema.relations()[edge.relation].lineage
            and edge.evidence[0].confidence >= linker.threshold(edge.relation)
        }

    assert origins(source) == set()
    assert origins(source.replace(f"[[{family}|Model]]", "[[Bee-70B|Model]]")) == {
        (name, "fineTunedFrom", "Bee-70B")
    }
