"""Scores that a document states: a number, whose it is, and on what it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kg.linker import cues, evidence, features, learned
from kg.linker.view import Sentence, View
from kg.values import Evidence, LocalResult, Span

_VALUE = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:\s?\\?%)?")
_MONEY = re.compile(r"\$\d+(?:\.\d+)?\s?(?:million|billion|M|B|K)?")
_SUBJECTS = frozenset({"Model", "Method"})
_PLACES = frozenset({"Benchmark", "Dataset"})
_FAR = 60
#: Sentences before the number's own in which its benchmark is looked for.
_REACH = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a sentence, as it is written."""

    sentence: int
    #: Place of the number among the sentence's words.
    word: int
    value: str
    span: Span
    #: Its rank among the sentence's numbers, and how many there are.
    rank: int
    of: int


def figures(view: View) -> list[Figure]:
    """Return every number of ``view`` that could be a score, in order."""
    found: list[Figure] = []
    text = view.document.text
    for sentence in view.sentences:
        here: list[tuple[int, str, Span]] = []
        for word, written in enumerate(sentence.words):
            if sentence.owners[word] >= 0 or not written[0].isdigit():
                continue
            start, _ = sentence.bounds[word]
            match = _VALUE.match(text, start)
            if not match:
                continue
            end = match.end()
            if end < len(text) and (
                text[end].isalpha() or (text[end] in "-–" and text[end + 1 : end + 2].isalpha())
            ):
                continue
            if start > 0 and (
                text[start - 1].isalpha()
                or (text[start - 1] in "-–" and text[start - 2 : start - 1].isalpha())
            ):
                continue
            begin = start
            if start > 0 and text[start - 1] == "$" and (money := _MONEY.match(text, start - 1)):
                begin, end = money.span()
            here.append((word, text[begin:end], Span(begin, end)))
        found.extend(
            Figure(sentence.index, word, value, span, rank, len(here))
            for rank, (word, value, span) in enumerate(here)
        )
    return found


def candidates(view: View, figure: Figure) -> tuple[list[int], list[int]]:
    """Return the entities whose score ``figure`` may be, and those it may be measured on."""
    subjects: list[int] = []
    places: list[int] = []
    for place, entity in enumerate(view.entities):
        if not view.places[place]:
            continue
        apart = min(
            (figure.sentence - at if at <= figure.sentence else 9 for at, _ in view.places[place])
        )
        if entity.label in _SUBJECTS and (apart <= 1 or place in view.introduced):
            subjects.append(place)
        elif entity.label in _PLACES and (apart <= _REACH or place in view.introduced):
            places.append(place)
    return subjects, places


def of_figures(view: View, found: Sequence[Figure]) -> npt.NDArray[np.float32]:
    """Return what is known of each number by itself, one row each."""
    classes = cues.figures()
    rows = []
    for figure in found:
        sentence = view.sentences[figure.sentence]
        words, at = sentence.words, figure.word
        text = view.document.text
        number = re.sub(r"[^\d.]", "", figure.value)
        amount = float(number) if number.count(".") < 2 and number.strip(".") else 0.0
        labels = [view.entities[sentence.owners[place]].label for place in sentence.names]
        step = 1
        while at + step < len(words) and words[at + step] in {"%", "\\"}:
            step += 1
        after = words[at + step : at + step + 3]
        before = words[max(0, at - 3) : at]
        row: list[float] = [
            "%" in figure.value,
            len(number.partition(".")[2]),
            len(number.partition(".")[0]),
            amount,
            1990 <= amount <= 2035 and "." not in number,
            figure.rank,
            figure.of,
            figure.sentence,
            len(view.sentences) - figure.sentence,
            text[figure.span.start - 1 : figure.span.start] in {"+", "-", "±", "~"},
            text[figure.span.end : figure.span.end + 1] in {"x", "×", ")", ","},
            text[figure.span.start - 1 : figure.span.start] == "(",
            "$" in figure.value,
            *(
                labels.count(label)
                for label in ("Model", "Method", "Benchmark", "Dataset", "Metric", "Task")
            ),
            *(
                _nearest(view, sentence, at, label)
                for label in ("Metric", "Benchmark", "Dataset", "Model", "Method")
            ),
        ]
        for words_of in classes.values():
            row.append(bool(before) and before[-1] in words_of)
            row.append(any(word in words_of for word in before))
            row.append(bool(after) and after[0] in words_of)
            row.append(any(word in words_of for word in after))
        row.extend(_flags(features.bits_of(view, sentence, max(0, at - 5), at)))
        row.extend(_flags(features.bits_of(view, sentence, at + 1, at + 6)))
        row.extend(_flags(features.bits_of(view, sentence, 0, len(words))))
        rows.append(row)
    return np.array(rows, np.float32) if rows else np.zeros((0, 0), np.float32)


def _nearest(view: View, sentence: Sentence, at: int, label: str) -> float:
    return min(
        (
            abs(place - at)
            for place in sentence.names
            if view.entities[sentence.owners[place]].label == label
        ),
        default=_FAR,
    )


def _flags(bits: int) -> Iterator[float]:
    return (float(bits >> bit & 1) for bit in range(features.width()))


def of_ends(
    view: View, figure: Figure, ends: Sequence[int], alone: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return what is known of ``figure`` with each entity of ``ends``, one row each."""
    sentence = view.sentences[figure.sentence]
    together = any(word in cues.figures()["together"] for word in sentence.words)
    group = {view.entities[place].label for place in ends}
    ordered: list[int] = []
    for at in sentence.names:
        owner = sentence.owners[at]
        if view.entities[owner].label in group and owner not in ordered:
            ordered.append(owner)
    rows = []
    for place in ends:
        where, word = min(
            view.places[place],
            key=lambda at: (
                abs(figure.sentence - at[0]) + 0.5 * (at[0] > figure.sentence),
                abs(at[1] - figure.word),
            ),
        )
        same = where == figure.sentence
        low, high = sorted((word, figure.word))
        names = peers = numbers = 0
        between = 0
        listed = position = 0
        if same:
            between = features.bits_of(view, sentence, low + 1, high)
            for at in range(low + 1, high):
                owner = sentence.owners[at]
                if owner >= 0:
                    names += 1
                    peers += view.entities[owner].label in group
                elif sentence.words[at][0].isdigit():
                    numbers += 1
            slot = sentence.names.index(word)
            listed = sentence.lists.count(sentence.lists[slot])
            position = slot - sentence.lists.index(sentence.lists[slot])
        home = view.sentences[where]
        rank = ordered.index(place) if place in ordered else -1
        own = place in view.introduced
        entity = view.entities[place]
        row: list[float] = [
            figure.sentence - where,
            min(abs(word - figure.word), _FAR) if same else _FAR,
            same and word < figure.word,
            names,
            peers,
            numbers,
            own,
            view.introduced.index(place) if own else 9,
            entity.label == "Model",
            entity.label == "Benchmark",
            len(ordered),
            rank,
            figure.rank,
            figure.of,
            rank == figure.rank,
            together,
            together and rank == figure.rank,
            listed,
            position,
            listed == figure.of,
            listed == figure.of and position == figure.rank,
            word,
            same and low + 1 <= high and sentence.words[low + 1 : high] == ("(",),
            same and word == figure.word + 1,
            len(view.places[place]),
            view.sentences[view.places[place][0][0]].field == "title",
            len(ends),
            alone[0],
            alone[1],
        ]
        row.extend(_flags(between))
        row.extend(_flags(features.bits_of(view, home, max(0, word - 3), word)))
        row.extend(_flags(features.bits_of(view, home, word + 1, word + 4)))
        row.extend(_flags(features.bits_of(view, sentence, max(0, figure.word - 4), figure.word)))
        row.extend(_flags(features.bits_of(view, sentence, figure.word + 1, figure.word + 5)))
        rows.append(row)
    return np.array(rows, np.float32)


def find(view: View) -> tuple[LocalResult, ...]:
    """Return the scores that ``view`` states, each number read once, in order of the text."""
    if not view.introduced and not any(entity.label in _SUBJECTS for entity in view.entities):
        return ()
    found = figures(view)
    if not found:
        return ()
    alone = of_figures(view, found)
    trees = learned.session("results.onnx.gz")
    limits = learned.manifest()["results"]
    chances = _chances(trees, "value", alone)
    stated: list[LocalResult] = []
    for place, figure in enumerate(found):
        if chances[place] < limits["value"]:
            continue
        subjects, places = candidates(view, figure)
        if not subjects:
            continue
        of_subject = _chances(trees, "subject", of_ends(view, figure, subjects, alone[place]))
        subject = int(of_subject.argmax())
        on, of_place = None, 1.0
        if places:
            likely = _chances(trees, "on", of_ends(view, figure, places, alone[place]))
            best = int(likely.argmax())
            if likely[best] >= limits["on"]:
                on, of_place = places[best], float(likely[best])
        sure = float(chances[place]) * float(of_subject[subject]) * max(of_place, 0.5)
        stated.append(_result(view, figure, subjects[subject], on, round(sure, 4)))
    return tuple(dict.fromkeys(stated))


def _chances(trees: Any, head: str, table: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    feed = {
        wanted.name: table if wanted.name == head else np.zeros((0, wanted.shape[1]), np.float32)
        for wanted in trees.get_inputs()
    }
    scores = trees.run([f"score_{head}"], feed)[0][:, 0]
    return np.asarray(1 / (1 + np.exp(-scores.astype(np.float64))))


def _result(view: View, figure: Figure, subject: int, on: int | None, sure: float) -> LocalResult:
    sentence = view.sentences[figure.sentence]
    metric = min(
        (
            (abs(at - figure.word), sentence.owners[at])
            for at in sentence.names
            if view.entities[sentence.owners[at]].label == "Metric"
        ),
        default=(0, -1),
    )[1]
    shown = Evidence(
        document=view.document.id,
        field=sentence.field,
        span=sentence.span,
        sentence=sentence.span.of(view.document.text),
        kind="extracted",
        extractor="learned",
        rule="result",
        confidence=sure,
        subject=evidence.where(sentence, subject),
        object=figure.span,
    )
    names = [entity.canonical for entity in view.entities]
    return LocalResult(
        names[subject],
        None if on is None else names[on],
        None if metric < 0 else names[metric],
        figure.value,
        (shown,),
    )
