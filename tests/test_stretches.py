"""What overlaps a stretch, and what a name holds, is found without asking all others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kg.ner.spelling import Parts
from kg.ner.stretches import Stretches

PLACES = st.tuples(st.integers(0, 30), st.integers(1, 8)).map(lambda at: (at[0], at[0] + at[1]))


@given(st.lists(PLACES), PLACES)
def test_those_that_overlap_are_those_that_share_a_character(
    places: list[tuple[int, int]], here: tuple[int, int]
) -> None:
    start, end = here
    overlapping = [place for place in sorted(places) if place[0] < end and start < place[1]]
    assert Stretches.of(places).over(start, end) == overlapping


@given(st.lists(st.text("ab", max_size=40), max_size=20), st.text("ab", max_size=80))
def test_few_and_many_parts_are_found_alike(parts: list[str], name: str) -> None:
    """More parts than are asked one by one are looked up, with the same outcome."""
    others = [f"{number}" for number in range(1000, 1200)]
    held = {part for part in parts if part and part in name}
    assert Parts.of(parts).inside(name) == Parts.of([*parts, *others]).inside(name) == held
