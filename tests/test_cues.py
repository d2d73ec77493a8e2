"""Each cue finds what its examples say, and nothing where they say nothing."""

from __future__ import annotations

import pytest

from kg.linker import cues, view
from tests.marked import marked

CUES = cues.load().cues


def pairs(cue: cues.Cue, sentence: str) -> set[tuple[str, str]]:
    document, entities, _ = marked(sentence)
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
