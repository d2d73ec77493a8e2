"""Relate the entities of one document: typed edges and scores, each with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from kg.linker import cues, evidence, view
from kg.values import Document, Evidence, LocalEdge, LocalEntity, LocalResult

__all__ = ["link"]


def link(
    document: Document, entities: Sequence[LocalEntity]
) -> tuple[tuple[LocalEdge, ...], tuple[LocalResult, ...]]:
    """Return the edges and the scores that ``document`` states between ``entities``."""
    seen = view.read(document, entities)
    found: dict[tuple[str, str, str], set[Evidence]] = {}
    for hit in cues.find(seen):
        if hit.hedged:
            continue
        key = (
            entities[hit.head].canonical,
            hit.cue.relation,
            entities[hit.tail].canonical,
        )
        found.setdefault(key, set()).add(evidence.of_cue(seen, hit, 0.7))
    edges = tuple(LocalEdge(*key, tuple(sorted(found[key]))) for key in sorted(found))
    return edges, ()
