"""A document as the linker sees it: sentences of words, with each name as one word.

A name stands as ``<Label:3>``, where 3 is the entity's place among the given entities, and a
list of names of one label as ``<Label:3,4,7>``, so that one cue reads one name and ten alike.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kg.text import name_key, sentences
from kg.values import Document, LocalEntity, Span

_WORD = re.compile(
    r"[A-Za-z\u00c0-\u024f]+(?:[-'’][A-Za-z\u00c0-\u024f]+)*|\d+(?:[.,]\d+)*|[^\s\w]|\w+"
)
#: Signs of Markdown and addresses, and the owner before a name: no words of a card's sentence.
_MARKDOWN = re.compile(r"\]\([^()\s]*\)|<?https?://[^\s)>\]]+>?|[`*\[\]]+|[\w.-]+/(?=\Z)")
#: What may stand between two members of one list.
_BETWEEN = frozenset({",", "and", "or", "&", "/", ";", "+", "well", "as", "both", "the", "also"})
#: What comes before a list that has no "and".
_OPENS = frozenset({"(", ":", "as", "[", "including", "e.g", "namely"})
#: What a bracket of figures after a name may hold, such as "(84.6%)" or "(7B)".
_FIGURE = frozenset({".", "%", "\\", ",", "b", "m", "+", "-"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of one sentence, and the lists of names in it."""

    #: Place among the document's sentences.
    index: int
    span: Span
    #: ``title``, ``abstract`` or ``body``.
    field: str
    #: Each word in lower case, a whole name counting as one.
    words: tuple[str, ...]
    #: Where each word stands in the document.
    bounds: tuple[tuple[int, int], ...]
    #: For each word the place of the entity that it names, else -1.
    owners: tuple[int, ...]
    #: Places in :attr:`words` where a name stands.
    names: tuple[int, ...]
    #: For each of :attr:`names`, which list of the sentence it belongs to.
    lists: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A document cut into sentences and words, with the entities that stand in each."""

    document: Document
    entities: tuple[LocalEntity, ...]
    sentences: tuple[Sentence, ...]
    #: For each entity, ``(sentence, word)`` of every mention, in order.
    places: tuple[tuple[tuple[int, int], ...], ...]
    #: Entities that the document presents as its own, the most prominent first.
    introduced: tuple[int, ...]


def read(document: Document, entities: Sequence[LocalEntity]) -> View:
    """Return ``document`` as sentences of words, each mention of ``entities`` being one word."""
    text = document.text
    card = document.kind.endswith("card")
    spans = sentences(text, document.body, markdown=card)
    owner: dict[tuple[int, int], int] = {}
    for place, entity in enumerate(entities):
        for mention in entity.mentions:
            owner.setdefault((mention.span.start, mention.span.end), place)
    starts = [span.start for span in spans]
    buckets: list[list[tuple[int, int]]] = [[] for _ in spans]
    for start, end in sorted(owner):
        at = bisect_right(starts, start) - 1
        if at >= 0 and start < spans[at].end:
            buckets[at].append((start, end))
    paper = document.kind == "paper"
    title_end = len(document.title) if paper and text.startswith(document.title) else 0
    read_sentences = []
    places: list[list[tuple[int, int]]] = [[] for _ in entities]
    for index, (span, bucket) in enumerate(zip(spans, buckets, strict=True)):
        words: list[str] = []
        bounds: list[tuple[int, int]] = []
        owners: list[int] = []
        names: list[int] = []
        cursor = span.start
        for start, end in bucket:
            if start < cursor:
                continue
            _append_words(text, cursor, start, words, bounds, card)
            owners.extend([-1] * (len(words) - len(owners)))
            place = owner[start, end]
            places[place].append((index, len(words)))
            names.append(len(words))
            words.append(text[start:end].lower())
            bounds.append((start, end))
            owners.append(place)
            cursor = end
        _append_words(text, cursor, span.end, words, bounds, card)
        owners.extend([-1] * (len(words) - len(owners)))
        field = "body" if not paper else "title" if span.end <= title_end else "abstract"
        read_sentences.append(
            Sentence(
                index,
                span,
                field,
                tuple(words),
                tuple(bounds),
                tuple(owners),
                tuple(names),
                _lists(words, owners, names, entities),
            )
        )
    return View(
        document,
        tuple(entities),
        tuple(read_sentences),
        tuple(map(tuple, places)),
        _introduced(document, entities),
    )


def _append_words(
    text: str, start: int, end: int, words: list[str], bounds: list[tuple[int, int]], card: bool
) -> None:
    if card:
        # What is no word is blanked, so that no offset changes.
        between = _MARKDOWN.sub(lambda match: " " * len(match.group()), text[start:end])
        found = ((match, start) for match in _WORD.finditer(between))
    else:
        found = ((match, 0) for match in _WORD.finditer(text, start, end))
    for match, shift in found:
        words.append(match.group().lower())
        bounds.append((match.start() + shift, match.end() + shift))


def _lists(
    words: Sequence[str],
    owners: Sequence[int],
    names: Sequence[int],
    entities: Sequence[LocalEntity],
) -> tuple[int, ...]:
    """Which list each name belongs to: names of one label with commas or figures between them."""
    lists: list[int] = []
    current = -1
    for position, at in enumerate(names):
        joined = False
        if position:
            before = names[position - 1]
            one, other = owners[before], owners[at]
            if one == other or entities[one].label == entities[other].label:
                between = words[before + 1 : at]
                joined = (one == other and between == ["("]) or _separates(between)
        if not joined:
            current += 1
        lists.append(current)
    return _split_pairs(words, owners, names, lists)


def _split_pairs(
    words: Sequence[str], owners: Sequence[int], names: Sequence[int], lists: list[int]
) -> tuple[int, ...]:
    """Undo lists of two with a mere comma between: "Based on A, B is small" lists nothing."""
    split: list[int] = []
    shift = 0
    for position, this in enumerate(lists):
        if position and this == lists[position - 1] and lists.count(this) == 2:
            before, at = names[position - 1], names[position]
            alone = words[before + 1 : at] == [","] and owners[before] != owners[at]
            opened = before > 0 and words[before - 1] in _OPENS
            shift += alone and not opened
        split.append(this + shift)
    return tuple(split)


def _separates(between: Sequence[str]) -> bool:
    depth = 0
    found = False
    for word in between:
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth > 0:
            if not (word[0].isdigit() or word in _FIGURE):
                return False
        elif word in _BETWEEN:
            found = True
        else:
            return False
    return found and len(between) <= 12


def _introduced(document: Document, entities: Sequence[LocalEntity]) -> tuple[int, ...]:
    repository = name_key(document.repository.rpartition("/")[2]) if document.repository else ""
    chosen = []
    for place, entity in enumerate(entities):
        own = repository and (
            entity.repository == document.repository or name_key(entity.canonical) == repository
        )
        if entity.introduced or own:
            first = min((mention.span.start for mention in entity.mentions), default=0)
            chosen.append((not own, -len(entity.mentions), first, place))
    return tuple(place for *_, place in sorted(chosen))
