"""The sentence that shows an edge, and where the two names stand in it."""

from __future__ import annotations

from kg.linker.cues import Hit, meant
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

    It is the one that holds both names; where none does, see :func:`_implying`.
    """
    head, relation, tail = edge
    (here, _), (there, _) = near
    chosen = here if here == there else _implying(view, head, tail, here, there)
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


def _implying(view: View, head: int, tail: int, here: int, there: int) -> int:
    """Return the sentence that names one of two entities and implies the other best.

    "Our model" and its like imply most, "we" less.  ``here`` and ``there`` are the nearest
    sentences of head and tail: where nothing is implied, the one of that which is not the
    document's own is taken, since the other is implied there at all events.
    """
    best: tuple[int, int, int] | None = None
    for named, implied, near in ((tail, head, there), (head, tail, here)):
        for place in {place for place, _ in view.places[named]}:
            said = meant(view, view.sentences[place])
            if implied in said.by_phrase or implied in said.by_we:
                rank = (int(implied not in said.by_phrase), abs(place - near), place)
                best = rank if best is None else min(best, rank)
    if best is not None:
        return best[2]
    return here if tail in view.introduced and head not in view.introduced else there


def where(sentence: Sentence, entity: int) -> Span | None:
    """Return where ``entity`` is first named in ``sentence``, if it is."""
    for at in sentence.names:
        if sentence.owners[at] == entity:
            return Span(*sentence.bounds[at])
    return None
