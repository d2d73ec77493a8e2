"""Find the names in a document, label them, and group them into entities.

Names are found on characters: a learned tagger reads each text, the lexicon, the looks of names,
bracketed abbreviations and coining phrases add what they know, and decisions are made over the
whole document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from kg.ner.learned import Gear
from kg.ner.recogniser import Recogniser
from kg.values import Document, LocalEntity

__all__ = ["Gear", "Recogniser", "entities_of"]

#: Texts that the tagger reads at once. The outcome does not depend on it.
BATCH: Final = 32


def entities_of(
    documents: Iterable[Document], *, gear: Gear = "fast"
) -> Iterator[tuple[LocalEntity, ...]]:
    """Yield the entities of each document, in the order of their first mention."""
    recogniser = Recogniser.load(gear)
    waiting = iter(documents)
    while batch := list(islice(waiting, BATCH)):
        yield from recogniser.entities(batch)
