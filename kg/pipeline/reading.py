"""Read documents: names, then edges and scores, then what cards declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kg.linker import link
from kg.ner import Gear, entities_of
from kg.values import Document, Reading


def read(documents: Iterable[Document], *, gear: Gear = "fast") -> Iterator[Reading]:
    """Yield the reading of each document, in their order.

    A reading depends on its document and the gear alone, never on its neighbours.
    """
    for batch in _batches(documents):
        for document, entities in zip(batch, entities_of(batch, gear=gear), strict=True):
            edges, results = link(document, entities)
            yield Reading(document, entities, edges, results)


def _batches(documents: Iterable[Document], size: int = 64) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for document in documents:
        batch.append(document)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
