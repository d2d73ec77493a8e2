"""Weighing the opinions on a stretch: the trees, and that candidates do not disturb each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kg.ner import deciding
from kg.ner.choosing import Candidate

FEATURES = st.dictionaries(
    st.sampled_from(deciding.fitted()["mentions"]["columns"]), st.floats(-9, 9), max_size=8
)


@given(st.lists(FEATURES, min_size=1, max_size=6))
def test_a_candidate_is_rated_the_same_alone_and_among_others(
    features: list[dict[str, float]],
) -> None:
    """The probability rests on the candidate's own features, and lies between 0 and 1."""
    judgements = [
        (Candidate(i, i + 1, "Model", 0.0, "shape"), found) for i, found in enumerate(features)
    ]
    together = deciding.rated(judgements)
    assert [c for one in judgements for c in deciding.rated([one])] == together
    assert all(0 < c.confidence < 1 for c in together)


def test_what_the_trees_do_not_know_is_left_out_of_the_table() -> None:
    """A feature without a column changes nothing; an absent one is 0."""
    table = deciding.table([{"a": 2.0, "unknown": 5.0}, {"b": 3.0}], ["a", "b"])
    assert table.tolist() == [[2.0, 0.0], [0.0, 3.0]]


def test_nothing_to_rate_is_nothing() -> None:
    """A text without candidates is no reason to run the trees."""
    assert deciding.rated([]) == []
