"""From tag scores to labelled spans: BIOES tags, and the best sequence that they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """The best allowed tag sequence of each document, given log-probabilities (words x tags).

    What :func:`allowed` admits comes down to two ways into a tag: O, B and S follow the best of
    O, E and S; I and E follow the better of B and I of their own label.
    """
    import numpy as np

    lengths = [len(rows) for rows in scores]
    longest = max(lengths, default=0)
    if not longest:
        return [[] for _ in scores]
    closed = np.array([i for i, tag in enumerate(TAGS) if tag[0] in "OES"])
    opening = np.array([i for i, tag in enumerate(TAGS) if tag[0] in "OBS"])
    ends = np.array([0.0 if tag[0] in "OES" else -1e9 for tag in TAGS], dtype=np.float32)
    padded = np.zeros((longest, len(scores), len(TAGS)), dtype=np.float32)
    for d, rows in enumerate(scores):
        padded[: len(rows), d] = rows
        padded[len(rows) :, d, 1:] = -1e9  # a padded place is O, so that it changes nothing
        if len(rows):
            padded[len(rows) - 1, d] += ends
    documents = np.arange(len(scores))
    before = np.zeros((longest, len(scores)), dtype=np.int64)  # the best closed tag before
    goes_on = np.zeros((longest, len(scores), len(LABELS)), dtype=bool)  # I before, and not B
    best = np.full((len(scores), len(TAGS)), -1e9, dtype=np.float32)
    best[:, opening] = 0.0
    best += padded[0]
    for i in range(1, longest):
        before[i] = closed[best[:, closed].argmax(axis=1)]
        begun = best[:, 1:].reshape(len(scores), len(LABELS), 4)  # B I E S of each label
        goes_on[i] = begun[:, :, 1] > begun[:, :, 0]
        ways = np.empty_like(best)
        ways[:, opening] = best[documents, before[i]][:, None]
        ways[:, 1:].reshape(begun.shape)[:, :, 1:3] = begun[:, :, :2].max(axis=2)[:, :, None]
        best = ways + padded[i]
    last = best.argmax(axis=1)
    return [
        _walked_back(int(last[d]), before[:, d].tolist(), goes_on[:, d].tolist())[:length]
        for d, length in enumerate(lengths)
    ]


def _walked_back(last: int, before: Sequence[int], goes_on: Sequence[Sequence[bool]]) -> list[int]:
    """The tags that lead to the last one."""
    tags = [last]
    for i in range(len(before) - 1, 0, -1):
        label, place = divmod(tags[-1] - 1, 4)
        inside = tags[-1] > 0 and place in (1, 2)
        tags.append(4 * label + 1 + goes_on[i][label] if inside else before[i])
    return tags[::-1]
