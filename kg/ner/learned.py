"""The learned tagger: which words of a text are a name, of what kind, and how sure it is.

It runs small networks in onnxruntime, one document at a time, so that what it says of a text
never depends on the other texts. Nothing is downloaded; the weights lie beside this file.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kg.errors import UsageError
from kg.ner import files
from kg.ner.features import Gazetteer, Knowledge, features
from kg.ner.tags import TAGS
from kg.ner.words import CLS, SEP, Word, WordPieces, split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

MOST_PIECES = 510  # of one window; the encoder takes two more
OVERLAP = 80  # words that two neighbouring windows share

Gear = Literal["fast", "accurate"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network says of one text before anything is decided: the input of other rules."""

    words: tuple[Word, ...]
    #: log-probabilities, words x tags of :data:`kg.ner.tags.TAGS`
    log_probabilities: Any
    #: by word: probability that a final s is no part of the name
    plural: Any
    #: by word: probability that the name is the paper's own
    introduced: Any


@dataclass(slots=True)
class Tagger:
    """Load one with :meth:`load`; then :meth:`read` texts."""

    sessions: tuple[Any, ...]
    pieces: WordPieces
    #: the vectors of the word pieces in 8 bit, and the scale of each
    table: Any
    scales: Any
    knowledge: Knowledge

    @classmethod
    def load(cls, gear: Gear = "fast") -> Tagger:
        """The tagger of a gear, after checking that its files are what was shipped."""
        import numpy as np

        gears = files.manifest()["gears"]
        if gear not in gears:
            raise UsageError(f"no gear is called {gear!r}; there are: {', '.join(sorted(gears))}")
        threads = _threads()
        vocabulary = files.content("vocabulary.txt").decode().split("\n")
        return cls(
            tuple(files.session(name, threads=threads) for name in gears[gear]),
            WordPieces({piece: i for i, piece in enumerate(vocabulary)}),
            np.load(io.BytesIO(files.content("pieces.npy")), allow_pickle=False),
            np.load(io.BytesIO(files.content("scales.npy")), allow_pickle=False),
            _knowledge(files.content("knowledge.json.gz")),
        )

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What the network says of each text, undecided."""
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Reading:
        import numpy as np

        words = split(text)
        if not words:
            empty = np.zeros(0, dtype=np.float32)
            return Reading((), np.zeros((0, len(TAGS)), dtype=np.float32), empty, empty)
        shapes, rows = features(text, words, self.knowledge)
        pieces = [self.pieces(word.text) for word in words]
        parts = [
            (first, self._window(pieces[first:last], shapes[first:last], rows[first:last]))
            for first, last in windows([len(p) for p in pieces])
        ]
        scores, plural, introduced = _merged(len(words), parts)
        return Reading(tuple(words), scores, plural, introduced)

    def _window(
        self, pieces: Sequence[tuple[int, ...]], shapes: Sequence[int], rows: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """What the networks say of the words of one window, averaged."""
        import numpy as np

        vocabulary = self.pieces.vocabulary
        sizes = [len(found) for found in pieces]
        last = np.cumsum(sizes)
        kinds = np.zeros(last[-1] + 2, dtype=np.int64)
        kinds[1:-1] = np.repeat(shapes, sizes)
        numbers = [vocabulary[CLS], *itertools.chain.from_iterable(pieces), vocabulary[SEP]]
        feed: dict[str, Any] = {
            "piece_shapes": kinds[None],
            "first": (last - sizes + 1)[None],
            "last": last[None],
            "shapes": np.array([shapes], dtype=np.int64),
            "rows": rows[None],
            "vectors": (self.table[numbers] * self.scales[numbers])[None],
        }
        total: Any = None
        for session in self.sessions:
            scores, extra = (values[0] for values in session.run(None, feed))
            odds = np.exp(scores - scores.max(axis=1, keepdims=True))
            likely = odds / odds.sum(axis=1, keepdims=True)
            said = (likely, 1 / (1 + np.exp(-extra)))
            total = said if total is None else (total[0] + said[0], total[1] + said[1])
        likely, extra = total[0] / len(self.sessions), total[1] / len(self.sessions)
        return np.log(np.maximum(likely, 1e-9)).astype(np.float32), extra[:, 0], extra[:, 1]


def windows(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Overlapping ranges that fit the encoder, of words of so many pieces each."""
    found = []
    first = 0
    while True:
        last, total = first, 0
        while last < len(sizes) and total + sizes[last] <= MOST_PIECES:
            total += sizes[last]
            last += 1
        found.append((first, last))
        if last == len(sizes):
            return found
        first = max(first + 1, last - OVERLAP)


def _merged(
    length: int, parts: Sequence[tuple[int, tuple[Floats, Floats, Floats]]]
) -> tuple[Floats, Floats, Floats]:
    """Windows as one; each word as the window sees it in which it is farthest from a cut."""
    import numpy as np

    if len(parts) == 1:
        return parts[0][1]
    margins = np.full(length, -1, dtype=np.int64)
    merged = [np.empty((length, *column.shape[1:]), column.dtype) for column in parts[0][1]]
    for first, part in parts:
        size = len(part[1])
        after = np.arange(size) + (length if first == 0 else 0)
        before = np.arange(size)[::-1] + (length if first + size == length else 0)
        margin = np.minimum(after, before)
        better = (margin > margins[first : first + size]).nonzero()[0]
        margins[first + better] = margin[better]
        for whole, column in zip(merged, part, strict=True):
            whole[first + better] = column[better]
    return merged[0], merged[1], merged[2]


def _threads() -> int:
    """How many threads a network may use: ``KG_THREADS``, else two where there are two cores."""
    wanted = os.environ.get("KG_THREADS", str(min(2, os.cpu_count() or 1)))
    if not re.fullmatch("[1-9][0-9]{0,3}", wanted):
        raise UsageError(f"KG_THREADS: should be a whole number from 1 up, not {wanted!r}")
    return int(wanted)


def _knowledge(packed: bytes) -> Knowledge:
    """The gazetteers and word frequencies of a gzipped JSON file."""
    content = json.loads(gzip.decompress(packed))
    gazetteers = tuple(
        Gazetteer(
            {name: tuple(value / 10 for value in row) for name, row in part["rows"].items()},
            part["width"],
        )
        for part in content["gazetteers"]
    )
    return Knowledge(
        gazetteers, {word: (pair[0], pair[1]) for word, pair in content["words"].items()}
    )
