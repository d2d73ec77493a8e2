"""The learned tagger: which words of a text are a name, of what kind, and how sure it is.

It runs small networks in onnxruntime, one document at a time, so that what it says of a text
never depends on the other texts. Nothing is downloaded; the weights lie beside this file.
"""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kg.errors import UsageError
from kg.ner.consistency import everywhere, one_label, span_score
from kg.ner.features import Gazetteer, Knowledge, features
from kg.ner.tags import LABELS, WordSpan, best_tags, decode
from kg.ner.words import CLS, SEP, Word, WordPieces, split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights"
MOST_PIECES = 510  # of one window; the encoder takes two more
OVERLAP = 80  # words that two neighbouring windows share

Gear = Literal["fast", "accurate"]


@dataclass(frozen=True, slots=True, order=True)
class TaggedSpan:
    """A mention as the tagger sees it: ``text[start:end]``."""

    start: int
    end: int
    label: str
    #: calibrated probability that span and label are right
    confidence: float
    #: probability that the paper presents it as its own
    introduced: float


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
    """Load one with :meth:`load`; then :meth:`tag` texts."""

    #: changes whenever anything that decides the output changes
    version: str
    sessions: tuple[Any, ...]
    pieces: WordPieces
    #: the vectors of the word pieces in 8 bit, and the scale of each
    table: Any
    scales: Any
    knowledge: Knowledge
    settings: dict[str, Any]

    @classmethod
    def load(cls, gear: Gear = "fast") -> Tagger:
        """The tagger of a gear, after checking that its files are what was shipped."""
        files = _verified(gear)
        import numpy as np
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = _threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        settings = json.loads(files["settings.json"].read_text(encoding="utf-8"))
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
            settings,
        )

    def tag(self, texts: Sequence[str]) -> list[list[TaggedSpan]]:
        """The mentions of each text, sorted, never overlapping; offsets count code points."""
        readings = self.read(texts)
        return [
            self.decide(reading, tags)
            for reading, tags in zip(
                readings, best_tags([r.log_probabilities for r in readings]), strict=True
            )
        ]

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """What the network says of each text, undecided."""
        return [self._read(text) for text in texts]

    def decide(self, reading: Reading, tags: Sequence[int]) -> list[TaggedSpan]:
        """The mentions of one text, from its best tags, made consistent over the document."""
        words, scores = reading.words, reading.log_probabilities
        spans = one_label(words, scores, decode(tags))
        spans = everywhere(words, scores, spans, margin=self.settings["margin"])
        return [self._tagged(reading, span) for span in spans]

    def _tagged(self, reading: Reading, span: WordSpan) -> TaggedSpan:
        word = reading.words[span.last]
        plural = (
            word.text[-1] == "s" and len(word.text) > 2 and float(reading.plural[span.last]) > 0.5
        )
        score = span_score(reading.log_probabilities, span.first, span.last, span.label)
        own = float(reading.introduced[span.first : span.last + 1].mean())
        return TaggedSpan(
            reading.words[span.first].start,
            word.end - int(plural),
            span.label,
            round(self._calibrated(score), 4),
            round(own, 4),
        )

    def _calibrated(self, score: float) -> float:
        """The probability that a mention of this log-probability is right."""
        value = math.exp(max(score, -30.0))
        curve = self.settings["calibration"]
        for (x0, y0), (x1, y1) in itertools.pairwise(curve):
            if value <= x1:
                return float(y0 + (y1 - y0) * (value - x0) / (x1 - x0)) if x1 > x0 else float(y1)
        return float(curve[-1][1])

    def _read(self, text: str) -> Reading:
        import numpy as np

        words = split(text)
        if not words:
            empty = np.zeros(0, dtype=np.float32)
            return Reading((), np.zeros((0, 1 + 4 * len(LABELS)), dtype=np.float32), empty, empty)
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
    margins = np.full((len(parts), length), -1, dtype=np.int64)
    for k, (first, part) in enumerate(parts):
        size = len(part[1])
        after = np.arange(size) + (length if first == 0 else 0)
        before = np.arange(size)[::-1] + (length if first + size == length else 0)
        margins[k, first : first + size] = np.minimum(after, before)
    chosen = margins.argmax(axis=0)
    merged: list[Floats] = [
        np.stack([parts[k][1][o][i - parts[k][0]] for i, k in enumerate(chosen)]) for o in range(3)
    ]
    return merged[0], merged[1], merged[2]


def _threads() -> int:
    """How many threads a network may use: ``KG_THREADS``, else two where there are two cores."""
    wanted = os.environ.get("KG_THREADS", str(min(2, os.cpu_count() or 1)))
    if not re.fullmatch("[1-9][0-9]{0,3}", wanted):
        raise UsageError(f"KG_THREADS: should be a whole number from 1 up, not {wanted!r}")
    return int(wanted)


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
