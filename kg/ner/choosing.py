"""Decide between candidates: which stretches are names, of which label, and how surely."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kg.ner.spelling import WORD, key, singular

#: A stretch that is a name with less than this probability costs more F1 than it brings.
THRESHOLD: Final = 0.4


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A stretch that may be a name."""

    start: int
    end: int
    label: str
    confidence: float
    extractor: str


def choose(candidates: Iterable[Candidate], threshold: float = THRESHOLD) -> list[Candidate]:
    """Return the candidates that do not overlap and together promise most, in order.

    A candidate is worth what its confidence has above ``threshold``.
    """
    best: dict[tuple[int, int], Candidate] = {}
    for candidate in candidates:
        known = best.get((candidate.start, candidate.end))
        if known is None or _rank(candidate) > _rank(known):
            best[candidate.start, candidate.end] = candidate
    items = sorted(
        (c for c in best.values() if c.confidence > threshold), key=lambda c: (c.end, c.start)
    )
    ends = [c.end for c in items]
    worth = [0.0]
    take: list[tuple[bool, int]] = []
    for i, candidate in enumerate(items):
        before = bisect_right(ends, candidate.start, 0, i)
        with_it = (
            worth[before]
            + candidate.confidence
            - threshold
            + 1e-6 * (candidate.end - candidate.start)
        )
        take.append((with_it > worth[i], before))
        worth.append(max(with_it, worth[i]))
    chosen = []
    i = len(items)
    while i:
        taken, before = take[i - 1]
        if taken:
            chosen.append(items[i - 1])
            i = before
        else:
            i -= 1
    return chosen[::-1]


def _rank(candidate: Candidate) -> tuple[float, str, str]:
    return candidate.confidence, candidate.label, candidate.extractor


def one_label(text: str, chosen: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with the label that their spelling has most evidence for."""
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for candidate in chosen:
        votes[_spelling(text, candidate)][candidate.label] += candidate.confidence
    relabelled = []
    for candidate in chosen:
        by_label = votes[_spelling(text, candidate)]
        label = max(sorted(by_label), key=lambda name: by_label[name])
        relabelled.append(
            candidate if label == candidate.label else replace(candidate, label=label)
        )
    return relabelled


def _spelling(text: str, candidate: Candidate) -> str:
    return key(singular(text[candidate.start : candidate.end]))


def repeated(text: str, chosen: Sequence[Candidate], share: float = 0.9) -> list[Candidate]:
    """Return candidates for the other whole-word occurrences of the chosen names."""
    best: dict[str, Candidate] = {}
    for candidate in chosen:
        surface = text[candidate.start : candidate.end]
        # What is a name by its neighbours only ("25" in "AIME24 & 25") is none elsewhere.
        if len(surface) < 2 or surface.isdigit() or candidate.extractor == "elided":
            continue
        folded = key(surface)
        known = best.get(folded)
        if known is None or candidate.confidence > known.confidence:
            best[folded] = candidate
    words = [(m.start(), m.end(), m[0].casefold()) for m in WORD.finditer(text)]
    by_words: dict[tuple[str, ...], list[Candidate]] = defaultdict(list)
    lengths: dict[str, set[int]] = defaultdict(set)
    for candidate in best.values():
        surface = text[candidate.start : candidate.end]
        parts = tuple(m[0].casefold() for m in WORD.finditer(surface))
        if parts:
            by_words[parts].append(candidate)
            lengths[parts[0]].add(len(parts))
    folded_words = [word for _, _, word in words]
    found = []
    for i, (start, _, first) in enumerate(words):
        for length in lengths.get(first, ()):
            parts = tuple(folded_words[i : i + length])
            if len(parts) < length:
                continue
            end = words[i + length - 1][1]
            alike = [(candidate, end) for candidate in by_words.get(parts, ())]
            if length > 1 and parts[-1].endswith("s"):
                single = by_words.get((*parts[:-1], parts[-1][:-1]), ())
                alike += [(candidate, end - 1) for candidate in single]
            for candidate, end in alike:
                surface, model = text[start:end], text[candidate.start : candidate.end]
                if "\n" not in surface and _same_kind(surface, model):
                    sure = candidate.confidence * share
                    found.append(replace(candidate, start=start, end=end, confidence=sure))
    return found


def _same_kind(surface: str, known: str) -> bool:
    """Whether two spellings can be one name: proper names keep their capitals, terms need not."""
    if surface == known or key(surface) != key(known):
        return surface == known
    short = len(known) <= 5 and known.isupper()
    return not short
