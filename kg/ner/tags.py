"""From tag scores to labelled spans: BIOES tags, and the best sequence that they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LABELS = ("Model", "Dataset", "Benchmark", "Method", "Task", "Metric")
#: O, then B I E S of each label in turn
TAGS = ("O", *(f"{place}-{label}" for label in LABELS for place in "BIES"))
TAG_NUMBER = {tag: i for i, tag in enumerate(TAGS)}


@dataclass(frozen=True, slots=True, order=True)
class WordSpan:
    """A labelled span of words, ``words[first:last + 1]``."""

    first: int
    last: int
    label: str


def encode(length: int, spans: Sequence[WordSpan]) -> list[int]:
    """The tag number of each of so many words; the inverse of :func:`decode`."""
    tags = [0] * length
    for span in spans:
        base = 1 + 4 * LABELS.index(span.label)
        if span.first == span.last:
            tags[span.first] = base + 3
            continue
        tags[span.first : span.last + 1] = [
            base,
            *[base + 1] * (span.last - span.first - 1),
            base + 2,
        ]
    return tags


def decode(tags: Sequence[int]) -> list[WordSpan]:
    """The spans of a sequence of tag numbers that :func:`allowed` admits."""
    spans = []
    first = 0
    for i, tag in enumerate(tags):
        if tag == 0:
            continue
        label, place = divmod(tag - 1, 4)
        if place in (0, 3):
            first = i
        if place in (2, 3):
            spans.append(WordSpan(first, i, LABELS[label]))
    return spans


def allowed() -> list[list[bool]]:
    """``allowed()[a][b]``: may tag b follow tag a."""
    closed = [i for i, tag in enumerate(TAGS) if tag[0] in "OES"]
    opening = [tag[0] in "OBS" for tag in TAGS]
    table = [[False] * len(TAGS) for _ in TAGS]
    for i in closed:
        table[i] = list(opening)
    for label in LABELS:
        for before in ("B", "I"):
            for after in ("I", "E"):
                table[TAG_NUMBER[f"{before}-{label}"]][TAG_NUMBER[f"{after}-{label}"]] = True
    return table


def best_tags(scores: Sequence[Floats]) -> list[list[int]]:
    """The best allowed tag sequence of each document, given log-probabilities (words x tags)."""
    import numpy as np

    if not scores:
        return []
    lengths = [len(rows) for rows in scores]
    longest = max(lengths)
    gaps: Any = np.where(np.array(allowed()), 0.0, -1e9).astype(np.float32).T[None]
    starts = np.array([0.0 if tag[0] in "OBS" else -1e9 for tag in TAGS], dtype=np.float32)
    ends = np.array([0.0 if tag[0] in "OES" else -1e9 for tag in TAGS], dtype=np.float32)
    padded = np.zeros((longest, len(scores), len(TAGS)), dtype=np.float32)
    for d, rows in enumerate(scores):
        padded[: len(rows), d] = rows
        padded[len(rows) :, d, 1:] = -1e9  # a padded place is O, so that it changes nothing
        if len(rows):
            padded[len(rows) - 1, d] += ends
    back = np.zeros(padded.shape, dtype=np.int16)
    best = padded[0] + starts if longest else np.zeros((len(scores), len(TAGS)), dtype=np.float32)
    for i in range(1, longest):
        ways = best[:, None, :] + gaps
        back[i] = ways.argmax(axis=2)
        best = ways.max(axis=2) + padded[i]
    found = []
    last = best.argmax(axis=1)
    for d, length in enumerate(lengths):
        tags = [int(last[d])] if longest else []
        for i in range(longest - 1, 0, -1):
            tags.append(int(back[i, d, tags[-1]]))
        found.append(tags[::-1][:length])
    return found
