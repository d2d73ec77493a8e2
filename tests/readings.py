"""Write readings of documents the way a person would: marked names, and edges between them."""

from __future__ import annotations

from collections.abc import Iterable

from kg.values import (
    Document,
    Evidence,
    LocalEdge,
    LocalEntity,
    LocalResult,
    Mention,
    Reading,
    Span,
)
from tests.marked import marked


def evidence(
    document: Document,
    *,
    kind: str = "extracted",
    confidence: float = 0.8,
    negated: bool = False,
    sentence: str = "",
) -> Evidence:
    """Return evidence that quotes ``sentence``, or the whole document."""
    start = document.text.index(sentence) if sentence else 0
    span = Span(start, start + len(sentence or document.text))
    return Evidence(
        document=document.id,
        field="body",
        span=span,
        sentence=span.of(document.text),
        kind=kind,
        extractor="test",
        rule="test",
        confidence=confidence,
        negated=negated,
    )


def reading(
    id_: str,
    source: str,
    *edges: str,
    kind: str = "extracted",
    confidence: float = 0.8,
    negated: bool = False,
    aliases: dict[str, str] | None = None,
    repositories: dict[str, str] | None = None,
    results: Iterable[tuple[str, str | None, str | None, str]] = (),
    year: int | None = None,
) -> Reading:
    """Return what was read in ``source``, e.g. ``reading("a", "[[A|Model]] from [[B|Model]].",
    "A fineTunedFrom B")``.

    ``[[A|Model!]]`` is introduced by the document.  ``aliases`` gives a name the long form that
    stands in the text too, unmarked; names with blanks are joined by ``_`` in edges.
    """
    plain, entities, _ = marked(source)
    document = Document(id_, "text", "", plain.text, year=year)
    named = []
    for entity in entities:
        long = (aliases or {}).get(entity.canonical)
        mentions = entity.mentions
        if long is not None:
            start = plain.text.index(long)
            mentions += (Mention(Span(start, start + len(long)), entity.label, 0.9, "test"),)
        named.append(
            LocalEntity(
                entity.canonical,
                entity.label,
                entity.introduced,
                mentions,
                (long,) if long else (),
                (repositories or {}).get(entity.canonical, ""),
            )
        )
    proof = (evidence(document, kind=kind, confidence=confidence, negated=negated),)
    stated = []
    for edge in edges:
        head, relation, tail = (part.replace("_", " ") for part in edge.split())
        stated.append(LocalEdge(head, relation, tail, proof))
    scores = tuple(LocalResult(*result, proof) for result in results)
    return Reading(document, tuple(named), tuple(stated), scores)
