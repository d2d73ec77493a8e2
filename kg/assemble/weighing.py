"""How sure a statement is, and whether it is accepted: pure functions of its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Final

from kg.values import EVIDENCE_KINDS, Edge, Evidence

#: No number of documents makes a statement certain; only a person does.
_CEILING: Final = 0.999
_RANK: Final = {kind: rank for rank, kind in enumerate(EVIDENCE_KINDS)}
_DIGITS: Final = 4
#: The confidence from which on an extracted score is accepted: that of most relations.
SCORES: Final = 0.3


def combined(evidence: Iterable[Evidence]) -> float:
    """Return the chance that at least one document is right.

    Documents are independent, but two readings of one document are not, nor are two documents
    with the same sentence (a paper and the card that quotes it): each document, and each
    sentence, has one vote, its most confident evidence.
    """
    by_document: dict[str, tuple[float, str]] = {}
    for item in evidence:
        vote = (item.confidence, " ".join(item.sentence.split()).casefold())
        by_document[item.document] = max(by_document.get(item.document, (0.0, "")), vote)
    by_sentence: dict[str, float] = {}
    for document, (confidence, sentence) in by_document.items():
        voter = sentence or document
        by_sentence[voter] = max(by_sentence.get(voter, 0.0), confidence)
    return noisy_or(by_sentence.values())


def noisy_or(chances: Iterable[float]) -> float:
    """Return the chance that at least one of independent ``chances`` comes true, in 4 digits."""
    # Sorted, since a product of floats depends on the order of its factors in the last bits.
    doubt = prod(1 - chance for chance in sorted(chances))
    return round(min(1 - doubt, _CEILING), _DIGITS)


def weigh(
    subject: str,
    relation: str,
    object: str,
    evidence: Iterable[Evidence],
    threshold: Callable[[str], float],
) -> Edge:
    """Return the edge that ``evidence`` makes, with its confidence and status.

    The strongest kind decides: what a person confirmed or rejected stands, what a card declares
    is accepted; what was extracted is accepted from ``threshold(relation)`` on.  Where kinds of
    evidence contradict each other below a person's word, the edge is disputed.
    """
    items = tuple(sorted(set(evidence)))
    positive = [item for item in items if not item.negated]
    negative = [item for item in items if item.negated]
    curated = [item for item in items if item.kind == "curated"]
    if curated:
        rejected = curated[-1].negated
        status = "retracted" if rejected else "accepted"
        confidence = combined(negative if rejected else positive)
        return Edge(subject, relation, object, items, confidence, status)
    if not positive:
        return Edge(subject, relation, object, items, combined(negative), "negated")
    support = combined(positive)
    doubt = combined(negative) if negative else 0.0
    confidence = round(support * (1 - doubt), _DIGITS)
    declared = any(item.kind == "declared" for item in positive)
    if negative and (declared or any(item.kind == "declared" for item in negative)):
        return Edge(subject, relation, object, items, confidence, "disputed")
    accepted = confidence >= threshold(relation)
    return Edge(
        subject, relation, object, items, confidence, "accepted" if accepted else "candidate"
    )


def strength(edge: Edge) -> tuple[int, float, tuple[str, str, str]]:
    """Return what orders edges from the weakest to the strongest: kind, confidence, key."""
    best = min(_RANK[item.kind] for item in edge.evidence)
    return -best, edge.confidence, edge.key
