"""Which names in the prose of a card are none: parts of addresses, headings, words of templates.

The recogniser reads a card as prose, but a card is half form: its headings are the same on
thousands of cards, and a repository id is one name however many names it is made of.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Final

from kg.resources import ontology
from kg.text import name_key
from kg.values import Document, LocalEdge, LocalEntity, Mention, Span

#: A link to a repository of the Hub; what stands first there and is no owner is data.
_LINK: Final = re.compile(
    r"\[[`*_ ]*(?:[^\]\n]{1,60}['’]s )?(?P<text>[^\]\n]{1,200}?)[`*_ ]*\]\(<?https?://(?:www\.)?(?:huggingface\.co|hf\.co)/"
    r"(?P<data>datasets/)?(?P<id>(?P<owner>[A-Za-z0-9][\w.-]*)/(?P<name>[\w.-]*[A-Za-z0-9]))(?=[)>/?#\s])"
)
#: More links of one card name nothing new.
_LINKS_LIMIT: Final = 500
#: What stands behind the owner in an id: ``/bert-base``, ``/Ant-7B``.
_BEHIND_OWNER: Final = re.compile(r"/[A-Za-z0-9][\w.]*-[\w.-]*")
_RUN: Final = re.compile(r"[\w./-]+")
#: Marks of Markdown that no name holds: what a name runs across is two things.
_MARK: Final = re.compile(r"`|^#+\s|\]\(|\|")


@cache
def _template() -> frozenset[str]:
    table = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))["template"]
    return frozenset(name_key(words) for words in (*table["headings"], *table["emphasis"]))


@cache
def _no_owners() -> frozenset[str]:
    table = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))["links"]
    return frozenset(table["no_owners"])


@cache
def _titles() -> tuple[str, ...]:
    table = tomllib.loads(ontology("cards.toml").read_text(encoding="utf-8"))["template"]
    return tuple(name_key(words) for words in table["titles"])


@dataclass(frozen=True, slots=True)
class Link:
    """A name in a card's prose that a link binds to a repository of the Hub."""

    span: Span
    #: What it is called: as the repository, or as the text where that says the whole id.
    name: str
    repository: str
    is_data: bool


def linked(document: Document, entities: Sequence[LocalEntity]) -> tuple[Link, ...]:
    """Return the names that the prose of a card links to a repository, in order.

    Such a name is the link's text where that is the repository's name or id, else a name among
    ``entities`` in it that is a part of the repository's: in ``[BERT by Google](.../bert-base)``
    it is "BERT" that means ``bert-base`` there.  Whose it is ("Ada's BERT") is no part of it.
    """
    links = []
    mentions = sorted(
        (mention.span, mention.label) for entity in entities for mention in entity.mentions
    )
    starts = [span.start for span, _ in mentions]
    for match in islice(_LINK.finditer(document.text, document.body), _LINKS_LIMIT):
        if match["owner"].casefold() in _no_owners():
            continue
        is_data = bool(match["data"])
        name, text = name_key(match["name"]), match["text"]
        if name_key(text.replace("/", " ")) in (name, name_key(match["id"].replace("/", " "))):
            called = match["name"] if name_key(text) == name or "/" in text else text
            links.append(Link(Span(*match.span("text")), called, match["id"], is_data))
            continue
        labels = ("Dataset", "Benchmark") if is_data else ("Model",)
        start, end = match.span("text")
        for span, label in mentions[bisect_left(starts, start) :]:
            if span.end > end:
                break
            if label in labels and name_key(span.of(document.text)) in name:
                links.append(Link(span, match["name"], match["id"], is_data))
                break
    return tuple(links)


def kept(
    document: Document,
    entities: Sequence[LocalEntity],
    own: Iterable[str],
    links: Sequence[Link] = (),
) -> tuple[LocalEntity, ...]:
    """Return ``entities`` without the mentions that name nothing in a card's prose.

    These go: what overlaps one of the ``links``, each of which is a name by itself; a part of one
    of its ``own`` names (``roberta-base`` in ``org/roberta-base-finetuned``); the owner in an id; a
    path in the author's own folders; a heading of the template or a card's title; a name that runs
    across a mark of Markdown; the card's own name read as something of another kind.  An entity of
    which no mention is left goes, too.
    """
    whole = tuple(dict.fromkeys(name for name in own if name))
    expected = "Dataset" if document.kind == "dataset-card" else "Model"
    own_keys = frozenset(name_key(name) for name in whole)
    runs = list(_own_names(document, whole))
    starts = [run.start for run in runs]
    bound = [link.span for link in links]
    ends = [span.end for span in bound]

    def is_name(mention: Mention) -> bool:
        written = mention.span.of(document.text)
        key = name_key(written)
        if key in _template() or key.endswith(_titles()) or _MARK.search(written):
            return False
        if document.text.endswith("./", 0, mention.span.start):
            return False
        if _BEHIND_OWNER.match(document.text, mention.span.end) and "-" not in written:
            return False
        after = bisect_right(ends, mention.span.start)
        if after < len(bound) and bound[after].overlaps(mention.span):
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


def _own_names(document: Document, own: Sequence[str]) -> Iterator[Span]:
    """Yield where the card's own name or id stands, each one name."""
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
