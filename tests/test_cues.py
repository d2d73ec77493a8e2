"""Each cue finds what its examples say, and nothing where they say nothing."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from kg.linker import cues, view
from tests.marked import marked

CARD_CUES = cues.load().card_cues
CUES = (*cues.load().cues, *CARD_CUES)


def pairs(cue: cues.Cue, sentence: str) -> set[tuple[str, str]]:
    document, entities, _ = marked(sentence, "model-card" if cue in CARD_CUES else "text")
    found = cues.find(view.read(document, entities))
    return {
        (entities[hit.head].canonical, entities[hit.tail].canonical)
        for hit in found
        if hit.cue.id == cue.id and not hit.negated and not hit.hedged
    }


@pytest.mark.parametrize(
    ("cue", "sentence"),
    [pytest.param(cue, text, id=f"{cue.id}-{i}") for cue in CUES for i, text in enumerate(cue.yes)],
)
def test_cue_finds_exactly_the_marked_pairs(cue: cues.Cue, sentence: str) -> None:
    """Every marked head is related to every marked tail, and to nothing else."""
    roles = marked(sentence)[2]
    heads = [name for name, role in roles.items() if role == "head"]
    tails = [name for name, role in roles.items() if role == "tail"]
    assert pairs(cue, sentence) == {(head, tail) for head in heads for tail in tails}


@pytest.mark.parametrize(
    ("cue", "sentence"),
    [pytest.param(cue, text, id=f"{cue.id}-{i}") for cue in CUES for i, text in enumerate(cue.no)],
)
def test_cue_is_silent_where_nothing_is_stated(cue: cues.Cue, sentence: str) -> None:
    """A sentence that denies, hedges or compares gives no edge."""
    assert pairs(cue, sentence) == set()


def stated(source: str, kind: str = "text") -> set[tuple[str, str, str]]:
    """Return every edge that a trusted or untrusted cue states, denials and hedges left out."""
    document, entities, _ = marked(source, kind)
    return {
        (entities[hit.head].canonical, hit.cue.relation, entities[hit.tail].canonical)
        for hit in cues.find(view.read(document, entities))
        if not hit.negated and not hit.hedged
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "Without labels, [[Ant|Model]] is distilled from [[Bee|Model]].",
        "There is no need for labels: [[Ant|Model]] is distilled from [[Bee|Model]].",
        "No data is given but [[Ant|Model]] is distilled from [[Bee|Model]].",
        "[[Ant|Model]] is not only distilled from [[Bee|Model]].",
    ],
)
def test_what_is_denied_beside_a_statement_does_not_deny_it(sentence: str) -> None:
    assert ("Ant", "distilledFrom", "Bee") in stated(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "[[Ant|Model]] is not distilled from [[Bee|Model]].",
        "It is not true that [[Ant|Model]] is distilled from [[Bee|Model]].",
    ],
)
def test_what_is_denied_is_not_stated(sentence: str) -> None:
    assert stated(sentence) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "This card is based on the [[Bee|Model]] model card.",
        "[[Ant|Model!]] has the license of the fine-tuned [[Bee|Model]].",
        "## Fine-tuned [[Bee|Model]] in [[Ant|Model!]]",
        "**Fine-tuned [[Bee|Model]]**",
        "The [[Bee|Model]] architecture is used.",
        "Groups can harm by fine-tuning [[Bee|Model]].",
        "We trained [[Ant|Model!]] with [[Bee|Model]].",
    ],
)
def test_what_a_card_tells_aside_states_no_origin(sentence: str) -> None:
    source = f"[[Ant|Model!]] is a model.\n{sentence}"
    assert stated(source, "model-card") == set()


def test_our_model_on_a_card_is_the_cards_model() -> None:
    """Another name that stands between does not become "this model"."""
    source = (
        "[[Ant|Model!]] is here. [[Cat|Model!]] made it. "
        "Our model is fine-tuned from [[Bee|Model]]."
    )
    document, entities, _ = marked(source, "model-card")
    document = replace(document, repository="org/Ant")
    found = cues.find(view.read(document, entities))
    assert {entities[hit.head].canonical for hit in found} == {"Ant"}


@pytest.mark.parametrize(
    "words",
    [
        "This [[Cat|Model]] model",
        "This is a [[Cat|Model]] model that",
        "[[Ant|Model]] is an experimental [[Cat|Model]] model that",
        "It",
    ],
)
def test_what_a_card_calls_this_is_the_cards_model(words: str) -> None:
    source = f"[[Ant|Model!]] is new.\n{words} is fine-tuned from [[Bee|Model]]."
    heads = {head for head, relation, _ in stated(source, "model-card") if relation != "memberOf"}
    assert heads == {"Ant"}


@pytest.mark.parametrize(
    "sentence",
    [
        "[[Ant|Model!]] is not distilled from [[Bee|Model]].",
        "[[Ant|Model!]] isn't distilled from [[Bee|Model]].",
        "[[Ant|Model!]] was never distilled from [[Bee|Model]].",
    ],
)
def test_a_denial_in_the_words_of_a_cue_is_one(sentence: str) -> None:
    document, entities, _ = marked(sentence)
    denied = {
        (entities[hit.head].canonical, hit.cue.relation, entities[hit.tail].canonical)
        for hit in cues.denials(view.read(document, entities))
    }
    assert denied == {("Ant", "distilledFrom", "Bee")}


@pytest.mark.parametrize(
    "sentence",
    [
        "[[Ant|Model!]] is not large and is distilled from [[Bee|Model]].",
        "[[Ant|Model!]] is not only distilled from [[Bee|Model]].",
        "[[Ant|Model!]] is distilled from [[Bee|Model]].",
    ],
)
def test_a_not_elsewhere_denies_no_statement(sentence: str) -> None:
    document, entities, _ = marked(sentence)
    assert list(cues.denials(view.read(document, entities))) == []


def test_a_clause_of_a_whole_text_is_not_searched_from_each_of_its_denials() -> None:
    """Only what stands near a statement can deny it, so the rest need not be read."""
    source = "no thing " * 40_000 + "and [[Ant|Model]] is distilled from [[Bee|Model]]."
    start = time.process_time()
    assert stated(source) == set()
    assert time.process_time() - start < 2  # 0.2 s; 8 s where each denial was searched from


@pytest.mark.parametrize("words", ["[[Ant|Model!]]**", "**[[Ant|Model!]]", "**[[Ant|Model!]]**"])
def test_bold_marks_around_a_short_line_are_read(words: str) -> None:
    assert stated(f"[[Ant|Model!]] is new.\n{words}", "model-card") == set()
