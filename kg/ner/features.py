"""What the tagger knows of a word besides its letters: gazetteers, frequency, its place.

A gazetteer gives each known phrase a row of numbers between 0 and 1. The longest phrase that
matches wins; all of its words get its row, and whether they begin it or go on with it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kg.ner.words import SHAPE_NUMBER, Word, shape

HYPHENS = frozenset("-_‐‑–")
#: numbers that every word gets apart from the gazetteers' rows
PLAIN = (
    "blank before", "blank after", "title", "title words", "frequency", "capitalised elsewhere",
    "known word", "count", "count of capitalised", "leads the title", "led by the title",
    "in brackets", "document start", "sentence start", "ends in s",
)  # fmt: skip
SENTENCE_ENDS = frozenset(".!?")


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
    lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found: dict[str, set[int]] = {}
        for phrase in self.rows:
            parts = phrase.split(" ")
            found.setdefault(parts[0], set()).add(len(parts))
        self.lengths.update(
            (first, tuple(sorted(sizes, reverse=True))) for first, sizes in found.items()
        )

    def matches(self, words: Sequence[str]) -> list[tuple[int, int, tuple[float, ...]]]:
        """The longest matches from left to right: first word, one past the last word, row."""
        kept = [i for i, word in enumerate(words) if word not in HYPHENS]
        lower = [words[i].lower() for i in kept]
        single = [singular(word) for word in lower]
        found = []
        i = 0
        while i < len(kept):
            step = 1
            sizes = self.lengths.get(lower[i], ())
            if single[i] != lower[i] and 1 in self.lengths.get(single[i], ()):
                sizes = (*sizes, 1)
            for size in sizes:
                if i + size > len(kept):
                    continue
                row = self.rows.get(" ".join([*lower[i : i + size - 1], single[i + size - 1]]))
                if row is not None:
                    found.append((kept[i], kept[i + size - 1] + 1, row))
                    step = size
                    break
            i += step
        return found


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The gazetteers, and word -> (log frequency, share capitalised)."""

    gazetteers: tuple[Gazetteer, ...]
    words: Mapping[str, tuple[float, float]]

    @property
    def width(self) -> int:
        """How many numbers :func:`features` gives a word."""
        return len(PLAIN) + sum(gazetteer.width + 2 for gazetteer in self.gazetteers)


def features(
    text: str, words: Sequence[Word], knowledge: Knowledge
) -> tuple[list[int], list[list[float]]]:
    """The shape number and the row of numbers of each word of one document.

    A document's first line is its title, as everywhere in kg.
    """
    surfaces = [word.text for word in words]
    lower = [surface.lower() for surface in surfaces]
    shapes = [shape(surface) for surface in surfaces]
    line = text.find("\n")
    title_end = line if line >= 0 else 0
    in_title = sum(word.end <= title_end for word in words)
    colon = next((i for i in range(min(in_title, 8)) if surfaces[i] == ":"), 0)
    lead = set(lower[:colon])
    plain_shapes = {SHAPE_NUMBER["lower"], SHAPE_NUMBER["number"]}
    named = [
        (
            shapes[i] not in plain_shapes
            and surfaces[i][0].isalnum()
            and i >= in_title
            and i > 0
            and surfaces[i - 1] not in SENTENCE_ENDS
        )
        for i in range(len(words))
    ]
    counts = Counter(lower)
    capitals = Counter(lower[i] for i in range(len(words)) if named[i])
    titled = sum(surface[0].isupper() for surface in surfaces[:in_title]) > 0.6 * max(in_title, 1)
    rows: list[list[float]] = []
    depth = 0
    for i, word in enumerate(words):
        if word.text == "(":
            depth += 1
        frequency, share = knowledge.words.get(lower[i], (0.0, 0.0))
        rows.append(
            [
                float(i > 0 and words[i - 1].end < word.start),
                float(i + 1 < len(words) and words[i + 1].start > word.end),
                float(i < in_title),
                float(i < in_title and titled),
                frequency,
                share,
                float(lower[i] in knowledge.words),
                math.log(min(counts[lower[i]], 20)) / 3,
                math.log1p(min(capitals[lower[i]], 20)) / 3,
                float(i < colon),
                float(lower[i] in lead),
                float(depth > 0),
                float(i == 0),
                float(i == in_title or (i > 0 and surfaces[i - 1] in SENTENCE_ENDS)),
                float(len(word.text) > 2 and word.text[-1] == "s"),
            ]
        )
        if word.text == ")" and depth:
            depth -= 1
    for gazetteer in knowledge.gazetteers:
        blank = [0.0] * (gazetteer.width + 2)
        extra = [blank] * len(words)
        for start, end, values in gazetteer.matches(surfaces):
            extra[start] = [1.0, 0.0, *values]
            for i in range(start + 1, end):
                extra[i] = [0.0, 1.0, *values]
        for row, more in zip(rows, extra, strict=True):
            row.extend(more)
    return shapes, rows
