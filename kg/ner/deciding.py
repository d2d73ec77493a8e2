"""How likely each candidate is a name, from all that speaks for and against it.

The tagger's own opinion of a stretch, what it says of the same name elsewhere in the document,
the lexicon, the looks of the name and bracketed abbreviations are the features of boosted trees
(``weights/mentions.onnx.gz``, fitted by scripts/training/decisions.py on documents that were held
out from the tagger).  Their probabilities are the confidences of the mentions.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np

from kg.ner import files
from kg.ner.abbreviations import Pair
from kg.ner.choosing import Candidate
from kg.ner.coined import defined_label, head_label
from kg.ner.lexicon import Lexicon, Match
from kg.ner.logistic import Features, Logistic, logit
from kg.ner.spelling import key, singular
from kg.ner.stretches import Stretches
from kg.ner.tags import TAG_NUMBER, WordSpan
from kg.ner.words import Word
from kg.values import LABELS

TREES: Final = "mentions.onnx.gz"
MODELS: Final = "decisions.json"
_FLOOR: Final = -9.0
#: The number of the tag B of each label; I, E and S follow.
_FIRST_TAG: Final = {label: TAG_NUMBER[f"B-{label}"] for label in LABELS}


@cache
def fitted() -> dict[str, Any]:
    """Return what was fitted, by name."""
    content: dict[str, Any] = json.loads(files.content(MODELS))
    return content


def model(name: str) -> Logistic:
    """Return a fitted logistic model: ``phrases``, ``family`` or ``introduced``."""
    weights = fitted()[name]
    return Logistic(weights["weights"], weights["bias"])


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the tagger says of one text."""

    words: Sequence[Word]
    #: Words x tags, as plain lists: single numbers are read faster from them than from arrays.
    log_probabilities: list[list[float]]
    plural: list[float]
    #: The best tags' spans.
    path: Sequence[WordSpan]
    starts: Mapping[int, int]
    ends: Mapping[int, int]

    def place(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Return the first and last word of a stretch, or None where it cuts a word.

        A plural s that follows is taken with it.
        """
        first, last = self.starts.get(start), self.ends.get(end)
        if last is None and text[end : end + 1] == "s":
            last = self.ends.get(end + 1)
        return None if first is None or last is None or last < first else (first, last)

    def score(self, first: int, last: int, label: str) -> float:
        """Return the log-probability that these words are one name of this label."""
        rows, base = self.log_probabilities, _FIRST_TAG[label]
        if first == last:
            return max(_FLOOR, rows[first][base + 3])
        total = rows[first][base] + rows[last][base + 2]
        for i in range(first + 1, last):
            total += rows[i][base + 1]
        return max(_FLOOR, total)

    def outside(self, first: int, last: int) -> float:
        """Return the log-probability that these words are no part of a name."""
        return max(_FLOOR, sum(row[0] for row in self.log_probabilities[first : last + 1]))

    def best_label(self, first: int, last: int) -> str:
        """Return the label that the tagger would give these words as one name."""
        return max(LABELS, key=lambda label: self.score(first, last, label))

    def of_path(self, span: WordSpan) -> tuple[int, int]:
        """Return where a span of the best tags stands, without a plural s."""
        word = self.words[span.last]
        plural = len(word.text) > 2 and word.text[-1] == "s" and self.plural[span.last] > 0.5
        return self.words[span.first].start, word.end - int(plural)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the stretches of one document besides the tagger's opinion."""

    text: str
    lexicon: Mapping[tuple[int, int], Match]
    #: By stretch, label and confidence of its looks.
    shapes: Mapping[tuple[int, int], tuple[str, float]]
    coined: Mapping[tuple[int, int], str]
    #: Abbreviation and long form, both ways.
    partners: Mapping[tuple[int, int], tuple[int, int]]
    #: Where the entries of the lexicon, what looks like a name, and the partners stand.
    lexicon_at: Stretches
    shapes_at: Stretches
    partners_at: Stretches


def opinion(reading: Any, path: Sequence[WordSpan]) -> Opinion:
    """Return the tagger's reading with its words by where they begin and end."""
    words = reading.words
    return Opinion(
        words,
        reading.log_probabilities.tolist(),
        reading.plural.tolist(),
        path,
        {word.start: i for i, word in enumerate(words)},
        {word.end: i for i, word in enumerate(words)},
    )


def name_at(text: str, where: tuple[int, int]) -> str:
    """Return what a stretch shares with all others of the same name."""
    return key(singular(text[slice(*where)]))


def spans_to_judge(
    said: Opinion,
    known: Known,
    more: Iterable[tuple[int, int]] = (),
    names: Collection[str] | None = None,
) -> dict[tuple[int, int], set[str]]:
    """Return the stretches worth judging, each with the labels that something speaks for.

    ``more`` are judged too.  With ``names``, only the stretches of these names are returned.
    """
    wanted: dict[tuple[int, int], set[str]] = defaultdict(set)
    for span in said.path:
        wanted[said.of_path(span)].add(span.label)
    for where, match in known.lexicon.items():
        wanted[where].add(match.entry.label)
    for where, (label, _) in known.shapes.items():
        wanted[where].add(label)
    for where, label in known.coined.items():
        wanted[where].add(label)
    for where, partner in known.partners.items():
        for label in sorted(wanted.get(partner, ())):
            wanted[where].add(label)
    for where in more:
        wanted.setdefault(where, set())
    if names is not None:
        wanted = {where: of for where, of in wanted.items() if name_at(known.text, where) in names}
    for where in sorted(wanted):
        place = said.place(known.text, *where)
        if place:
            wanted[where].add(said.best_label(*place))
    beside = nouns(known.text, wanted)
    for where in wanted:
        if told := beside.get(name_at(known.text, where)):
            wanted[where].add(told)
    return wanted


def as_defined(text: str, chosen: Sequence[Candidate]) -> list[Candidate]:
    """Return the names with the label of what the text says they are, where it says so.

    "X is a large-scale dataset" outweighs that X looks like a model's name.
    """
    defined = {
        key(singular(text[c.start : c.end])): label
        for c in sorted(chosen, key=lambda c: c.start)
        if (label := defined_label(text, c.end))
        and text[c.start : c.end] != text[c.start : c.end].lower()
    }
    if not defined:
        return list(chosen)
    return [
        replace(c, label=defined.get(key(singular(text[c.start : c.end])), c.label)) for c in chosen
    ]


def nouns(text: str, places: Iterable[tuple[int, int]]) -> dict[str, str]:
    """Return by name the label that the nouns beside it tell most often.

    "X is a large dataset", "the X model": only names in capitals or with digits, since a term in
    lower case stands before many nouns.
    """
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for where in sorted(places):
        surface = text[slice(*where)]
        if surface != surface.lower() and (label := head_label(text, *where)):
            told[name_at(text, where)][label] += 1
    return {name: min(counts, key=lambda c: (-counts[c], c)) for name, counts in told.items()}


def judged(
    said: Opinion, known: Known, wanted: Mapping[tuple[int, int], set[str]]
) -> list[tuple[Candidate, Features]]:
    """Return the candidates with their features, in order.

    They rest on the tagger, on what is known, and on the stretches of the same name in
    ``wanted``, never on those of other names.
    """
    text = known.text
    in_path = {said.of_path(span): span.label for span in said.path}
    path = Stretches.of(in_path)
    by_name: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    names: dict[tuple[int, int], str] = {}
    places: dict[tuple[int, int], tuple[int, int]] = {}
    for where, labels in wanted.items():
        place = said.place(text, *where)
        if place is None:
            continue
        places[where] = place
        names[where] = name_at(text, where)
        for label in labels:
            own = said.score(*place, label)
            by_name[names[where], label].append((own, in_path.get(where) == label))
    best = {of: max(score for score, _ in siblings) for of, siblings in by_name.items()}
    share = {
        of: sum(flag for _, flag in siblings) / len(siblings) for of, siblings in by_name.items()
    }
    found = []
    beside = nouns(text, places)
    for where in sorted(places):
        place, name = places[where], names[where]
        noun = beside.get(name)
        common = {"outside": said.outside(*place), **_of_looks(said, text, where, place)}
        if where not in in_path:
            for start, end in path.over(*where):
                inside = start <= where[0] and where[1] <= end
                common["inside of path" if inside else "around path"] = 1.0
        common |= _of_neighbours(known, where)
        for label in sorted(wanted[where]):
            own = said.score(*place, label)
            features: Features = {
                **common,
                "own": own,
                f"own {label}": own,
                label: 1.0,
                "best of the name": best[name, label],
                "marked share": share[name, label],
                "occurrences": min(len(by_name[name, label]), 6) / 6,
                "best of another label": max(
                    best.get((name, other), _FLOOR) for other in LABELS if other != label
                ),
            }
            if in_path.get(where) == label:
                features["path"] = 1.0
                features[f"path {label}"] = 1.0
            elif where in in_path:
                features["path, other label"] = 1.0
            features |= _of_knowledge(known, where, label, in_path)
            if noun:
                features["its noun" if noun == label else "its noun, other label"] = 1.0
            extractor = _extractor(features, where, known)
            found.append((Candidate(*where, label, 0.0, extractor), features))
    return found


def _of_looks(said: Opinion, text: str, where: tuple[int, int], place: tuple[int, int]) -> Features:
    surface, last = text[slice(*where)], text[where[1] - 1]
    features: Features = {
        "proper": float(any(c.isupper() for c in surface[1:]) or any(map(str.isdigit, surface))),
        "words": min(place[1] - place[0] + 1, 8) / 8,
    }
    if text[where[1] : where[1] + 1] == "s" and last.isalnum():
        features["before a plural s"] = float(said.plural[place[1]])
    elif last == "s":
        features["with its s"] = float(said.plural[place[1]])
    return features


def _of_neighbours(known: Known, where: tuple[int, int]) -> Features:
    """Return what the stretches that overlap one say of it, if nothing is known of itself."""
    features: Features = {}
    if where not in known.lexicon:
        for start, end in known.lexicon_at.over(*where):
            inside = start <= where[0] and where[1] <= end
            features["lexicon holds" if inside else "lexicon held"] = 1.0
    if where not in known.shapes and known.shapes_at.over(*where):
        features["shape overlaps"] = 1.0
    if where not in known.partners and known.partners_at.over(*where):
        features["overlaps a partner"] = 1.0
    return features


def _of_knowledge(
    known: Known,
    where: tuple[int, int],
    label: str,
    in_path: Mapping[tuple[int, int], str],
) -> Features:
    features: Features = {}
    match = known.lexicon.get(where)
    if match:
        entry = match.entry
        if entry.label == label:
            features["lexicon"] = 1.0
            features["lexicon share"] = logit(entry.share)
            features["lexicon seen"] = min(entry.seen, 10) / 10
            features[f"lexicon {label}"] = 1.0
        else:
            features["lexicon, other label"] = entry.share
    shape = known.shapes.get(where)
    if shape:
        features["shape" if shape[0] == label else "shape, other label"] = shape[1]
    if where in known.coined:
        features["coined"] = 1.0
    partner = known.partners.get(where)
    if partner:
        said = in_path.get(partner)
        features[
            "partner alike" if said == label else "partner other" if said else "partner none"
        ] = 1.0
    return features


def _extractor(features: Features, where: tuple[int, int], known: Known) -> str:
    if features.get("path") or features.get("path, other label"):
        return "learned"
    if where in known.shapes:
        return "shape"
    if where in known.lexicon:
        return "lexicon"
    if where in known.partners:
        return "abbreviation"
    return "coined" if where in known.coined else "repeated"


Judgements = Sequence[tuple[Candidate, Features]]


def chances(rows: Any) -> Any:
    """Return the probability of each row of a :func:`table` of the fitted columns."""
    (scores,) = files.session(TREES).run(None, {"mentions": rows})
    return 1 / (1 + np.exp(-scores[:, 0].astype(np.float64)))


def rated(judgements: Judgements, model: Callable[[Any], Any] = chances) -> list[Candidate]:
    """Return the candidates with the probability that the fitted trees give them."""
    if not judgements:
        return []
    rows = table([features for _, features in judgements], fitted()["mentions"]["columns"])
    return [
        Candidate(c.start, c.end, c.label, chance, c.extractor)
        for (c, _), chance in zip(judgements, model(rows).tolist(), strict=True)
    ]


def table(features: Sequence[Features], columns: Sequence[str]) -> Any:
    """Return a float32 table, candidates x columns, of the features that are among ``columns``."""
    number = {name: i for i, name in enumerate(columns)}
    rows = np.zeros((len(features), len(columns)), np.float32)
    for row, of_one in zip(rows, features, strict=True):
        for name, value in of_one.items():
            column = number.get(name)
            if column is not None:
                row[column] = value
    return rows


def knowledge(
    text: str,
    lexicon: Lexicon,
    shapes: Iterable[Any],
    coinages: Iterable[Any],
    pairs: Iterable[Pair],
) -> Known:
    """Return what lexicon, looks, coining phrases and brackets say of a text."""
    partners: dict[tuple[int, int], tuple[int, int]] = {}
    for pair in pairs:
        long, short = (pair.long.start, pair.long.end), (pair.short.start, pair.short.end)
        partners[long], partners[short] = short, long
    known = {(match.start, match.end): match for match in lexicon.matches(text)}
    looks = {(shape.start, shape.end): (shape.label, shape.confidence) for shape in shapes}
    return Known(
        text,
        known,
        looks,
        {(coinage.start, coinage.end): coinage.label for coinage in coinages},
        partners,
        Stretches.of(known),
        Stretches.of(looks),
        Stretches.of(partners),
    )
