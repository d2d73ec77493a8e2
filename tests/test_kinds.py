"""What a paper's own name stands for: read from all that the paper says of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.ner import kinds
from kg.values import LABELS, Span

UNDECIDED = dict.fromkeys(LABELS, 1 / len(LABELS))


def spans(text: str, name: str) -> list[Span]:
    """Where a name stands in a text."""
    places = [at for at in range(len(text)) if text.startswith(name, at)]
    return [Span(at, at + len(name)) for at in places]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (
            "Anthill: A Benchmark for Planning\nWe introduce Anthill, a new benchmark that tests "
            "planning. We evaluate 12 models on Anthill.",
            "Benchmark",
        ),
        (
            "Anthill: Open Weights for All\nWe present Anthill, a large language model with 7B "
            "parameters. We release the weights of Anthill. Our model beats others.",
            "Model",
        ),
        (
            "Anthill: Faster Decoding\nWe propose Anthill, a training-free algorithm that speeds "
            "up decoding. Our method needs no data.",
            "Method",
        ),
        (
            "Anthill: Dialogues at Scale\nWe collect Anthill, a large-scale dataset of annotated "
            "dialogues. Our dataset covers ten topics.",
            "Dataset",
        ),
    ],
)
def test_what_a_paper_says_of_its_own_name_tells_its_kind(text: str, label: str) -> None:
    """With a tagger that cannot decide, and another label so far, the text decides."""
    so_far = "Model" if label == "Method" else "Method"
    found = kinds.features(text, spans(text, "Anthill"), so_far, UNDECIDED)
    assert kinds.best(found) == label


def test_signs_of_a_kind_are_read_around_the_name_and_in_the_whole_text() -> None:
    """Apposition, neighbours, the noun after "our", parts of the name."""
    text = "A title\nWe propose AntNet-7B, a fast network for ants. Our model is best."
    found = kinds.features(text, spans(text, "AntNet-7B"), "Method", UNDECIDED)
    assert {name for name, value in found.items() if value == 1.0 and " " in name} >= {
        "is Method",
        "last part 7b",
        "next ,",
        "next two , a",
        "previous propose",
        "previous two we propose",
        "said fast",
        "said at last network",
        "noun after network",
        "first noun after network",
        "ours model",
    }
    assert (found["sized"], found["in title"], found["mentions"]) == (1.0, 0.0, 1 / 6)


@given(st.lists(st.lists(st.floats(-9, 0), min_size=len(LABELS), max_size=len(LABELS)), max_size=4))
def test_shares_of_belief_add_up_to_one(scores: list[list[float]]) -> None:
    """Whatever the tagger says of the mentions, also nothing; order of mentions is no matter."""
    shares = kinds.shares(scores)
    assert list(shares) == list(LABELS)
    assert math.isclose(sum(shares.values()), 1.0)
    assert all(
        math.isclose(one, other)
        for one, other in zip(shares.values(), kinds.shares(scores[::-1]).values(), strict=True)
    )
