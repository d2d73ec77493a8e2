"""The sentence that shows an edge, and where the two names stand in it."""

from __future__ import annotations

from kg.linker.cues import Hit
from kg.linker.view import Sentence, View
from kg.values import Evidence, Span


def of_cue(view: View, hit: Hit, confidence: float) -> Evidence:
    """Return the sentence in which a cue matched as evidence."""
    sentence = view.sentences[hit.sentence]
    return Evidence(
        document=view.document.id,
        field=sentence.field,
        span=sentence.span,
        sentence=sentence.span.of(view.document.text),
        kind="extracted",
        extractor="cues",
        rule=hit.cue.id,
        confidence=confidence,
        subject=None if hit.head_implied else where(sentence, hit.head),
        object=None if hit.tail_implied else where(sentence, hit.tail),
        negated=hit.negated,
    )


def of_pair(
    view: View,
    edge: tuple[int, str, int],
    near: tuple[tuple[int, int], tuple[int, int]],
    confidence: float,
) -> Evidence:
    """Return the sentence that the learned linker read an edge from.

    It is the one that holds both names; where none does, that of the name which is not the
    document's own, since the other is implied there ("we", "our model").
    """
    head, relation, tail = edge
    (here, _), (there, _) = near
    chosen = here if tail in view.introduced and head not in view.introduced else there
    sentence = view.sentences[chosen]
    return Evidence(
        document=view.document.id,
        field=sentence.field,
        span=sentence.span,
        sentence=sentence.span.of(view.document.text),
        kind="extracted",
        extractor="learned",
        rule=relation,
        confidence=confidence,
        subject=where(sentence, head),
        object=where(sentence, tail),
    )


def where(sentence: Sentence, entity: int) -> Span | None:
    """Return where ``entity`` is first named in ``sentence``, if it is."""
    for at in sentence.names:
        if sentence.owners[at] == entity:
            return Span(*sentence.bounds[at])
    return None
