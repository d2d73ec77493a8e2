"""Which documents are one, and what each is called: decided by content, never by order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

import msgspec

from kg.values import Document, Evidence, Reading

#: What :func:`distinct` ends an id with.
_ENDING: Final = re.compile(r"~[0-9a-f]{16}\Z")
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def digest(document: Document) -> bytes:
    """Return a hash of everything that is known of ``document``."""
    return hashlib.sha256(_encode_sorted(document)).digest()


def distinct(readings: Iterable[Reading]) -> Iterator[Reading]:
    """Yield ``readings``, sorted by id and digest, one a text, each under an id of its own.

    Of documents with one id and one text the first stands for all.  The first text of an id keeps
    it; the id of another ends in a part of its digest, as does one that has such an ending already.
    """
    for id_, group in groupby(readings, key=lambda reading: reading.document.id):
        seen: set[bytes] = set()
        for reading in group:
            text = hashlib.sha256(_encode_sorted((reading.document.kind, reading.document.text)))
            if text.digest() in seen:
                continue
            plain = not seen and not _ENDING.search(id_)
            seen.add(text.digest())
            own = digest(reading.document).hex()[:16]
            yield reading if plain else renamed(reading, f"{id_}~{own}")


def renamed(reading: Reading, id_: str) -> Reading:
    """Return ``reading`` as that of a document called ``id_``."""

    def moved(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        return tuple(replace(item, document=id_) for item in evidence)

    return replace(
        reading,
        document=replace(reading.document, id=id_),
        edges=tuple(replace(edge, evidence=moved(edge.evidence)) for edge in reading.edges),
        results=tuple(replace(r, evidence=moved(r.evidence)) for r in reading.results),
    )
