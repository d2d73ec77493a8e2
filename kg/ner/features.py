"""What the tagger knows of a word besides its letters: gazetteers, frequency, its place.

A gazetteer gives each known phrase a row of numbers between 0 and 1. The longest phrase that
matches wins; all of its words get its row, and whether they begin it or go on with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kg.ner.words import SHAPE_NUMBER, Word, shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HYPHENS = frozenset("-_‐‑–")
#: numbers that every word gets apart from the gazetteers' rows
PLAIN = (
    "blank before", "blank after", "title", "title words", "frequency", "capitalised elsewhere",
    "known word", "count", "count of capitalised", "leads the title", "led by the title",
    "in brackets", "document start", "sentence start", "ends in s",
)  # fmt: skip
SENTENCE_ENDS = frozenset(".!?")
#: shapes of ordinary words
_PLAIN_SHAPES = frozenset({SHAPE_NUMBER["lower"], SHAPE_NUMBER["number"]})
#: log frequency and share of a word that was never seen
_NEVER = (0.0, 0.0)
_MOST = 20  # occurrences that are counted
_LOG = [math.log(max(count, 1)) / 3 for count in range(_MOST + 1)]
_LOG_AND_ONE = [math.log1p(count) / 3 for count in range(_MOST + 1)]


def singular(word: str) -> str:
    """The word without a plural s."""
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in "su" else word


def normal(words: Sequence[str]) -> str:
    """How a phrase is looked up: lower case, no hyphens, its last word singular."""
    kept = [word.lower() for word in words if word not in HYPHENS]
    return " ".join([*kept[:-1], singular(kept[-1])]) if kept else ""


@dataclass(slots=True)
class Gazetteer:
    """Phrases with a row of numbers each; ``width`` numbers, all between 0 and 1."""

    rows: Mapping[str, tuple[float, ...]]
    width: int
    #: The first two words of the phrases of three words and more -> their lengths, longest first.
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    #: The first words of the phrases of two words and more.
    firsts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        found: dict[str, set[int]] = {}
        for phrase in self.rows:
            parts = phrase.split(" ")
            if len(parts) > 1:
                self.firsts.add(parts[0])
            if len(parts) > 2:
                found.setdefault(f"{parts[0]} {parts[1]}", set()).add(len(parts))
        self.lengths.update(
            (opening, tuple(sorted(sizes, reverse=True))) for opening, sizes in found.items()
        )

    def matches(self, words: Sequence[str]) -> list[tuple[int, int, tuple[float, ...]]]:
        """The longest matches from left to right: first word, one past the last word, row."""
        kept = [i for i, word in enumerate(words) if word not in HYPHENS]
        lower = [words[i].lower() for i in kept]
        single = [singular(word) for word in lower]
        found = []
        i, count = 0, len(kept)
        rows, firsts = self.rows, self.firsts
        while i < count:
            if lower[i] in firsts:
                size, row = self._longest(lower, single, i)
            else:
                size, row = 1, rows.get(single[i])
            if row is not None:
                found.append((kept[i], kept[i + size - 1] + 1, row))
            i += size
        return found

    def _longest(
        self, lower: Sequence[str], single: Sequence[str], i: int
    ) -> tuple[int, tuple[float, ...] | None]:
        """The length of the longest phrase that begins with word i, and its row; else 1, None."""
        if i + 1 < len(lower):
            for size in self.lengths.get(f"{lower[i]} {lower[i + 1]}", ()):
                if i + size <= len(lower):
                    last = i + size - 1
                    row = self.rows.get(" ".join([*lower[i:last], single[last]]))
                    if row is not None:
                        return size, row
            row = self.rows.get(f"{lower[i]} {single[i + 1]}")
            if row is not None:
                return 2, row
        return 1, self.rows.get(single[i])


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The gazetteers, and word -> (log frequency, share capitalised)."""

    gazetteers: tuple[Gazetteer, ...]
    words: Mapping[str, tuple[float, float]]

    @property
    def width(self) -> int:
        """How many numbers :func:`features` gives a word."""
        return len(PLAIN) + sum(gazetteer.width + 2 for gazetteer in self.gazetteers)


def features(text: str, words: Sequence[Word], knowledge: Knowledge) -> tuple[list[int], Floats]:
    """The shape number and the row of numbers of each word of one document.

    A document's first line is its title, as everywhere in kg.
    """
    import numpy as np

    count = len(words)
    surfaces = [word.text for word in words]
    lower = [surface.lower() for surface in surfaces]
    shapes = [shape(surface) for surface in surfaces]
    title_end = max(text.find("\n"), 0)
    in_title = sum(word.end <= title_end for word in words)
    colon = next((i for i in range(min(in_title, 8)) if surfaces[i] == ":"), 0)
    lead = set(lower[:colon])
    titled = sum(surface[0].isupper() for surface in surfaces[:in_title]) > 0.6 * max(in_title, 1)
    ends_sentence = [surface in SENTENCE_ENDS for surface in surfaces]
    counts = Counter(lower)
    capitals = Counter(
        lower[i]
        for i in range(max(in_title, 1), count)
        if shapes[i] not in _PLAIN_SHAPES and surfaces[i][0].isalnum() and not ends_sentence[i - 1]
    )
    seen = [knowledge.words.get(word, _NEVER) for word in lower]
    blank = np.array(
        [words[i].end < words[i + 1].start for i in range(count - 1)], dtype=np.float32
    )

    table = np.zeros((count, knowledge.width), dtype=np.float32)
    plain = table.T
    plain[0, 1:] = plain[1, :-1] = blank
    plain[2, :in_title] = 1
    plain[3, :in_title] = titled
    plain[4:6] = np.array(seen, dtype=np.float32).T
    plain[6] = [known is not _NEVER for known in seen]
    plain[7] = [_LOG[min(counts[word], _MOST)] for word in lower]
    plain[8] = [_LOG_AND_ONE[min(capitals[word], _MOST)] for word in lower]
    plain[9, :colon] = 1
    plain[10] = [word in lead for word in lower]
    plain[11] = _in_brackets(surfaces)
    plain[12, 0] = 1
    plain[13, 1:] = ends_sentence[:-1]
    plain[13, in_title : in_title + 1] = 1
    plain[14] = [len(surface) > 2 and surface[-1] == "s" for surface in surfaces]
    column = len(PLAIN)
    for gazetteer in knowledge.gazetteers:
        matches = gazetteer.matches(surfaces)
        if matches:
            held = [i for first, end, _ in matches for i in range(first, end)]
            rows = [row for first, end, row in matches for _ in range(first, end)]
            first = [match[0] for match in matches]
            table[held, column + 1] = 1
            table[first, column + 1] = 0
            table[first, column] = 1
            table[held, column + 2 : column + 2 + gazetteer.width] = rows
        column += gazetteer.width + 2
    return shapes, table


def _in_brackets(surfaces: Sequence[str]) -> list[bool]:
    """By word, whether it stands in a bracket, the bracket's own signs included."""
    inside = []
    depth = 0
    for surface in surfaces:
        depth += surface == "("
        inside.append(depth > 0)
        depth -= surface == ")" and depth > 0
    return inside
