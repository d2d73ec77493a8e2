"""Whether a document's own work is a model, a method, a dataset or a benchmark.

The tagger labels each mention by the words around it; a paper says in many places what it
presents ("our model", "X, a lightweight framework").  A multinomial logistic model
(``weights/kinds.json``, fitted by scripts/training/decisions.py) weighs all of them for each name
that is the document's own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from kg.ner import files
from kg.ner.coined import any_of
from kg.ner.logistic import Features, logit
from kg.ner.shapes import name_words
from kg.values import LABELS, Span

MODEL: Final = "kinds.json"
_WORD: Final = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+|[^\s\w]")
_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+[BM]?")
_SIZED: Final = re.compile(r"\d[BM]\b")
_VERB: Final = re.compile(r"[a-z]+s")
#: How many words after and before a name are searched for nouns.
_AFTER: Final = 12
_BEFORE: Final = 6


@dataclass(frozen=True, slots=True)
class _Words:
    nouns: frozenset[str]
    ours: re.Pattern[str]
    said: re.Pattern[str]
    ends: re.Pattern[str]
    signs: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _words() -> _Words:
    words = name_words()["kinds"]
    nouns = "|".join(sorted(words["nouns"]))
    return _Words(
        frozenset(words["nouns"]),
        re.compile(rf"\b{any_of(words['ours'])} (?:[\w-]+ ){{0,2}}?({nouns})\b"),
        re.compile(
            r"\)?\s*(?:\([^)]*\)\s*)?(?:,|:|—|--|is|are|,? which is)\s+"
            r"(?:an?|the|our|one|first|new)\b([^,.;:]{0,140})"
        ),
        re.compile(rf"\b{any_of(words['ends'])}\b"),
        tuple((name, re.compile(pattern)) for name, pattern in words["signs"].items()),
    )


def features(
    text: str, mentions: Sequence[Span], label: str, opinions: Mapping[str, float]
) -> Features:
    """Return what speaks for each label of a name that ``text`` presents.

    ``opinions`` is the tagger's share of belief by label, ``label`` what the name has so far.
    """
    words, (low, of_text) = _words(), _of_text(text)
    title = max(text.find("\n"), 0)
    name = max((span.of(text) for span in mentions), key=len)
    parts = [part.lower() for part in _PART.findall(name)]
    found: Features = {f"tagged {of}": logit(share) for of, share in opinions.items()}
    found |= {f"part {part}": 1.0 for part in parts}
    found |= {
        f"is {label}": 1.0,
        f"last part {parts[-1] if parts else ''}": 1.0,
        "sized": float(_SIZED.search(name) is not None),
        "digit": float(any(c.isdigit() for c in name)),
        "lower case": float(name == name.lower()),
        "upper case": float(name == name.upper()),
        "words": min(len(name.split()), 5) / 5,
        "mentions": min(len(mentions), 6) / 6,
        "in title": float(mentions[0].start < title),
        "title start": float(mentions[0].start == 0),
    }
    for span in mentions:
        found |= _beside(low, span, words)
    return found | of_text


@lru_cache(maxsize=16)  # asked again for each own name of the document at hand
def _of_text(text: str) -> tuple[str, Features]:
    words, low = _words(), text.lower()
    found: Features = {f"ours {match[1]}": 1.0 for match in words.ours.finditer(low)}
    signs = {f"sign {sign}": 1.0 for sign, pattern in words.signs if pattern.search(low)}
    return low, found | signs


def _beside(low: str, span: Span, words: _Words) -> Features:
    after = _WORD.findall(low, span.end, span.end + 160)
    before = _WORD.findall(low, max(0, span.start - 100), span.start)
    found: Features = {}
    if after:
        found[f"next {after[0]}"] = 1.0
        found[f"next two {' '.join(after[:2])}"] = 1.0
        if _VERB.fullmatch(after[0]):
            found[f"verb {after[0]}"] = 1.0
    if before:
        found[f"previous {before[-1]}"] = 1.0
        found[f"previous two {' '.join(before[-2:])}"] = 1.0
    nouns = [(i, word) for i, word in enumerate(after[:_AFTER]) if word in words.nouns]
    found |= {f"noun after {word}": 1.0 for _, word in nouns}
    if nouns and nouns[0][0] <= _BEFORE:
        found[f"first noun after {nouns[0][1]}"] = 1.0
    found |= {f"noun before {word}": 1.0 for word in before[-_BEFORE:] if word in words.nouns}
    said = words.said.match(low, span.end, span.end + 200)
    if said:
        phrase = [word.strip("()'\"") for word in words.ends.split(said[1])[0].split()]
        found |= {f"said {word}": 1.0 for word in phrase}
        if phrase:
            found[f"said at last {phrase[-1]}"] = 1.0
    return found


@cache
def fitted() -> tuple[Mapping[str, Sequence[float]], Sequence[float]]:
    """Return the weights of each feature and the biases, in the order of ``LABELS``."""
    fitted = json.loads(files.content(MODEL))
    return fitted["weights"], fitted["bias"]


def best(found: Features) -> str:
    """Return the likeliest label."""
    weights, bias = fitted()
    scores = list(bias)
    for name, value in found.items():
        for i, weight in enumerate(weights.get(name, ())):
            scores[i] += weight * value
    return LABELS[scores.index(max(scores))]


def shares(scores: Sequence[Sequence[float]]) -> dict[str, float]:
    """Return the share of belief in each label, from log-probabilities: mentions x labels."""
    belief = [
        1e-3 + sum(math.exp(of_mention[i]) for of_mention in scores) for i in range(len(LABELS))
    ]
    return {label: one / sum(belief) for label, one in zip(LABELS, belief, strict=True)}
