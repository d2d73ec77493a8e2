"""Stretches of a text, to be asked which of them overlap another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches in order; they may overlap one another."""

    places: list[tuple[int, int]]
    #: How far the stretches up to each one reach.
    reach: list[int]

    @classmethod
    def of(cls, places: Iterable[tuple[int, int]]) -> Stretches:
        """Return the stretches in order."""
        ordered = sorted(places)
        return cls(ordered, list(accumulate((end for _, end in ordered), max)))

    def over(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return those that share a character with ``text[start:end]``, in order.

        >>> Stretches.of([(5, 9), (0, 4), (3, 6)]).over(4, 6)
        [(3, 6), (5, 9)]
        """
        first, last = bisect_right(self.reach, start), bisect_left(self.places, (end,))
        return [place for place in self.places[first:last] if place[1] > start]
