"""The learned tagger: which words of a text are a name, of what kind, and how sure it is.

It runs small networks in onnxruntime, one document at a time, so that what it says of a text
never depends on the other texts. Nothing is downloaded; the weights lie beside this file.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kg.errors import UsageError
from kg.ner.features import Gazetteer, Knowledge, features
from kg.ner.tags import TAGS
from kg.ner.words import CLS, SEP, Word, WordPieces, split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights"
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

    #: changes whenever anything that decides the output changes
    version: str
    sessions: tuple[Any, ...]
    pieces: WordPieces
    #: the vectors of the word pieces in 8 bit, and the scale of each
    table: Any
    scales: Any
    knowledge: Knowledge

    @classmethod
    def load(cls, gear: Gear = "fast") -> Tagger:
        """The tagger of a gear, after checking that its files are what was shipped."""
        files = _verified(gear)
        import numpy as np
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = int(
            os.environ.get("KG_THREADS", min(2, os.cpu_count() or 1))
        )
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        names = sorted(name for name in files if name.endswith(".onnx"))
        sessions = tuple(
            ort.InferenceSession(str(files[name]), options, providers=["CPUExecutionProvider"])
            for name in names
        )
        numbers = {
            piece: i
            for i, piece in enumerate(
                files["vocabulary.txt"].read_text(encoding="utf-8").split("\n")
            )
        }
        digest = hashlib.sha256(
            "".join(_manifest()[key] for key in _keys(gear)).encode()
        ).hexdigest()
        return cls(
            f"{gear}-{digest[:12]}",
            sessions,
            WordPieces(numbers),
            np.load(files["pieces.npy"], allow_pickle=False),
            np.load(files["scales.npy"], allow_pickle=False),
            _knowledge(files["knowledge.json.gz"]),
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


def _manifest() -> dict[str, str]:
    """File name under ``weights/`` -> SHA-256."""
    loaded: dict[str, str] = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))
    return loaded


def _keys(gear: str) -> list[str]:
    """The manifest's names of the files of a gear: its own folder and what all gears share."""
    keys = sorted(key for key in _manifest() if "/" not in key or key.startswith(f"{gear}/"))
    if not any(key.startswith(f"{gear}/") for key in keys):
        gears = sorted({key.split("/")[0] for key in _manifest() if "/" in key})
        raise UsageError(f"no gear is called {gear!r}; there are: {', '.join(gears)}")
    return keys


def _verified(gear: str) -> dict[str, Path]:
    """Base name -> path of the files of a gear, each with the hash that the manifest gives."""
    files = {}
    manifest = _manifest()
    for key in _keys(gear):
        path = WEIGHTS / key
        if not path.is_file():
            raise UsageError(f"{path} is missing; reinstall mlkg")
        if hashlib.sha256(path.read_bytes()).hexdigest() != manifest[key]:
            raise UsageError(
                f"{path} is not the file that mlkg shipped (SHA-256 differs); reinstall mlkg"
            )
        files[path.name] = path
    return files


def _knowledge(path: Path) -> Knowledge:
    """The gazetteers and word frequencies of a gzipped JSON file."""
    content = json.loads(gzip.decompress(path.read_bytes()))
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
