"""Which names in the prose of a card are none: parts of addresses, headings, words of templates.

The recogniser reads a card as prose, but a card is half form: its headings are the same on
thousands of cards, and a repository id is one name however many names it is made of.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from kg.resources import ontology
from kg.text import name_key
from kg.values import Document, LocalEdge, LocalEntity, Mention, Span

_LINKED: Final = re.compile(
    r"\[`?(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]*[A-Za-z0-9])`?\]\(https?://(?:www\.)?"
    r"(?:huggingface\.co|hf\.co)/"
)
_RUN: Final = re.compile(r"[\w./-]+")
#: Marks of Markdown that no name holds: what a name runs across is two things.
_MARK: Final = re.compile(r"`|^#+\s|\]\(|\|")


@cache
def _template() -> frozenset[str]:
    table = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))["template"]
    return frozenset(name_key(words) for words in (*table["headings"], *table["emphasis"]))


@cache
def _titles() -> tuple[str, ...]:
    table = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))["template"]
    return tuple(name_key(words) for words in table["titles"])


def kept(
    document: Document, entities: Sequence[LocalEntity], own: Iterable[str]
) -> tuple[LocalEntity, ...]:
    """Return ``entities`` without the mentions that name nothing in a card's prose.

    These go: a part of a repository id that the card links to, or of one of its ``own`` names
    (``roberta-base`` in ``org/roberta-base-finetuned``); a heading of the template or a card's
    title; a name that runs across a mark of Markdown; the card's own name read as something of
    another kind.  An entity of which no mention is left goes, too.
    """
    whole = tuple(dict.fromkeys(name for name in own if name))
    expected = "Dataset" if document.kind == "dataset-card" else "Model"
    own_keys = frozenset(name_key(name) for name in whole)
    runs = sorted(_ids(document, whole), key=lambda run: run.start)
    starts = [run.start for run in runs]

    def is_name(mention: Mention) -> bool:
        written = mention.span.of(document.text)
        key = name_key(written)
        if key in _template() or key.endswith(_titles()) or _MARK.search(written):
            return False
        if key in own_keys:
            return mention.label == expected
        at = bisect_right(starts, mention.span.start) - 1
        return at < 0 or not _is_part(document.text, runs[at], mention.span)

    found = []
    for entity in entities:
        mentions = tuple(mention for mention in entity.mentions if is_name(mention))
        if mentions or not entity.mentions:
            found.append(entity if mentions == entity.mentions else _left(entity, mentions))
    return tuple(found)


def stated_by_template(
    edges: Iterable[LocalEdge], lines: Sequence[Span], declared: Iterable[LocalEdge]
) -> tuple[LocalEdge, ...]:
    """Return those of the extracted ``edges`` that do not rest on a line of a template alone.

    Such ``lines`` say one thing, which the reader of cards knows word by word and has
    ``declared``; what else a reader of prose makes of them is about the wrong model.
    """
    known = {(edge.head, edge.relation, edge.tail) for edge in declared}
    return tuple(
        edge
        for edge in edges
        if (edge.head, edge.relation, edge.tail) in known
        or not all(any(item.span.overlaps(line) for line in lines) for item in edge.evidence)
    )


def _ids(document: Document, own: Sequence[str]) -> Iterator[Span]:
    """Yield where an id stands that is one name: a linked repository, or the card's own name."""
    for match in _LINKED.finditer(document.text, document.body):
        yield Span(*match.span("id"))
    names = frozenset(name.casefold() for name in own)
    for match in _RUN.finditer(document.text, document.body):
        if match[0].rstrip("./").casefold() in names:
            yield Span(*match.span())


def _is_part(text: str, run: Span, mention: Span) -> bool:
    """Whether ``mention`` is less than the name in the id at ``run``, or its organisation."""
    if not run.overlaps(mention):
        return False
    id_ = run.of(text).rstrip("./")
    name = run.start + id_.rfind("/") + 1
    return not (mention.start in (run.start, name) and mention.end >= run.start + len(id_))


def _left(entity: LocalEntity, mentions: tuple[Mention, ...]) -> LocalEntity:
    return replace(entity, mentions=mentions)
