"""Scores that a document states: a number, whose it is, and on what it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
#: A sentence of more words states no score, and of more numbers only the first are read: it is a
#: table that lost its lines, and each number is weighed with all words of its sentence.
_LONGEST = 2_000
_MOST = 200


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
        if len(sentence.words) > _LONGEST:
            continue
        here: list[tuple[int, str, Span]] = []
        for word, written in enumerate(sentence.words):
            if sentence.owners[word] >= 0 or not written[0].isdigit():
                continue
            start, _ = sentence.bounds[word]
            match = _VALUE.match(text, start)
            if not match:
                continue
            end = match.end()
            begin = start
            if start > 0 and text[start - 1] == "$" and (money := _MONEY.match(text, start - 1)):
                begin, end = money.span()
            if end < len(text) and (
                text[end].isalpha() or (text[end] in "-–" and text[end + 1 : end + 2].isalpha())
            ):
                continue
            if start > 0 and (
                text[start - 1].isalpha()
                or (text[start - 1] in "-–" and text[start - 2 : start - 1].isalpha())
            ):
                continue
            here.append((word, text[begin:end], Span(begin, end)))
        found.extend(
            Figure(sentence.index, word, value, span, rank, len(here))
            for rank, (word, value, span) in enumerate(here[:_MOST])
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
    around = _around(view, figure, {view.entities[place].label for place in ends})
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
        names = peers = numbers = breaks = 0
        between = 0
        if same:
            between = features.bits_of(view, sentence, low + 1, high)
            for at in range(low + 1, high):
                owner = sentence.owners[at]
                if owner >= 0:
                    names += 1
                    peers += view.entities[owner].label in around.group
                elif sentence.words[at][0].isdigit():
                    numbers += 1
                else:
                    breaks += sentence.words[at] in around.breaks
        home = view.sentences[where]
        rank = around.ordered.index(place) if place in around.ordered else -1
        own = place in view.introduced
        entity = view.entities[place]
        row: list[float] = [
            figure.sentence - where,
            min(abs(word - figure.word), _FAR) if same else _FAR,
            same and word < figure.word,
            names,
            peers,
            numbers,
            breaks,
            own,
            view.introduced.index(place) if own else 9,
            entity.label == "Model",
            entity.label == "Benchmark",
            len(around.ordered),
            rank,
            figure.rank,
            figure.of,
            rank == figure.rank,
            around.together,
            word,
            same and low + 1 <= high and sentence.words[low + 1 : high] == ("(",),
            same and word == figure.word + 1,
            len(view.places[place]),
            view.sentences[view.places[place][0][0]].field == "title",
            len(ends),
            alone[0],
            alone[1],
            *around.sides(place),
            *around.pairing(place),
            *around.spoken_of(place),
        ]
        row.extend(_flags(between))
        row.extend(_flags(features.bits_of(view, home, max(0, word - 1), word)))
        row.extend(_flags(features.bits_of(view, home, max(0, word - 3), word)))
        row.extend(_flags(features.bits_of(view, home, word + 1, word + 4)))
        row.extend(_flags(features.bits_of(view, sentence, max(0, figure.word - 4), figure.word)))
        row.extend(_flags(features.bits_of(view, sentence, figure.word + 1, figure.word + 5)))
        rows.append(row)
    return np.array(rows, np.float32)


@dataclass(frozen=True, slots=True)
class _Around:
    """What one sentence holds around one number, for the names of some labels."""

    figure: Figure
    #: The labels of the names that are looked at.
    group: frozenset[str]
    #: The entities of these labels in the sentence, in order.
    ordered: tuple[int, ...]
    #: For each mention of these labels: its word, its entity.
    marks: tuple[tuple[int, int], ...]
    #: The lists of names of these labels, each as entities in order.
    lists: tuple[tuple[int, ...], ...]
    #: Words that end a clause.
    breaks: frozenset[str]
    #: Whether the sentence says "respectively".
    together: bool
    #: Place among the numbers listed with this one, and how many these are.
    run: tuple[int, int]
    #: The entity that "our model", "it" or "we" means before the number, and how far before.
    meant: tuple[int, int]
    #: The first entity of the sentence before, where this sentence goes on with "it".
    continued: int
    #: The first entity of the sentence before.
    led: int

    def sides(self, place: int) -> tuple[float, ...]:
        """Return how far ``place`` stands before and after the number, and what is nearer."""
        before = [at for at, owner in self.marks if owner == place and at < self.figure.word]
        after = [at for at, owner in self.marks if owner == place and at > self.figure.word]
        last = max(before, default=-1)
        first = min(after, default=-1)
        return (
            self.figure.word - last if before else _FAR,
            first - self.figure.word if after else _FAR,
            len({owner for at, owner in self.marks if last < at < self.figure.word})
            if before
            else 9,
            len({owner for at, owner in self.marks if self.figure.word < at < first})
            if after
            else 9,
            bool(self.ordered) and self.ordered[0] == place,
        )

    def pairing(self, place: int) -> tuple[float, ...]:
        """Return how the lists that hold ``place`` fit the list that holds the number."""
        best = (0, 0)
        for members in self.lists:
            if place in members and len(members) > best[0]:
                best = (len(members), members.index(place))
        rank, of = self.run
        even = best[0] == of > 1
        return (
            *best,
            rank,
            of,
            even,
            even and best[1] == rank,
            even and self.together and best[1] == rank,
            best[0] == self.figure.of > 1 and best[1] == self.figure.rank,
        )

    def spoken_of(self, place: int) -> tuple[float, ...]:
        """Return whether the sentence means ``place`` without naming it."""
        entity, apart = self.meant
        return (
            entity == place,
            apart if entity == place else _FAR,
            entity >= 0,
            self.continued == place,
            self.continued >= 0,
            self.led == place,
        )


def _around(view: View, figure: Figure, group: Iterable[str]) -> _Around:
    sentence = view.sentences[figure.sentence]
    table = cues.figures()
    group = frozenset(group)
    marks = tuple(
        (at, sentence.owners[at])
        for at in sentence.names
        if view.entities[sentence.owners[at]].label in group
    )
    lists: dict[int, list[int]] = {}
    for at, number in zip(sentence.names, sentence.lists, strict=True):
        owner = sentence.owners[at]
        if view.entities[owner].label in group and owner not in lists.setdefault(number, []):
            lists[number].append(owner)
    led = continued = -1
    if figure.sentence:
        earlier = view.sentences[figure.sentence - 1]
        leading = [
            earlier.owners[at]
            for at in earlier.names
            if view.entities[earlier.owners[at]].label in group
        ]
        led = leading[0] if leading else -1
        if any(word in table["pronoun"] for word in sentence.words[:6]):
            continued = led
    return _Around(
        figure,
        group,
        tuple(dict.fromkeys(owner for _, owner in marks)),
        marks,
        tuple(map(tuple, lists.values())),
        table["break"],
        any(word in table["together"] for word in sentence.words),
        _run(sentence, figure.word, table["listed"]),
        _meant(view, sentence, figure.word, group),
        continued,
        led,
    )


def _run(sentence: Sentence, word: int, listed: frozenset[str]) -> tuple[int, int]:
    """Return the place of a number in the list of numbers that holds it, and that list's size."""
    counts = []
    for step in (-1, 1):
        at, count = word + step, 0
        while 0 <= at < len(sentence.words) and sentence.owners[at] < 0:
            if sentence.words[at][0].isdigit():
                count += 1
            elif sentence.words[at] not in listed:
                break
            at += step
        counts.append(count)
    return counts[0], counts[0] + counts[1] + 1


def _meant(view: View, sentence: Sentence, word: int, group: frozenset[str]) -> tuple[int, int]:
    """Return which entity "our model" or its like means last before a number, and how far off."""
    table = cues.load()
    own = cues.figures()["own"]
    found = (-1, _FAR)
    for at in range(word):
        meant = cues.implied(view, sentence, table, at)
        if meant and view.entities[meant[1]].label in group:
            found = (meant[1], word - at)
        elif sentence.words[at] in own:
            entity = cues.introduced(view, group, sentence.index)
            found = found if entity is None else (entity, word - at)
    return found


def find(view: View) -> tuple[LocalResult, ...]:
    """Return the scores that ``view`` states, each number read once, in order of the text."""
    if not view.introduced and not any(entity.label in _SUBJECTS for entity in view.entities):
        return ()
    found = figures(view)
    if not found:
        return ()
    alone = of_figures(view, found)
    trees = learned.session("results.onnx.gz")
    said = learned.manifest()["results"]
    chances = _chances(trees, "value", alone)
    stated: dict[tuple[int, int | None, str], LocalResult] = {}
    for place, figure in enumerate(found):
        subjects, places = candidates(view, figure)
        if chances[place] < said["value"] or not subjects:
            continue
        of_subject = _chances(trees, "subject", of_ends(view, figure, subjects, alone[place]))
        of_place = (
            _chances(trees, "on", of_ends(view, figure, places, alone[place]))
            if places
            else np.zeros(1)
        )
        best, on, score = decide(float(chances[place]), of_subject, of_place, said["on"])
        sure = round(float(np.interp(score, *said["calibration"])), 4)
        if sure < said["threshold"]:
            continue
        key = (subjects[best], None if on is None else places[on], figure.value)
        if key not in stated or sure > stated[key].evidence[0].confidence:
            stated[key] = _result(view, figure, *key[:2], sure)
    return tuple(stated.values())


def decide(
    value: float,
    of_subject: npt.NDArray[np.float64],
    of_place: npt.NDArray[np.float64],
    limit: float,
) -> tuple[int, int | None, float]:
    """Return whose score a number is, on what, and how likely all of this is together.

    ``value`` is the chance that it is a score, ``of_subject`` and ``of_place`` the chances of the
    candidates; nothing from ``limit`` on means that what it was measured on is not named.
    """
    subject, place = int(of_subject.argmax()), int(of_place.argmax())
    likely = float(of_place[place])
    named = likely >= limit
    share = likely if named else 1 - likely
    return subject, place if named else None, value * float(of_subject[subject]) * share


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
